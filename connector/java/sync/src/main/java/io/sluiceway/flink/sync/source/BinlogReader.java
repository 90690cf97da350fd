package io.sluiceway.flink.sync.source;

import io.sluiceway.flink.sync.event.SyncEvent;
import io.sluiceway.flink.sync.event.TableShape;
import io.sluiceway.flink.sync.mysql.MySqlServer;
import io.sluiceway.flink.sync.mysql.SchemaTracker;
import io.sluiceway.flink.sync.mysql.SyncStoppedException;
import io.sluiceway.flink.sync.mysql.TargetTables;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.types.RowKind;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.source.SourceRecord;

/** Turns the records of a Debezium task into events, in order. */
final class BinlogReader implements AutoCloseable {
  private final SchemaTracker tracker;
  private final ConnectRows rows;
  private final MySqlServer server;
  private final DebeziumTask task;

  BinlogReader(MySqlServer server, TargetTables targets, SyncSplit.Binlog split) {
    this.server = server;
    this.tracker = new SchemaTracker(server, targets, split.structures());
    this.rows = new ConnectRows(server.timeZone());
    this.task = new DebeziumTask(server, split.offset(), split.structures());
  }

  /** The items since the last call, after at most some milliseconds; perhaps none. */
  List<SyncItem> poll() throws InterruptedException, SyncStoppedException {
    List<SyncItem> items = new ArrayList<>();
    Group group = new Group(items);
    for (SourceRecord record : task.poll()) {
      if (record.value() instanceof Struct value) {
        take(record, value, group);
      }
      group.offset = offset(record);
    }
    group.end();
    return items;
  }

  private void take(SourceRecord record, Struct value, Group group) throws SyncStoppedException {
    if (value.schema().field("tableChanges") != null) {
      group.end();
      List<SyncEvent> events = tracker.apply(ConnectRows.statement(value));
      group.items.add(new SyncItem(events, offset(record), tracker.structures()));
    } else if (value.schema().field("op") != null) {
      takeRow(value, group);
    }
  }

  private void takeRow(Struct value, Group group) throws SyncStoppedException {
    String table = value.getStruct("source").getString("table");
    switch (value.getString("op")) {
      case "c", "r" -> add(group, table, value.getStruct("after"), RowKind.INSERT);
      case "u" -> add(group, table, value.getStruct("after"), RowKind.UPDATE_AFTER);
      case "d" -> add(group, table, value.getStruct("before"), RowKind.DELETE);
      case "t" ->
          throw new SyncStoppedException(
              "%s: cannot follow TRUNCATE TABLE %s; %s"
                  .formatted(server.label(), table, SyncStoppedException.LOAD_AGAIN));
      default -> {}
    }
  }

  private void add(Group group, String table, Struct image, RowKind kind)
      throws SyncStoppedException {
    TableShape shape = tracker.shape(table);
    GenericRowData row = rows.row(image, shape);
    row.setRowKind(kind);
    group.add(shape, row);
  }

  @SuppressWarnings("unchecked")
  private static Map<String, Object> offset(SourceRecord record) {
    return (Map<String, Object>) record.sourceOffset();
  }

  @Override
  public void close() {
    task.close();
  }

  /** Collects consecutive rows of one table into one item. */
  private static final class Group {
    private final List<SyncItem> items;
    private TableShape shape;
    private List<RowData> rows = new ArrayList<>();
    private Map<String, Object> offset;

    Group(List<SyncItem> items) {
      this.items = items;
    }

    void add(TableShape next, RowData row) {
      if (shape != next) {
        end();
        shape = next;
      }
      rows.add(row);
    }

    /** Closes the item; one without rows still moves the offset on. */
    void end() {
      if (offset == null) {
        return;
      }
      List<SyncEvent> events =
          rows.isEmpty() ? List.of() : List.of(new SyncEvent.Rows(shape, rows));
      items.add(new SyncItem(events, offset, null));
      rows = new ArrayList<>();
      offset = null;
    }
  }
}
