package io.sluiceway.flink.lookup;

import io.sluiceway.flink.api.Retry;
import io.sluiceway.flink.api.TableDefinition;
import io.sluiceway.flink.api.WarehouseException;
import io.sluiceway.flink.client.Backoff;
import io.sluiceway.flink.client.Connection;
import io.sluiceway.flink.client.Failures;
import io.sluiceway.flink.client.FlightWarehouse;
import io.sluiceway.flink.client.LookupExchange;
import io.sluiceway.flink.client.ShardPosition;
import io.sluiceway.flink.convert.RowBatch;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.flink.table.data.RowData;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks rows up over one connection, at a reading process where there is one.
 *
 * <p>One thread takes all keys that wait, asks for them in one batch, hands the rows out and takes
 * what has come in meanwhile. Every future completes, also when the client is closed. While a
 * process does not answer, the next of the table's locations is asked, the last one at the end.
 */
final class LookupClient implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(LookupClient.class);
  private static final long CLOSE_TIMEOUT_MS = 3_000;
  private static final Duration TIMEOUT = Duration.ofSeconds(30);
  private static final Retry ONCE = new Retry(1, Duration.ZERO, Duration.ZERO);

  private record Waiting(RowData keyRow, CompletableFuture<Collection<RowData>> rows) {}

  private final LookupPlan plan;
  private final Answers answers;
  private final BlockingQueue<Waiting> queue = new LinkedBlockingQueue<>();
  private final Thread thread;
  private volatile boolean closed;
  private Connection connection;
  private LookupExchange exchange;
  private int failures;

  LookupClient(LookupPlan plan) {
    this.plan = plan;
    this.answers = new Answers(plan);
    this.thread = new Thread(this::run, "sluiceway-lookup " + plan.table().name());
    thread.setDaemon(true);
    thread.start();
  }

  /** The rows of a key: one or none. The key must not change before the future completes. */
  CompletableFuture<Collection<RowData>> find(RowData keyRow) {
    if (!answers.canMatch(keyRow)) {
      return CompletableFuture.completedFuture(List.of());
    }
    Waiting waiting = new Waiting(keyRow, new CompletableFuture<>());
    queue.add(waiting);
    if (closed) {
      failAll();
    }
    return waiting.rows();
  }

  private void run() {
    List<Waiting> batch = new ArrayList<>();
    try {
      while (!closed) {
        batch.add(queue.take());
        queue.drainTo(batch, plan.options().batchRows() - 1);
        serve(batch);
        batch.clear();
      }
    } catch (InterruptedException e) {
      batch.forEach(waiting -> waiting.rows().completeExceptionally(ended()));
    } finally {
      disconnect();
    }
  }

  private void serve(List<Waiting> batch) throws InterruptedException {
    List<RowData> keyRows = batch.stream().map(Waiting::keyRow).toList();
    try {
      List<Collection<RowData>> found = answers.sort(askPatiently(keyRows), keyRows);
      for (int i = 0; i < found.size(); i++) {
        batch.get(i).rows().complete(found.get(i));
      }
    } catch (IOException | RuntimeException e) {
      batch.forEach(waiting -> waiting.rows().completeExceptionally(e));
    }
  }

  private RowBatch askPatiently(List<RowData> keyRows) throws IOException, InterruptedException {
    Backoff backoff = new Backoff(plan.options().retry());
    while (true) {
      try {
        RowBatch found = ask(keyRows);
        failures = 0;
        return found;
      } catch (WarehouseException e) {
        disconnect();
        failures++;
        if (!Failures.isAway(e) || !backoff.pause()) {
          throw e;
        }
        LOG.info("Looks {} keys up again after: {}", keyRows.size(), e.getMessage());
      }
    }
  }

  private RowBatch ask(List<RowData> keyRows) throws IOException, InterruptedException {
    if (exchange == null) {
      connection = Connection.to(location());
      exchange = LookupExchange.open(connection, plan.request(), plan.keyType(), plan.rowType());
    }
    Duration timeout = plan.options().timeout();
    long timeoutMs = (timeout == null ? TIMEOUT : timeout).toMillis();
    try {
      return exchange
          .ask(keyRows.stream().map(answers::primaryKey).toList())
          .get(timeoutMs, TimeUnit.MILLISECONDS);
    } catch (ExecutionException e) {
      throw e.getCause() instanceof WarehouseException failure
          ? failure
          : new WarehouseException("XX000", String.valueOf(e.getCause()), false, e.getCause());
    } catch (TimeoutException e) {
      throw new WarehouseException(
          "08006",
          "[08006] %s has not answered %d look-ups for %d ms"
              .formatted(connection.endpoint(), keyRows.size(), timeoutMs),
          true,
          e);
    }
  }

  /** Where to look up: each client begins with the locations of another shard. */
  private String location() throws IOException {
    try (FlightWarehouse warehouse = FlightWarehouse.connect(plan.endpoint(), ONCE)) {
      TableDefinition table = plan.table();
      List<ShardPosition> shards =
          warehouse.shards(table.database(), table.name(), null, null).shards();
      List<String> locations =
          shards.get(ThreadLocalRandom.current().nextInt(shards.size())).locations();
      return locations.get(Math.min(failures, locations.size() - 1));
    }
  }

  private void disconnect() {
    if (exchange != null) {
      exchange.close();
      exchange = null;
    }
    if (connection != null) {
      connection.close();
      connection = null;
    }
  }

  private void failAll() {
    for (Waiting waiting; (waiting = queue.poll()) != null; ) {
      waiting.rows().completeExceptionally(ended());
    }
  }

  private IllegalStateException ended() {
    return new IllegalStateException("the look-up of %s is closed".formatted(plan.table().name()));
  }

  /** Ends the thread and the connection; returns within a few seconds. */
  @Override
  public void close() {
    closed = true;
    thread.interrupt();
    try {
      TimeUnit.MILLISECONDS.timedJoin(thread, CLOSE_TIMEOUT_MS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    failAll();
  }
}
