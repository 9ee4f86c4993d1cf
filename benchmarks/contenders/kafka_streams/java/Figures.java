import java.util.Scanner;

/** Forecasts of histories on standard input, "x tx t mean" a line: what tests compare. */
final class Figures {
    public static void main(String[] arguments) {
        Model model = Model.parse(arguments[0]);
        Scanner lines = new Scanner(System.in);
        while (lines.hasNextLine()) {
            String[] of = lines.nextLine().split(" ");
            double[] d = {0, Double.parseDouble(of[1]), Double.parseDouble(of[2]), Double.parseDouble(of[3])};
            Forecast f = Forecast.of(model, Integer.parseInt(of[0]), d[1], d[2], d[3]);
            System.out.println(f.alive() + " " + f.noPurchase() + " " + f.purchases() + " " + f.value());
        }
    }
}
