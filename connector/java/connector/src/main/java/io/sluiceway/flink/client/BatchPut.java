package io.sluiceway.flink.client;

import io.sluiceway.flink.api.Retry;
import io.sluiceway.flink.api.WarehouseException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.VectorUnloader;
import org.apache.arrow.vector.ipc.message.ArrowRecordBatch;
import org.apache.arrow.vector.types.pojo.Schema;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends batches to one table, a few of them under way at a time.
 *
 * <p>Invariant: {@link #pending} holds, oldest first, exactly the batches that were handed to
 * {@link #send} and not acknowledged. When the server goes away, a new stream is opened and all of
 * them are sent again in their order, which is right for a table with a primary key: the same rows
 * end up under the same keys. Without a key that could write rows twice, so the failure is thrown
 * instead. Used by one thread.
 */
final class BatchPut implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(BatchPut.class);
  private static final Duration ACKNOWLEDGE_TIMEOUT = Duration.ofSeconds(120);

  private final String endpoint;
  private final WriteRequest request;
  private final Schema schema;
  private final int window;
  private final boolean repeatable;
  private final BufferAllocator allocator;
  private final Backoff backoff;
  private final Deque<ArrowRecordBatch> pending = new ArrayDeque<>();
  private PutSession session;
  private Acknowledgement last = Acknowledgement.NONE;

  /**
   * Makes a sender; nothing is opened yet.
   *
   * @param window how many batches may be under way
   * @param repeatable true when a batch may be applied twice without harm
   */
  BatchPut(
      String endpoint,
      Retry retry,
      WriteRequest request,
      Schema schema,
      int window,
      boolean repeatable,
      BufferAllocator allocator) {
    this.endpoint = endpoint;
    this.request = request;
    this.schema = schema;
    this.window = window;
    this.repeatable = repeatable;
    this.allocator = allocator;
    this.backoff = new Backoff(retry);
  }

  /**
   * Sends what is in {@code root}, which the caller may clear afterwards. Waits while the window is
   * full.
   */
  void send(VectorSchemaRoot root) throws IOException, InterruptedException {
    settle();
    while (pending.size() >= window) {
      awaitOne();
    }
    openIfNeeded();
    pending.addLast(new VectorUnloader(root).getRecordBatch());
    try {
      session.put(pending.getLast());
    } catch (WarehouseException e) {
      recover(e);
    }
  }

  /**
   * Takes what the server has said so far: acknowledgements, or why the stream ended. Waits for
   * nothing but a server that went away.
   */
  void check() throws IOException, InterruptedException {
    settle();
    if (session != null && !pending.isEmpty() && session.failure() != null) {
      recover(session.failure());
    }
  }

  /** Returns when every batch is durable. */
  void awaitAll() throws IOException, InterruptedException {
    while (!pending.isEmpty()) {
      awaitOne();
    }
  }

  /** The newest acknowledgement. */
  Acknowledgement last() {
    return last;
  }

  private void openIfNeeded() throws IOException, InterruptedException {
    if (session != null && pending.isEmpty() && session.failure() != null) {
      closeSession();
    }
    while (session == null) {
      try {
        session = new PutSession(endpoint, request, schema, allocator);
      } catch (WarehouseException e) {
        pauseOrThrow(e);
      }
    }
  }

  private void awaitOne() throws IOException, InterruptedException {
    try {
      acknowledged(session.await(ACKNOWLEDGE_TIMEOUT));
    } catch (WarehouseException e) {
      recover(e);
    }
  }

  /** Takes the acknowledgements that are there already. */
  private void settle() {
    while (session != null && !pending.isEmpty()) {
      Acknowledgement next = session.poll();
      if (next == null) {
        return;
      }
      acknowledged(next);
    }
  }

  private void acknowledged(Acknowledgement next) {
    pending.removeFirst().close();
    last = next;
    backoff.reset();
  }

  /** Opens a new stream and sends again what was not acknowledged, or throws. */
  private void recover(WarehouseException failure) throws IOException, InterruptedException {
    WarehouseException cause = failure;
    settle();
    while (true) {
      if (!repeatable || !Failures.isAway(cause)) {
        throw cause;
      }
      closeSession();
      pauseOrThrow(cause);
      LOG.info("Sends {} batches again to {}: {}", pending.size(), endpoint, cause.getMessage());
      try {
        session = new PutSession(endpoint, request, schema, allocator);
        for (ArrowRecordBatch batch : new ArrayList<>(pending)) {
          session.put(batch);
        }
        return;
      } catch (WarehouseException e) {
        cause = e;
      }
    }
  }

  private void pauseOrThrow(WarehouseException failure) throws IOException, InterruptedException {
    if (!Failures.isAway(failure) || !backoff.pause()) {
      throw failure;
    }
  }

  private void closeSession() {
    if (session != null) {
      session.close();
      session = null;
    }
  }

  @Override
  public void close() {
    closeSession();
    pending.forEach(ArrowRecordBatch::close);
    pending.clear();
  }
}
