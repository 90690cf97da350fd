package io.sluiceway.flink.sink;

import io.sluiceway.flink.api.Retry;
import io.sluiceway.flink.api.TableDefinition;
import io.sluiceway.flink.api.WriteOptions;
import io.sluiceway.flink.api.WriteOptions.Deletes;
import io.sluiceway.flink.client.FlightRowWriter;
import java.io.IOException;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import org.apache.flink.api.connector.sink2.Sink;
import org.apache.flink.api.connector.sink2.SupportsWriterState;
import org.apache.flink.api.connector.sink2.WriterInitContext;
import org.apache.flink.core.io.SimpleVersionedSerializer;
import org.apache.flink.table.data.RowData;

/** Writes rows into a table. Before images do not come, so it has no state. */
class SluicewaySink implements Sink<RowData> {
  private static final long serialVersionUID = 1;

  private final String endpoint;
  private final Retry retry;
  private final TableDefinition table;
  private final int[] written;
  private final WriteOptions options;
  private final Duration beforeWait;
  private final boolean holdsDeletes;

  /**
   * A sink.
   *
   * @param written positions of {@code options.columns()} in a row, which has all columns
   * @param beforeWait how long a before image waits for its after image
   * @param holdsDeletes whether a delete waits too: it may be the first half of an update
   */
  SluicewaySink(
      String endpoint,
      Retry retry,
      TableDefinition table,
      int[] written,
      WriteOptions options,
      Duration beforeWait,
      boolean holdsDeletes) {
    this.endpoint = endpoint;
    this.retry = retry;
    this.table = table;
    this.written = written.clone();
    this.options = options;
    this.beforeWait = beforeWait;
    this.holdsDeletes = holdsDeletes;
  }

  @Override
  public SluicewaySinkWriter createWriter(WriterInitContext context) throws IOException {
    return writer(context, List.of());
  }

  final SluicewaySinkWriter writer(WriterInitContext context, Collection<WriterState> states)
      throws IOException {
    long tickMs = Math.max(1, options.flushInterval().toMillis() / 2);
    int parallelism = context.getTaskInfo().getNumberOfParallelSubtasks();
    HeldUpdates held = new HeldUpdates(beforeWait.toMillis() / tickMs, holdsDeletes);
    for (WriterState state : states) {
      state.held().forEach(state.parallelism() == parallelism ? held::hold : held::holdNoLonger);
    }
    boolean all = written.length == table.columns().size();
    return new SluicewaySinkWriter(
        new FlightRowWriter(endpoint, retry, table, options),
        all ? null : written,
        dropsBeforeImages() ? null : new RowKeys(table, options.columns()),
        held,
        parallelism,
        tickMs,
        context.getProcessingTimeService(),
        context.metricGroup());
  }

  /** Where a delete leaves the row, so does a before image. */
  private boolean dropsBeforeImages() {
    return table.primaryKey().isEmpty() || options.deletes() == Deletes.IGNORE;
  }

  /** A sink to which before images come: those that wait are its state. */
  static final class Holding extends SluicewaySink
      implements SupportsWriterState<RowData, WriterState> {
    private static final long serialVersionUID = 1;

    Holding(
        String endpoint,
        Retry retry,
        TableDefinition table,
        int[] written,
        WriteOptions options,
        Duration beforeWait,
        boolean holdsDeletes) {
      super(endpoint, retry, table, written, options, beforeWait, holdsDeletes);
    }

    @Override
    public SluicewaySinkWriter restoreWriter(
        WriterInitContext context, Collection<WriterState> states) throws IOException {
      return writer(context, states);
    }

    @Override
    public SimpleVersionedSerializer<WriterState> getWriterStateSerializer() {
      return WriterStateSerializer.INSTANCE;
    }
  }
}
