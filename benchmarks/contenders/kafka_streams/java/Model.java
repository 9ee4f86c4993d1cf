import java.util.Arrays;

/** What the shop was fitted to; time in days. */
record Model(MbgNbd purchases, GammaGamma values, double horizon) {

    /** Reads "r alpha a b p q gamma horizon". */
    static Model parse(String text) {
        double[] of = Arrays.stream(text.split(" ")).mapToDouble(Double::parseDouble).toArray();
        return new Model(
                new MbgNbd(of[0], of[1], of[2], of[3]), new GammaGamma(of[4], of[5], of[6]), of[7]);
    }
}
