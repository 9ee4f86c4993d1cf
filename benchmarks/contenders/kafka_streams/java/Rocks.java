import java.util.Map;
import org.apache.kafka.streams.state.RocksDBConfigSetter;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.Cache;
import org.rocksdb.LRUCache;
import org.rocksdb.Options;

/** RocksDB as Kafka's "Memory management" page shows it: one bounded block cache for all stores. */
public final class Rocks implements RocksDBConfigSetter {
    private static final Cache CACHE = new LRUCache(512L << 20);
    private static final long MEMTABLE_BYTES = 64L << 20;

    @Override
    public void setConfig(String store, Options options, Map<String, Object> configs) {
        BlockBasedTableConfig table = (BlockBasedTableConfig) options.tableFormatConfig();
        table.setBlockCache(CACHE);
        table.setCacheIndexAndFilterBlocks(true);
        table.setCacheIndexAndFilterBlocksWithHighPriority(true);
        table.setPinTopLevelIndexAndFilter(true);
        options.setTableFormatConfig(table);
        options.setWriteBufferSize(MEMTABLE_BYTES);
    }

    @Override
    public void close(String store, Options options) {
        // The cache is that of all stores.
    }
}
