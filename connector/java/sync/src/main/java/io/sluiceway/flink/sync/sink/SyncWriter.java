package io.sluiceway.flink.sync.sink;

import io.sluiceway.flink.api.Retry;
import io.sluiceway.flink.api.RowWriter;
import io.sluiceway.flink.api.TableDefinition;
import io.sluiceway.flink.api.Warehouse;
import io.sluiceway.flink.api.WriteOptions;
import io.sluiceway.flink.sync.event.SyncEvent;
import io.sluiceway.flink.sync.event.TableShape;
import java.io.IOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.apache.flink.api.common.operators.ProcessingTimeService;
import org.apache.flink.api.connector.sink2.SinkWriter;
import org.apache.flink.table.data.RowData;

/**
 * Applies events in order: one row writer a table, opened with the columns that its rows have and
 * closed by a change of the table.
 *
 * <p>Deletes are always applied, whatever the catalog's sink options say. All rows written so far
 * are durable when {@link #flush} returns, and when a schema change is applied.
 */
final class SyncWriter implements SinkWriter<SyncEvent> {
  private static final Duration FLUSH_INTERVAL = Duration.ofMillis(10);
  private static final long TICK_MS = 5;
  private static final int BATCH_ROWS = 8192;
  private static final long BATCH_BYTES = 2 << 20;

  private final Warehouse warehouse;
  private final String name;
  private final Map<String, OpenTable> open = new HashMap<>();
  private boolean isClosed;

  SyncWriter(String endpoint, String name) throws IOException {
    this.warehouse = Warehouse.connect(endpoint, Retry.DEFAULT);
    this.name = name;
  }

  /** Lets small batches leave in time; timers run in the writer's own thread. */
  void tickBy(ProcessingTimeService timers) {
    timers.registerTimer(
        timers.getCurrentProcessingTime() + TICK_MS,
        time -> {
          if (!isClosed) {
            for (OpenTable table : open.values()) {
              table.writer.tick();
            }
            tickBy(timers);
          }
        });
  }

  @Override
  public void write(SyncEvent event, Context context) throws IOException, InterruptedException {
    if (event instanceof SyncEvent.Rows rows) {
      RowWriter writer = writer(rows.shape());
      for (RowData row : rows.rows()) {
        writer.write(row);
      }
    } else if (event instanceof SyncEvent.Create create) {
      warehouse.createTable(create.table(), true);
    } else if (event instanceof SyncEvent.Alter alter) {
      close(alter.table());
      warehouse.alterTable(alter.database(), alter.table(), alter.changes(), alter.changeId());
    }
  }

  private RowWriter writer(TableShape shape) throws IOException, InterruptedException {
    OpenTable table = open.get(shape.table());
    if (table != null && !table.shape.equals(shape)) {
      close(shape.table());
      table = null;
    }
    if (table == null) {
      table = new OpenTable(shape, warehouse.writer(definition(shape), options(shape)));
      open.put(shape.table(), table);
    }
    return table.writer;
  }

  private TableDefinition definition(TableShape shape) throws IOException {
    TableDefinition table =
        warehouse
            .table(shape.database(), shape.table())
            .orElseThrow(
                () ->
                    new IOException(
                        "table %s.%s was dropped; sync the database again"
                            .formatted(shape.database(), shape.table())));
    ShapeCheck.check(table, shape);
    return table;
  }

  private WriteOptions options(TableShape shape) {
    return new WriteOptions(
        shape.columns(),
        false,
        WriteOptions.Conflict.UPDATE,
        WriteOptions.Deletes.APPLY,
        BATCH_ROWS,
        BATCH_BYTES,
        FLUSH_INTERVAL,
        name);
  }

  private void close(String table) throws IOException, InterruptedException {
    OpenTable old = open.remove(table);
    if (old != null) {
      try (RowWriter writer = old.writer) {
        writer.flush();
      }
    }
  }

  @Override
  public void flush(boolean endOfInput) throws IOException, InterruptedException {
    for (OpenTable table : open.values()) {
      table.writer.flush();
    }
  }

  @Override
  public void close() {
    isClosed = true;
    open.values().forEach(table -> table.writer.close());
    warehouse.close();
  }

  private record OpenTable(TableShape shape, RowWriter writer) {}
}
