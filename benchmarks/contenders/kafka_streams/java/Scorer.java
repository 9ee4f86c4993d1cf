import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;

/** Folds each purchase into its customer's row, and forwards both scores. */
final class Scorer implements Processor<byte[], byte[], byte[], byte[]> {
    static final String STORE = "customers";
    static final String LTV = "ltv";
    static final String CHURN_RISK = "churn-risk";
    /** How many purchases were scored, by all threads. */
    static final AtomicLong SCORED = new AtomicLong();

    private final Model model;
    private ProcessorContext<byte[], byte[]> context;
    private KeyValueStore<Bytes, Row> rows;

    Scorer(Model model) {
        this.model = model;
    }

    @Override
    public void init(ProcessorContext<byte[], byte[]> given) {
        context = given;
        rows = given.getStateStore(STORE);
    }

    @Override
    public void process(Record<byte[], byte[]> record) {
        try {
            Bytes key = Bytes.wrap(record.key());
            Purchase purchase = Purchase.read(record.value());
            Row known = rows.get(key);
            Row row = known == null ? new Row() : known;
            row.add(purchase);
            rows.put(key, row);
            Scores scores = new Scores(model, purchase, row);
            context.forward(record.withValue(scores.ltv()), LTV);
            context.forward(record.withValue(scores.churnRisk()), CHURN_RISK);
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
        SCORED.incrementAndGet();
    }
}
