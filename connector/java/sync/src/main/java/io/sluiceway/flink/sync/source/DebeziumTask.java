package io.sluiceway.flink.sync.source;

import io.sluiceway.flink.sync.mysql.MySqlServer;
import io.sluiceway.flink.sync.mysql.Structures;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.apache.kafka.common.metrics.PluginMetrics;
import org.apache.kafka.connect.source.SourceRecord;
import org.apache.kafka.connect.source.SourceTask;
import org.apache.kafka.connect.source.SourceTaskContext;
import org.apache.kafka.connect.storage.OffsetStorageReader;

/**
 * Debezium's own task, run by hand: no engine and no Connect worker. It starts at a known offset
 * with known structures and never takes a snapshot.
 *
 * <p>Used by one thread. Each task has a name of its own, so that one that is still stopping and
 * its successor do not meet in the JVM's registries.
 */
final class DebeziumTask implements AutoCloseable {
  private final String name = "sync_" + UUID.randomUUID().toString().substring(0, 8);
  private final SourceTask task;

  DebeziumTask(
      MySqlServer server,
      Map<String, Object> offset,
      Structures structures,
      Collection<String> sequences) {
    task = server.dialect().task();
    Map<String, String> settings = DebeziumSettings.of(server, name, sequences);
    ClassLoader outer = Thread.currentThread().getContextClassLoader();
    Thread.currentThread().setContextClassLoader(DebeziumTask.class.getClassLoader());
    RecoveredHistory.offer(name, structures);
    try {
      task.initialize(new Context(settings, offset));
      task.start(settings);
    } catch (RuntimeException e) {
      close();
      throw e;
    } finally {
      Thread.currentThread().setContextClassLoader(outer);
    }
  }

  /** The records that came since, after at most the poll interval; perhaps none. */
  List<SourceRecord> poll() throws InterruptedException {
    List<SourceRecord> records = task.poll();
    return records == null ? List.of() : records;
  }

  @Override
  public void close() {
    try {
      task.stop();
    } finally {
      RecoveredHistory.withdraw(name);
    }
  }

  private record Context(Map<String, String> configs, Map<String, Object> offset)
      implements SourceTaskContext, OffsetStorageReader {

    @Override
    public OffsetStorageReader offsetStorageReader() {
      return this;
    }

    @Override
    public PluginMetrics pluginMetrics() {
      return null;
    }

    @Override
    public <T> Map<String, Object> offset(Map<String, T> partition) {
      return offset;
    }

    @Override
    public <T> Map<Map<String, T>, Map<String, Object>> offsets(
        Collection<Map<String, T>> partitions) {
      Map<Map<String, T>, Map<String, Object>> offsets = new HashMap<>();
      partitions.forEach(partition -> offsets.put(partition, offset));
      return offsets;
    }
  }
}
