/** The Gamma-Gamma model of the value of a purchase: Fader & Hardie 2013, note 025. */
record GammaGamma(double p, double q, double gamma) {

    /** The mean value of a customer's purchases, after x repeat ones of this mean. */
    double expectedValue(int x, double mean) {
        return p * (gamma + x * mean) / (p * x + q - 1);
    }
}
