import org.apache.kafka.common.serialization.Serdes;

/** Rows as they lie in RocksDB and in the changelog: no names, no padding. */
final class RowSerde extends Serdes.WrapperSerde<Row> {
    RowSerde() {
        super((topic, row) -> row == null ? null : row.encode(), (topic, bytes) -> bytes == null ? null : Row.decode(bytes));
    }
}
