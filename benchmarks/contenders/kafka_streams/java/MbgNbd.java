/**
 * The MBG/NBD model: a customer may leave at any purchase, the first included.
 *
 * <p>Batislam, Denizel & Filiztekin 2007, International Journal of Research in Marketing 24:201.
 */
record MbgNbd(double r, double alpha, double a, double b) {
    private static final double ACCURACY = 1e-13;

    /** P(still a customer at age t), after x repeat purchases of which the last was at tx. */
    double probabilityAlive(int x, double tx, double t) {
        return 1 / (1 + a / (b + x) * Math.pow((alpha + t) / (alpha + tx), r + x));
    }

    /** P(no purchase within the horizon), for a customer who is alive with this probability. */
    double noPurchaseProbability(int x, double t, double horizon, double alive) {
        return 1 - alive * (1 - Math.pow((alpha + t) / (alpha + t + horizon), r + x));
    }

    /** The purchases expected within the horizon; Euler's transform keeps it finite at any x. */
    double expectedPurchases(int x, double t, double horizon, double alive) {
        double z = horizon / (alpha + t + horizon);
        double series = hypergeometric(a + b - r, a - 1, a + b + x, z);
        return alive * (a + b + x) / (a - 1) * (1 - Math.pow(1 - z, a - 1) * series);
    }

    /** Gauss's 2F1 by its series; 0 <= z < 1. */
    static double hypergeometric(double a, double b, double c, double z) {
        double term = 1;
        double sum = 1;
        double negligible = ACCURACY * (1 - z);
        for (int n = 0; Math.abs(term) > negligible * Math.abs(sum); n++) {
            term *= (a + n) * (b + n) * z / ((c + n) * (n + 1));
            sum += term;
        }
        return sum;
    }
}
