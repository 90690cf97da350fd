package io.sluiceway.flink.sync.source;

import io.debezium.config.Configuration;
import io.debezium.relational.Tables;
import io.debezium.relational.ddl.DdlParser;
import io.debezium.relational.history.HistoryRecordComparator;
import io.debezium.relational.history.SchemaHistory;
import io.debezium.relational.history.SchemaHistoryListener;
import io.debezium.relational.history.TableChanges;
import io.sluiceway.flink.sync.mysql.Structures;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A schema history that keeps nothing: the structures come from the checkpoint, and go there by way
 * of the schema change events.
 *
 * <p>Debezium makes the instance itself, so the structures are handed over by the task's name.
 */
public final class RecoveredHistory implements SchemaHistory {
  private static final Map<String, Structures> OFFERED = new ConcurrentHashMap<>();

  private Structures structures;

  static void offer(String name, Structures structures) {
    OFFERED.put(name, structures);
  }

  static void withdraw(String name) {
    OFFERED.remove(name);
  }

  @Override
  public void configure(
      Configuration configuration,
      HistoryRecordComparator comparator,
      SchemaHistoryListener listener,
      boolean useCatalogBeforeSchema) {
    structures = OFFERED.get(configuration.getString(DebeziumSettings.HISTORY_NAME));
  }

  @Override
  @SuppressWarnings("deprecation")
  public void recover(
      Map<Map<String, ?>, Map<String, ?>> offsets, Tables tables, DdlParser parser) {
    structures.install(tables, parser);
  }

  @Override
  public boolean exists() {
    return true;
  }

  @Override
  public boolean storageExists() {
    return true;
  }

  @Override
  public void initializeStorage() {}

  @Override
  public void start() {}

  @Override
  public void stop() {}

  @Override
  public void record(Map<String, ?> source, Map<String, ?> position, String database, String ddl) {}

  @Override
  public void record(
      Map<String, ?> source,
      Map<String, ?> position,
      String database,
      String schema,
      String ddl,
      TableChanges changes,
      Instant time) {}
}
