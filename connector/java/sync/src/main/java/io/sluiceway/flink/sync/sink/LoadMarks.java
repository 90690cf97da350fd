package io.sluiceway.flink.sync.sink;

import io.sluiceway.flink.api.ColumnDefinition;
import io.sluiceway.flink.api.Retry;
import io.sluiceway.flink.api.RowWriter;
import io.sluiceway.flink.api.TableDefinition;
import io.sluiceway.flink.api.Warehouse;
import io.sluiceway.flink.api.WriteOptions;
import java.io.IOException;
import java.io.Serializable;
import java.util.List;
import java.util.Map;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.types.logical.LocalZonedTimestampType;
import org.apache.flink.table.types.logical.VarCharType;

/**
 * The table {@code sync.<target database>}: a row for each table whose first load is durable.
 *
 * <p>It lives in the warehouse, so it is true for every client and across restarts of the job, the
 * cluster and the warehouse.
 */
public final class LoadMarks implements Serializable {
  private static final long serialVersionUID = 1;
  private static final String DATABASE = "sync";

  private final String endpoint;
  private final String target;

  /** Marks of the target database {@code target}. */
  public LoadMarks(String endpoint, String target) {
    this.endpoint = endpoint;
    this.target = target;
  }

  /** Makes an empty table; an older one of the same target is dropped. */
  public void reset(Warehouse warehouse, int tables) throws IOException {
    warehouse.createDatabase(DATABASE, "progress of database syncs", true);
    warehouse.dropTable(DATABASE, target, true);
    warehouse.createTable(
        TableDefinition.of(
            DATABASE,
            target,
            tables + " tables to load",
            List.of(
                ColumnDefinition.of("table_name", new VarCharType(false, 1024), null),
                ColumnDefinition.of("loaded_at", new LocalZonedTimestampType(false, 3), null)),
            List.of("table_name"),
            Map.of()),
        true);
  }

  /** How many tables are loaded; -1 when no sync was ever started. */
  public long count(Warehouse warehouse) throws IOException {
    if (!warehouse.databases().contains(DATABASE)) {
      return -1;
    }
    return warehouse.rowCounts(DATABASE).getOrDefault(target, -1L);
  }

  /** How much there is to load, in words; null when no sync was ever started. */
  public String plan(Warehouse warehouse) throws IOException {
    return warehouse.table(DATABASE, target).map(TableDefinition::comment).orElse(null);
  }

  /** Adds tables; ones that are there already stay. */
  public void add(List<String> tables) throws IOException, InterruptedException {
    if (tables.isEmpty()) {
      return;
    }
    try (Warehouse warehouse = Warehouse.connect(endpoint, Retry.DEFAULT)) {
      TableDefinition table =
          warehouse
              .table(DATABASE, target)
              .orElseThrow(() -> new IOException("table sync." + target + " was dropped"));
      try (RowWriter writer = warehouse.writer(table, WriteOptions.fullRows(table, "sync"))) {
        TimestampData now = TimestampData.fromEpochMillis(System.currentTimeMillis());
        for (String name : tables) {
          writer.write(GenericRowData.of(StringData.fromString(name), now));
        }
        writer.flush();
      }
    }
  }
}
