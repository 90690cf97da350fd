package io.sluiceway.flink.sink;

import io.sluiceway.flink.api.Retry;
import io.sluiceway.flink.api.TableDefinition;
import io.sluiceway.flink.api.WriteOptions;
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

/** Writes rows into a table. Before images do not come, or mean nothing, so it has no state. */
class SluicewaySink implements Sink<RowData> {
  private static final long serialVersionUID = 1;

  private final String endpoint;
  private final Retry retry;
  private final TableDefinition table;
  private final int[] written;
  private final WriteOptions options;

  /**
   * A sink.
   *
   * @param written positions of {@code options.columns()} in a row, which has all columns
   */
  SluicewaySink(
      String endpoint, Retry retry, TableDefinition table, int[] written, WriteOptions options) {
    this.endpoint = endpoint;
    this.retry = retry;
    this.table = table;
    this.written = written.clone();
    this.options = options;
  }

  @Override
  public SluicewaySinkWriter createWriter(WriterInitContext context) throws IOException {
    return writer(context, null, new HeldUpdates(0, false));
  }

  final SluicewaySinkWriter writer(WriterInitContext context, RowKeys keys, HeldUpdates held)
      throws IOException {
    boolean all = written.length == table.columns().size();
    return new SluicewaySinkWriter(
        new FlightRowWriter(endpoint, retry, table, options),
        all ? null : written,
        keys,
        held,
        context.getTaskInfo().getNumberOfParallelSubtasks(),
        tickMs(),
        context.getProcessingTimeService(),
        context.metricGroup());
  }

  final long tickMs() {
    return Math.max(1, options.flushInterval().toMillis() / 2);
  }

  /** A sink to which before images come: those that wait are its state. */
  static final class Holding extends SluicewaySink
      implements SupportsWriterState<RowData, WriterState> {
    private static final long serialVersionUID = 1;

    private final TableDefinition table;
    private final List<String> columns;
    private final Duration wait;
    private final boolean deletesToo;

    /**
     * A sink that waits.
     *
     * @param wait how long a before image waits for its after image
     * @param deletesToo whether a delete waits too: it may be the first half of an update
     */
    Holding(
        String endpoint,
        Retry retry,
        TableDefinition table,
        int[] written,
        WriteOptions options,
        Duration wait,
        boolean deletesToo) {
      super(endpoint, retry, table, written, options);
      this.table = table;
      this.columns = options.columns();
      this.wait = wait;
      this.deletesToo = deletesToo;
    }

    @Override
    public SluicewaySinkWriter createWriter(WriterInitContext context) throws IOException {
      return restoreWriter(context, List.of());
    }

    @Override
    public SluicewaySinkWriter restoreWriter(
        WriterInitContext context, Collection<WriterState> states) throws IOException {
      int parallelism = context.getTaskInfo().getNumberOfParallelSubtasks();
      HeldUpdates held = new HeldUpdates(wait.toMillis() / tickMs(), deletesToo);
      for (WriterState state : states) {
        state.held().forEach(state.parallelism() == parallelism ? held::hold : held::holdNoLonger);
      }
      return writer(context, new RowKeys(table, columns), held);
    }

    @Override
    public SimpleVersionedSerializer<WriterState> getWriterStateSerializer() {
      return WriterStateSerializer.INSTANCE;
    }
  }
}
