package io.sluiceway.flink.client;

import io.sluiceway.flink.api.WarehouseException;
import io.sluiceway.flink.convert.OwnColumns;
import io.sluiceway.flink.convert.RowBatch;
import io.sluiceway.flink.convert.RowBatchReader;
import io.sluiceway.flink.convert.RowBatchWriter;
import java.util.Collection;
import java.util.Deque;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.TimeUnit;
import org.apache.arrow.flight.FlightClient;
import org.apache.arrow.flight.FlightDescriptor;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.types.logical.RowType;

/**
 * A DoExchange stream of look-ups: batches of keys go out, answers come back in their order.
 *
 * <p>{@link #ask} is used by one thread; futures complete on the stream's own thread. A future
 * never stays open: when the stream fails or is closed, all that wait fail. After a failure the
 * exchange is of no more use; open another.
 */
public final class LookupExchange implements AutoCloseable {
  private static final long READY_TIMEOUT_MS = 30_000;
  private static final long CLOSE_TIMEOUT_MS = 1_000;

  private final Connection connection;
  private final RowBatchWriter keys;
  private final RowBatchReader answers;
  private final FlightClient.ExchangeReaderWriter exchange;
  private final Deque<CompletableFuture<RowBatch>> waiting = new ConcurrentLinkedDeque<>();
  private final Thread thread;
  private volatile WarehouseException failure;
  private boolean started;

  private LookupExchange(
      Connection connection, LookupRequest request, RowType keyType, RowType rowType) {
    this.connection = connection;
    this.keys = new RowBatchWriter(keyType, false, connection.allocator());
    this.answers = new RowBatchReader(rowType, OwnColumns.POSITION);
    this.exchange = connection.client().doExchange(FlightDescriptor.command(request.command()));
    this.thread = new Thread(this::receive, "sluiceway-lookup");
    thread.setDaemon(true);
  }

  /**
   * Opens an exchange on a connection, which stays its owner's.
   *
   * @param keyType row type of {@code request.keys()}
   * @param rowType row type of {@code request.columns()}
   */
  public static LookupExchange open(
      Connection connection, LookupRequest request, RowType keyType, RowType rowType)
      throws WarehouseException {
    try {
      LookupExchange opened = new LookupExchange(connection, request, keyType, rowType);
      opened.thread.start();
      return opened;
    } catch (RuntimeException e) {
      throw connection.failure(e);
    }
  }

  /**
   * Sends a batch of keys.
   *
   * @return the rows found, in the order of the keys; {@link RowBatch#position} tells whose
   */
  public CompletableFuture<RowBatch> ask(Collection<? extends RowData> batch)
      throws InterruptedException {
    batch.forEach(keys::add);
    VectorSchemaRoot root = keys.finish();
    CompletableFuture<RowBatch> answer = new CompletableFuture<>();
    try {
      send(root, answer);
    } catch (WarehouseException e) {
      fail(e);
    } catch (InterruptedException e) {
      // The keys may not have left: from here on answers would go to the wrong questions.
      fail(connection.unreachable("interrupted"));
      throw e;
    } catch (RuntimeException e) {
      fail(connection.failure(e));
    } finally {
      root.clear();
    }
    return answer;
  }

  private void send(VectorSchemaRoot root, CompletableFuture<RowBatch> answer)
      throws WarehouseException, InterruptedException {
    waiting.addLast(answer);
    FlightClient.ClientStreamListener writer = exchange.getWriter();
    if (!started) {
      writer.start(root);
      started = true;
    }
    awaitReady(writer);
    writer.putNext();
  }

  private void awaitReady(FlightClient.ClientStreamListener writer)
      throws WarehouseException, InterruptedException {
    boolean inTime =
        connection.ready().await(() -> failure != null || writer.isReady(), READY_TIMEOUT_MS);
    if (failure != null) {
      throw failure;
    }
    if (!inTime) {
      throw connection.unreachable("it takes no keys since " + READY_TIMEOUT_MS + " ms");
    }
  }

  private void receive() {
    try {
      while (exchange.getReader().next()) {
        RowBatch rows = answers.read(exchange.getReader().getRoot());
        CompletableFuture<RowBatch> next = waiting.pollFirst();
        if (next == null) {
          throw new WarehouseException(
              "08P01", "[08P01] the server sent an answer that nobody asked for", false, null);
        }
        next.complete(rows);
      }
      fail(connection.unreachable("it ended the look-up"));
    } catch (Exception e) {
      fail(connection.failure(e));
    }
  }

  /** Fails all that wait; those that are added later see {@link #failure} and fail as well. */
  private void fail(WarehouseException cause) {
    if (failure == null) {
      failure = cause;
    }
    connection.ready().wake();
    for (CompletableFuture<RowBatch> next; (next = waiting.pollFirst()) != null; ) {
      next.completeExceptionally(failure);
    }
  }

  /** Why the exchange is of no more use, or null. */
  public WarehouseException failure() {
    return failure;
  }

  /** Cancels the exchange; returns within about a second. */
  @Override
  public void close() {
    fail(connection.unreachable("the look-up was closed"));
    exchange.getReader().cancel("closed", null);
    try {
      TimeUnit.MILLISECONDS.timedJoin(thread, CLOSE_TIMEOUT_MS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    keys.close();
  }
}
