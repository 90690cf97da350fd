package io.sluiceway.flink.sink;

import io.sluiceway.flink.api.RowWriter;
import java.io.IOException;
import java.util.List;
import org.apache.flink.api.common.operators.ProcessingTimeService;
import org.apache.flink.api.connector.sink2.StatefulSinkWriter;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.groups.SinkWriterMetricGroup;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.binary.BinaryRowData;
import org.apache.flink.table.data.utils.ProjectedRowData;

/**
 * Hands a task's rows to a {@link RowWriter}, and tells it of before images that stay alone as
 * deletes.
 *
 * <p>All methods and the timer that sends waiting rows run in the task's thread. A failure there
 * fails the task.
 */
final class SluicewaySinkWriter implements StatefulSinkWriter<RowData, WriterState> {
  private final RowWriter writer;
  private final ProjectedRowData projection;
  private final RowKeys keys;
  private final HeldUpdates held;
  private final int parallelism;
  private final long tickMs;
  private final ProcessingTimeService time;
  private final Counter sent;
  private final Counter failed;
  private boolean closed;

  /**
   * A writer, whose timer starts at once.
   *
   * @param written positions of the columns to write, or null for all
   * @param keys of the rows that are written, or null where before images mean nothing
   */
  SluicewaySinkWriter(
      RowWriter writer,
      int[] written,
      RowKeys keys,
      HeldUpdates held,
      int parallelism,
      long tickMs,
      ProcessingTimeService time,
      SinkWriterMetricGroup metrics) {
    this.writer = writer;
    this.projection = written == null ? null : ProjectedRowData.from(written);
    this.keys = keys;
    this.held = held;
    this.parallelism = parallelism;
    this.tickMs = tickMs;
    this.time = time;
    this.sent = metrics.getNumRecordsSendCounter();
    this.failed = metrics.getNumRecordsSendErrorsCounter();
    tickLater();
  }

  @Override
  public void write(RowData row, Context context) throws IOException, InterruptedException {
    RowData wanted = projection == null ? row : projection.replaceRow(row);
    if (keys != null && held.takes(wanted.getRowKind())) {
      held.hold(keys.of(wanted));
      return;
    }
    if (!held.isEmpty()) {
      held.settle(keys.of(wanted));
    }
    send(wanted);
  }

  private void send(RowData row) throws IOException, InterruptedException {
    try {
      writer.write(row);
      sent.inc();
    } catch (IOException e) {
      failed.inc();
      throw e;
    }
  }

  @Override
  public void flush(boolean endOfInput) throws IOException, InterruptedException {
    if (endOfInput) {
      delete(held.drain());
    }
    writer.flush();
  }

  @Override
  public List<WriterState> snapshotState(long checkpointId) {
    return List.of(new WriterState(parallelism, held.keys()));
  }

  private void tickLater() {
    time.registerTimer(time.getCurrentProcessingTime() + tickMs, at -> tick());
  }

  private void tick() throws IOException, InterruptedException {
    if (!closed) {
      delete(held.tick());
      writer.tick();
      tickLater();
    }
  }

  private void delete(List<BinaryRowData> alone) throws IOException, InterruptedException {
    for (BinaryRowData key : alone) {
      send(keys.deletion(key));
    }
  }

  @Override
  public void close() {
    closed = true;
    writer.close();
  }
}
