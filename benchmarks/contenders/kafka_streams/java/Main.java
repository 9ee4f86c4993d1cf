import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.state.Stores;

/** The application: configured by the environment, it runs until it is ended. */
final class Main {
    private static final Map<String, String> SET = System.getenv();
    private static final Duration CLOSE_MAX = Duration.ofSeconds(10);

    public static void main(String[] arguments) throws IOException {
        KafkaStreams streams = new KafkaStreams(topology(), properties());
        streams.setUncaughtExceptionHandler(
                error -> {
                    error.printStackTrace();
                    return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
                });
        // A failure must end the process, which the benchmark takes note of.
        streams.setStateListener(
                (now, before) -> {
                    if (now == KafkaStreams.State.ERROR) {
                        Runtime.getRuntime().halt(1);
                    }
                });
        Runtime.getRuntime().addShutdownHook(new Thread(() -> streams.close(CLOSE_MAX)));
        serveProgress(Integer.parseInt(SET.get("PEER_PORT")));
        streams.start();
    }

    private static Topology topology() {
        Model model = Model.parse(SET.get("PEER_MODEL"));
        Topology topology = new Topology();
        ByteArrayDeserializer bytes = new ByteArrayDeserializer();
        ByteArraySerializer asBytes = new ByteArraySerializer();
        topology.addSource("purchases", bytes, bytes, SET.get("PEER_SOURCE"));
        topology.addProcessor("scorer", () -> new Scorer(model), "purchases");
        topology.addStateStore(
                Stores.keyValueStoreBuilder(
                                Stores.persistentKeyValueStore(Scorer.STORE),
                                Serdes.Bytes(),
                                new RowSerde())
                        .withLoggingEnabled(Map.of())
                        .withCachingEnabled(),
                "scorer");
        topology.addSink(Scorer.LTV, SET.get("PEER_LTV"), asBytes, asBytes, "scorer");
        topology.addSink(Scorer.CHURN_RISK, SET.get("PEER_CHURN_RISK"), asBytes, asBytes, "scorer");
        return topology;
    }

    private static Properties properties() {
        Properties set = new Properties();
        set.put(StreamsConfig.APPLICATION_ID_CONFIG, SET.get("PEER_ID"));
        set.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, SET.get("PEER_BROKER"));
        set.put(StreamsConfig.STATE_DIR_CONFIG, "state");
        set.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        set.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, SET.get("PEER_THREADS"));
        if (SET.containsKey("PEER_COMMIT_MS")) {
            set.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, SET.get("PEER_COMMIT_MS"));
        }
        set.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 64L << 20);
        set.put(StreamsConfig.BUFFERED_RECORDS_PER_PARTITION_CONFIG, 10_000);
        set.put(StreamsConfig.ROCKSDB_CONFIG_SETTER_CLASS_CONFIG, Rocks.class);
        set.put(StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
        set.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_POLL_RECORDS_CONFIG), 5_000);
        set.put(
                StreamsConfig.consumerPrefix(ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG),
                4 << 20);
        set.put(StreamsConfig.producerPrefix(ProducerConfig.BATCH_SIZE_CONFIG), 256 << 10);
        set.put(StreamsConfig.producerPrefix(ProducerConfig.BUFFER_MEMORY_CONFIG), 128L << 20);
        overrides(set);
        return set;
    }

    private static void overrides(Properties set) {
        for (String pair : SET.getOrDefault("PEER_SET", "").split(",")) {
            if (!pair.isEmpty()) { String[] kv = pair.split("="); set.put(kv[0], kv[1]); }
        }
    }

    private static void serveProgress(int port) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", port), 0);
        server.createContext(
                "/metrics",
                exchange -> {
                    String text = "peer_events_total " + Scorer.SCORED.get() + "\n";
                    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
                    exchange.sendResponseHeaders(200, bytes.length);
                    try (OutputStream body = exchange.getResponseBody()) {
                        body.write(bytes);
                    }
                });
        server.start();
    }
}
