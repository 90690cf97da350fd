package io.sluiceway.flink.client;

import com.fasterxml.jackson.databind.JsonNode;
import io.sluiceway.flink.api.WarehouseException;
import io.sluiceway.flink.convert.RowBatch;
import io.sluiceway.flink.convert.RowBatchReader;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.apache.arrow.flight.FlightStream;
import org.apache.arrow.flight.Ticket;
import org.apache.flink.table.types.logical.RowType;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A DoGet stream of decoded batches: a scan or a changelog.
 *
 * <p>A thread of its own reads ahead by at most {@link #AHEAD} batches, so that {@link #next} can
 * be bounded, interrupted and woken. The connection stays its owner's.
 */
public final class BatchStream implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(BatchStream.class);
  private static final int AHEAD = 2;
  private static final long CLOSE_TIMEOUT_MS = 1_000;

  /**
   * One batch with what the server says of it.
   *
   * @param rows the rows; none in a heartbeat
   * @param next where to resume after this batch: a birth ordinal in a scan, an LSN in a changelog
   * @param published in a changelog the newest LSN that readers see, in a scan the snapshot's LSN
   * @param schemaChanged the changelog ends here because the table's schema changed: ask again
   */
  public record Chunk(RowBatch rows, long next, long published, boolean schemaChanged) {}

  private final Connection connection;
  private final StreamRequest request;
  private final RowBatchReader reader;
  private final Thread thread;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final Deque<Chunk> chunks = new ArrayDeque<>(AHEAD);
  private FlightStream stream;
  private WarehouseException failure;
  private boolean ended;
  private boolean closed;
  private boolean woken;

  private BatchStream(Connection connection, StreamRequest request, RowType type) {
    this.connection = connection;
    this.request = request;
    this.reader = new RowBatchReader(type, request.own());
    this.thread = new Thread(this::run, "sluiceway-stream");
    thread.setDaemon(true);
  }

  /**
   * Opens a stream; failures to do so come from {@link #next}.
   *
   * @param type the row type of the columns asked for, in that order
   */
  public static BatchStream open(Connection connection, StreamRequest request, RowType type) {
    BatchStream stream = new BatchStream(connection, request, type);
    stream.thread.start();
    return stream;
  }

  /**
   * The next batch, or null when none came in time, {@link #wakeUp} was called or the stream has
   * ended ({@link #isEnded}).
   *
   * @throws WarehouseException what ended the stream, after all batches before it
   */
  public Chunk next(Duration timeout) throws IOException, InterruptedException {
    long nanos = timeout.toNanos();
    lock.lockInterruptibly();
    try {
      while (chunks.isEmpty() && !ended && !woken && nanos > 0) {
        nanos = changed.awaitNanos(nanos);
      }
      woken = false;
      Chunk chunk = chunks.pollFirst();
      if (chunk == null && failure != null) {
        throw failure;
      }
      changed.signalAll();
      return chunk;
    } finally {
      lock.unlock();
    }
  }

  /** True when every batch has been taken and no more will come. */
  public boolean isEnded() {
    lock.lock();
    try {
      return ended && failure == null && chunks.isEmpty();
    } finally {
      lock.unlock();
    }
  }

  /** Lets a {@link #next} that is waiting, or the next one that would wait, return at once. */
  public void wakeUp() {
    lock.lock();
    try {
      woken = true;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private void run() {
    try {
      FlightStream opened = connection.client().getStream(new Ticket(request.ticket()));
      try {
        readAll(opened);
      } finally {
        release(opened);
      }
    } catch (Exception e) {
      end(connection.failure(e));
    } finally {
      end(null);
    }
  }

  private void readAll(FlightStream opened) throws IOException, InterruptedException {
    boolean more = publish(opened);
    while (more && opened.next()) {
      more = offer(chunk(opened));
    }
    end(null);
  }

  /** Frees what the stream holds; how it ended is known already. */
  private static void release(FlightStream opened) {
    try {
      opened.close();
    } catch (Exception e) {
      LOG.debug("Closing a stream", e);
    }
  }

  private Chunk chunk(FlightStream from) throws IOException {
    RowBatch rows = reader.read(from.getRoot());
    JsonNode metadata = Json.parse(from.getLatestMetadata());
    if (metadata == null) {
      throw new WarehouseException(
          "08P01", "[08P01] the server sent a batch without its position", false, null);
    }
    return new Chunk(
        rows,
        metadata.path("next").asLong(),
        metadata.path(metadata.has("published") ? "published" : "lsn").asLong(),
        metadata.path("schema_changed").asBoolean());
  }

  private boolean publish(FlightStream opened) {
    lock.lock();
    try {
      stream = opened;
      return !closed;
    } finally {
      lock.unlock();
    }
  }

  private boolean offer(Chunk chunk) throws InterruptedException {
    lock.lock();
    try {
      while (chunks.size() >= AHEAD && !closed) {
        changed.await();
      }
      if (!closed) {
        chunks.addLast(chunk);
        changed.signalAll();
      }
      return !closed;
    } finally {
      lock.unlock();
    }
  }

  private void end(WarehouseException cause) {
    lock.lock();
    try {
      if (!ended && !closed) {
        failure = cause;
      }
      ended = true;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Cancels the stream; returns within about a second. */
  @Override
  public void close() {
    FlightStream opened;
    lock.lock();
    try {
      closed = true;
      opened = stream;
      chunks.clear();
      changed.signalAll();
    } finally {
      lock.unlock();
    }
    if (opened != null) {
      opened.cancel("closed", null);
    }
    try {
      TimeUnit.MILLISECONDS.timedJoin(thread, CLOSE_TIMEOUT_MS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
