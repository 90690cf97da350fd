package io.sluiceway.flink.sink;

import io.sluiceway.flink.api.Retry;
import io.sluiceway.flink.api.TableDefinition;
import io.sluiceway.flink.api.WriteOptions;
import io.sluiceway.flink.client.FlightRowWriter;
import java.io.IOException;
import org.apache.flink.api.connector.sink2.Sink;
import org.apache.flink.api.connector.sink2.SinkWriter;
import org.apache.flink.api.connector.sink2.WriterInitContext;
import org.apache.flink.table.data.RowData;

/** Writes rows into a table. */
final class SluicewaySink implements Sink<RowData> {
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
  public SinkWriter<RowData> createWriter(WriterInitContext context) throws IOException {
    boolean all = written.length == table.columns().size();
    return new SluicewaySinkWriter(
        new FlightRowWriter(endpoint, retry, table, options),
        all ? null : written,
        Math.max(1, options.flushInterval().toMillis() / 2),
        context.getProcessingTimeService(),
        context.metricGroup());
  }
}
