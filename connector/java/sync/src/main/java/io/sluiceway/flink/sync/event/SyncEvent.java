package io.sluiceway.flink.sync.event;

import io.sluiceway.flink.api.SchemaChange;
import io.sluiceway.flink.api.TableDefinition;
import java.util.List;
import org.apache.flink.table.data.RowData;

/** What the source hands to the writer, in the order of the binlog. Immutable once emitted. */
public sealed interface SyncEvent {

  /**
   * Consecutive rows of one table, as INSERT, UPDATE_AFTER or DELETE.
   *
   * @param shape names the rows' columns: the stored table may have more of them by now
   */
  record Rows(TableShape shape, List<RowData> rows) implements SyncEvent {}

  /** A new table, created when it is not there. */
  record Create(TableDefinition table) implements SyncEvent {}

  /**
   * A changed table.
   *
   * @param changeId names the change by its position in the binlog; it is applied once
   */
  record Alter(String database, String table, List<SchemaChange> changes, String changeId)
      implements SyncEvent {}
}
