/** What is expected of a customer within the horizon. */
record Forecast(double alive, double noPurchase, double purchases, double value) {

    /** The forecast after x repeat purchase days of this mean value. */
    static Forecast of(Model model, int x, double tx, double t, double meanValue) {
        MbgNbd purchases = model.purchases();
        double alive = purchases.probabilityAlive(x, tx, t);
        return new Forecast(
                alive,
                purchases.noPurchaseProbability(x, t, model.horizon(), alive),
                purchases.expectedPurchases(x, t, model.horizon(), alive),
                model.values().expectedValue(x, meanValue));
    }
}
