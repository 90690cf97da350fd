package io.sluiceway.flink.client;

import com.fasterxml.jackson.databind.JsonNode;
import io.sluiceway.flink.api.WarehouseException;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.arrow.flight.FlightClient;
import org.apache.arrow.flight.FlightDescriptor;
import org.apache.arrow.flight.PutResult;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.VectorLoader;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.ipc.message.ArrowRecordBatch;
import org.apache.arrow.vector.types.pojo.Schema;

/**
 * One DoPut stream on a connection of its own. It never recovers: after a failure every call throws
 * that failure.
 */
final class PutSession implements FlightClient.PutListener, AutoCloseable {
  private static final long READY_TIMEOUT_MS = 60_000;
  private static final long GOODBYE_MS = 1_000;

  /** Wakes the waiting thread when there is a failure and no acknowledgement. */
  private static final Acknowledgement FAILED = new Acknowledgement(-1, 0, 0);

  private final Connection connection;
  private final VectorSchemaRoot root;
  private final VectorLoader loader;
  private final FlightClient.ClientStreamListener stream;
  private final BlockingQueue<Acknowledgement> acknowledgements = new LinkedBlockingQueue<>();
  private volatile WarehouseException failure;
  private int unacknowledged;

  PutSession(String endpoint, WriteRequest request, Schema schema, BufferAllocator allocator)
      throws WarehouseException {
    this.connection = Connection.to(endpoint);
    this.root = VectorSchemaRoot.create(schema, allocator);
    this.loader = new VectorLoader(root);
    try {
      this.stream =
          connection.client().startPut(FlightDescriptor.command(request.command()), root, this);
      stream.setUseZeroCopy(true);
    } catch (RuntimeException e) {
      WarehouseException known = connection.failure(e);
      root.close();
      connection.close();
      throw known;
    }
  }

  /** Sends a batch, which stays the caller's. */
  void put(ArrowRecordBatch batch) throws WarehouseException, InterruptedException {
    awaitReady();
    try {
      loader.load(batch);
      stream.putNext();
      unacknowledged++;
    } catch (RuntimeException e) {
      throw failure != null ? failure : connection.failure(e);
    } finally {
      root.clear();
    }
  }

  private void awaitReady() throws WarehouseException, InterruptedException {
    boolean inTime =
        connection.ready().await(() -> failure != null || stream.isReady(), READY_TIMEOUT_MS);
    if (failure != null) {
      throw failure;
    }
    if (!inTime) {
      throw connection.unreachable("it takes no data since " + READY_TIMEOUT_MS + " ms");
    }
  }

  /** Waits for the next acknowledgement. */
  Acknowledgement await(Duration timeout) throws WarehouseException, InterruptedException {
    Acknowledgement next = acknowledgements.poll(timeout.toMillis(), TimeUnit.MILLISECONDS);
    if (next == null) {
      throw connection.unreachable("a batch was not acknowledged within " + timeout);
    }
    if (next == FAILED) {
      acknowledgements.add(FAILED);
      throw failure;
    }
    unacknowledged--;
    return next;
  }

  /** An acknowledgement that has arrived, or null. */
  Acknowledgement poll() {
    Acknowledgement next = acknowledgements.peek();
    if (next == null || next == FAILED) {
      return null;
    }
    unacknowledged--;
    return acknowledgements.poll();
  }

  /** What ended the stream, or null. */
  WarehouseException failure() {
    return failure;
  }

  @Override
  public void onNext(PutResult result) {
    try {
      JsonNode json = Json.parse(result.getApplicationMetadata());
      if (json.has("error")) {
        fail(connection.failure(json.get("error")));
        return;
      }
      acknowledgements.add(
          new Acknowledgement(
              json.path("lsn").asLong(), json.path("rows").asLong(), json.path("events").asLong()));
    } catch (IOException e) {
      fail(connection.failure(e));
    }
  }

  @Override
  public void onError(Throwable error) {
    fail(connection.failure(error));
  }

  @Override
  public void onCompleted() {
    fail(connection.unreachable("it ended the stream"));
  }

  @Override
  public void getResult() {
    // Nobody blocks on Flight's own future: acknowledgements are awaited one by one.
  }

  private void fail(WarehouseException cause) {
    if (failure == null) {
      failure = cause;
    }
    acknowledgements.add(FAILED);
    connection.ready().wake();
  }

  @Override
  public void close() {
    if (failure == null && unacknowledged == 0) {
      sayGoodbye();
    }
    connection.close();
    root.close();
  }

  /** Ends a stream that owes nothing, so that the server does not see it as broken. */
  private void sayGoodbye() {
    try {
      stream.completed();
      acknowledgements.poll(GOODBYE_MS, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
