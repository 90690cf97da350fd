package io.sluiceway.flink.sync.source;

import io.sluiceway.flink.sync.event.SyncEvent;
import io.sluiceway.flink.sync.event.TableShape;
import io.sluiceway.flink.sync.mysql.MySqlServer;
import io.sluiceway.flink.sync.mysql.Preflight;
import io.sluiceway.flink.sync.mysql.SchemaTracker;
import io.sluiceway.flink.sync.mysql.SyncStoppedException;
import io.sluiceway.flink.sync.mysql.TargetTables;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
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
  private final Set<String> sequences = new TreeSet<>();
  private Map<String, Object> offset;
  private DebeziumTask task;

  BinlogReader(MySqlServer server, TargetTables targets, SyncSplit.Binlog split)
      throws SQLException, SyncStoppedException {
    this.server = server;
    this.tracker = new SchemaTracker(server, targets, split.structures());
    this.rows = new ConnectRows(server.timeZone());
    this.offset = split.offset();
    sequences.addAll(sequences());
    open();
  }

  private void open() throws SyncStoppedException {
    try {
      task = new DebeziumTask(server, offset, tracker.structures(), sequences);
    } catch (RuntimeException e) {
      throw explained(e);
    }
  }

  /** Opens the binlog anew at the offset, with the structures that are known here. */
  private void reopen() throws SyncStoppedException {
    task.close();
    open();
  }

  /** The items since the last call, after at most some milliseconds; perhaps none. */
  List<SyncItem> poll() throws InterruptedException, SQLException, SyncStoppedException {
    List<SyncItem> items = new ArrayList<>();
    Group group = new Group(items);
    for (SourceRecord record : records()) {
      offset = offset(record);
      if (record.value() instanceof Struct value) {
        take(record, value, group);
        if (tracker.differs()) {
          offset = Gtids.behind(offset, value.getStruct("source").getString("gtid"));
          reopen();
          tracker.agrees();
          break; // what follows was read with other structures, and comes again
        }
      }
      group.offset = offset;
    }
    group.end();
    return items;
  }

  private List<SourceRecord> records()
      throws InterruptedException, SQLException, SyncStoppedException {
    try {
      return task.poll();
    } catch (RuntimeException e) {
      if (Failure.isUnknownTable(e) && sequences.addAll(sequences())) {
        reopen(); // one that was created meanwhile
        return List.of();
      }
      throw explained(e);
    }
  }

  /** Sequences of the database: their values are rows in the binlog, but nobody syncs them. */
  private List<String> sequences() throws SQLException {
    try (Connection connection = server.connect()) {
      return Preflight.sequences(connection, server.database());
    }
  }

  private RuntimeException explained(RuntimeException e) throws SyncStoppedException {
    if (Failure.isPurged(e)) {
      throw new SyncStoppedException(
          "%s: the binlog at %s, where this sync goes on, is no longer on the server; %s"
              .formatted(server.label(), offset, SyncStoppedException.LOAD_AGAIN));
    }
    if (Failure.isUnknownTable(e)) {
      throw new SyncStoppedException(
          "%s: rows of a table came whose definition did not; %s"
              .formatted(server.label(), SyncStoppedException.LOAD_AGAIN),
          Failure.root(e));
    }
    return e;
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
