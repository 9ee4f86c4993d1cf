import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.StreamWriteFeature;
import com.fasterxml.jackson.core.util.ByteArrayBuilder;
import java.io.IOException;
import java.math.BigDecimal;
import java.time.Instant;

/** The two scores of a purchase as JSON. */
final class Scores {
    // Java's own way to write doubles is slow before Java 19.
    private static final JsonFactory JSON =
            JsonFactory.builder().enable(StreamWriteFeature.USE_FAST_DOUBLE_WRITER).build();
    private static final int[] WINDOW_DAYS = {7, 30, 90, 365};
    private static final String[] WINDOWS = {"7", "30", "90", "365"};
    private static final double[] THRESHOLDS = {0.5, 0.8, 0.95};
    private static final String[] BANDS = {"low", "medium", "high", "lapsed"};

    private final Model model;
    private final Purchase purchase;
    private final Row row;
    private final Forecast forecast;
    private final String scoredAt = Instant.now().toString();

    Scores(Model model, Purchase purchase, Row row) {
        this.model = model;
        this.purchase = purchase;
        this.row = row;
        double tenure = row.tenureDays();
        forecast = Forecast.of(model, row.occasions - 1, tenure, tenure, row.meanRepeatValue());
    }

    byte[] ltv() throws IOException {
        ByteArrayBuilder bytes = new ByteArrayBuilder(1024);
        try (JsonGenerator json = JSON.createGenerator(bytes)) {
            common(json);
            double predicted = forecast.purchases() * forecast.value();
            json.writeStringField("currency", "USD");
            json.writeStringField("historic_clv", money(row.cents));
            json.writeStringField("predicted_clv", money(Math.round(predicted * 100)));
            json.writeStringField("total_clv", money(row.cents + Math.round(predicted * 100)));
            json.writeNumberField("orders", row.orders);
            json.writeStringField(
                    "average_order_value", money(Math.round((double) row.cents / row.orders)));
            json.writeNumberField("tenure_days", row.tenureDays());
            json.writeNumberField("expected_orders", forecast.purchases());
            windows(json);
            json.writeEndObject();
        }
        return bytes.toByteArray();
    }

    byte[] churnRisk() throws IOException {
        ByteArrayBuilder bytes = new ByteArrayBuilder(1024);
        try (JsonGenerator json = JSON.createGenerator(bytes)) {
            common(json);
            json.writeNumberField("churn_probability", forecast.noPurchase());
            json.writeNumberField("probability_alive", forecast.alive());
            json.writeStringField("risk_band", band());
            json.writeEndObject();
        }
        return bytes.toByteArray();
    }

    private void common(JsonGenerator json) throws IOException {
        json.writeStartObject();
        json.writeStringField("score_id", purchase.customerId() + "-" + row.orders);
        json.writeStringField("customer_id", purchase.customerId());
        json.writeNumberField("revision", row.orders);
        json.writeStringField("as_of", purchase.occurredAt());
        json.writeStringField("scored_at", scoredAt);
        json.writeStringField("model_version", "mbg_nbd");
        json.writeObjectFieldStart("cause");
        json.writeStringField("kind", "event");
        json.writeStringField("id", purchase.eventId());
        json.writeStringField("type", "purchase");
        json.writeEndObject();
        json.writeNumberField("horizon_days", model.horizon());
        json.writeNumberField("schema_version", 1);
    }

    /** Orders and revenue of the last days, up to and with the last purchase's. */
    private void windows(JsonGenerator json) throws IOException {
        int today = (int) Math.floorDiv(row.last, Row.DAY_MS);
        int place = row.days.length;
        int orders = 0;
        long cents = 0;
        json.writeObjectFieldStart("windows");
        for (int n = 0; n < WINDOWS.length; n++) {
            while (place > 0 && row.days[place - 1] > today - WINDOW_DAYS[n]) {
                place--;
                orders += row.dayOrders[place];
                cents += row.dayCents[place];
            }
            json.writeObjectFieldStart(WINDOWS[n]);
            json.writeNumberField("orders", orders);
            json.writeStringField("revenue", money(cents));
            json.writeEndObject();
        }
        json.writeEndObject();
    }

    private String band() {
        int band = 0;
        while (band < THRESHOLDS.length && forecast.noPurchase() >= THRESHOLDS[band]) {
            band++;
        }
        return BANDS[band];
    }

    private static String money(long cents) {
        return BigDecimal.valueOf(cents, 2).toString();
    }
}
