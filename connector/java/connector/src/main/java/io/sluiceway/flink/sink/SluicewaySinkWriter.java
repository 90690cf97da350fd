package io.sluiceway.flink.sink;

import io.sluiceway.flink.api.RowWriter;
import java.io.IOException;
import org.apache.flink.api.common.operators.ProcessingTimeService;
import org.apache.flink.api.connector.sink2.SinkWriter;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.groups.SinkWriterMetricGroup;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.utils.ProjectedRowData;

/**
 * Hands a task's rows to a {@link RowWriter}.
 *
 * <p>All methods and the timer that sends waiting rows run in the task's thread. A failure there
 * fails the task.
 */
final class SluicewaySinkWriter implements SinkWriter<RowData> {
  private final RowWriter writer;
  private final ProjectedRowData projection;
  private final long tickMs;
  private final ProcessingTimeService time;
  private final Counter sent;
  private final Counter failed;
  private boolean closed;

  /**
   * A writer, whose timer starts at once.
   *
   * @param written positions of the columns to write, or null for all
   */
  SluicewaySinkWriter(
      RowWriter writer,
      int[] written,
      long tickMs,
      ProcessingTimeService time,
      SinkWriterMetricGroup metrics) {
    this.writer = writer;
    this.projection = written == null ? null : ProjectedRowData.from(written);
    this.tickMs = tickMs;
    this.time = time;
    this.sent = metrics.getNumRecordsSendCounter();
    this.failed = metrics.getNumRecordsSendErrorsCounter();
    tickLater();
  }

  @Override
  public void write(RowData row, Context context) throws IOException, InterruptedException {
    try {
      writer.write(projection == null ? row : projection.replaceRow(row));
      sent.inc();
    } catch (IOException e) {
      failed.inc();
      throw e;
    }
  }

  @Override
  public void flush(boolean endOfInput) throws IOException, InterruptedException {
    writer.flush();
  }

  private void tickLater() {
    time.registerTimer(time.getCurrentProcessingTime() + tickMs, at -> tick());
  }

  private void tick() throws IOException, InterruptedException {
    if (!closed) {
      writer.tick();
      tickLater();
    }
  }

  @Override
  public void close() {
    closed = true;
    writer.close();
  }
}
