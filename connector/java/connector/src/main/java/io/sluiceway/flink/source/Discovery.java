package io.sluiceway.flink.source;

import io.sluiceway.flink.api.WarehouseException;
import io.sluiceway.flink.client.FlightWarehouse;
import io.sluiceway.flink.client.ShardList;
import io.sluiceway.flink.client.ShardPosition;
import io.sluiceway.flink.options.ReadOptions.Startup;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the enumerator asks the server: where to start, and the lease on the snapshot.
 *
 * <p>Used by one thread, closed by another.
 */
final class Discovery implements AutoCloseable {
  /** How long a snapshot outlives its job, for a restart from a savepoint. */
  static final Duration LEASE = Duration.ofMinutes(30);

  static final Duration RENEW_EVERY = Duration.ofMinutes(2);

  private static final String GONE = "55000";
  private static final Logger LOG = LoggerFactory.getLogger(Discovery.class);

  private final SourcePlan plan;
  private final String job;
  private FlightWarehouse warehouse;
  private boolean closed;
  private boolean ended;

  Discovery(SourcePlan plan, String job) {
    this.plan = plan;
    this.job = job == null ? "job" : job;
  }

  /** Chooses where each shard is read from, and takes a lease when that is a snapshot. */
  EnumeratorState discover() throws IOException {
    if (plan.bounded() || plan.read().startup() == Startup.INITIAL) {
      String name = "flink/%s/%s/%s".formatted(job, plan.tableName(), UUID.randomUUID());
      long lsn = warehouse().hold(name, null, LEASE);
      return state(
          shards(null),
          name,
          lsn,
          shard -> ShardSplit.ofSnapshot(plan.table().id(), shard.shard(), name, lsn));
    }
    boolean earliest = plan.read().startup() == Startup.EARLIEST_OFFSET;
    return state(
        shards(earliest ? null : plan.read().startMicros()),
        null,
        0,
        shard ->
            ShardSplit.ofChangelog(
                plan.table().id(), shard.shard(), earliest ? shard.oldest() : shard.atTime()));
  }

  /**
   * Renews the lease, unless it has ended.
   *
   * <p>No failure here fails the job: the lease outlasts many of them, and after a restart it may
   * be one that no reader needs any more. A reader that does need one that has expired is refused.
   */
  boolean renew(String name, long lsn) {
    if (ended) {
      return false;
    }
    try {
      warehouse().hold(name, lsn, LEASE);
    } catch (IOException e) {
      LOG.warn(
          "Cannot renew the lease on the snapshot of {}: {}", plan.tableName(), e.getMessage());
      ended = e instanceof WarehouseException failure && failure.sqlState().equals(GONE);
    }
    return !ended;
  }

  /** Ends the lease, or lets it expire when the server is away; later renewals do nothing. */
  boolean release(String name) {
    ended = true;
    try {
      warehouse().release(name);
    } catch (IOException e) {
      LOG.warn("Leaves the lease on the snapshot of {}: {}", plan.tableName(), e.getMessage());
    }
    return true;
  }

  private ShardList shards(Long timeMicros) throws IOException {
    ShardList shards = warehouse().shards(plan.table().database(), plan.table().name(), timeMicros);
    checkSameTable(plan, shards.tableId());
    return shards;
  }

  /** Refuses a table that was dropped and created again since the job was planned. */
  static void checkSameTable(SourcePlan plan, int tableId) throws WarehouseException {
    if (tableId != plan.table().id()) {
      throw new WarehouseException(
          "40001",
          "[40001] %s is another table now (id %d, planned with id %d): submit the job again, without its old state"
              .formatted(plan.tableName(), tableId, plan.table().id()),
          false,
          null);
    }
  }

  private static EnumeratorState state(
      ShardList shards, String hold, long lsn, Function<ShardPosition, ShardSplit> start) {
    List<ShardSplit> splits = shards.shards().stream().map(start).toList();
    return new EnumeratorState(splits.size(), hold, lsn, splits);
  }

  private FlightWarehouse warehouse() throws IOException {
    synchronized (this) {
      if (warehouse != null) {
        return warehouse;
      }
    }
    FlightWarehouse connected = FlightWarehouse.connect(plan.endpoint(), plan.read().retry());
    synchronized (this) {
      if (closed) {
        connected.close();
        throw new IOException("the enumerator of %s is closed".formatted(plan.tableName()));
      }
      warehouse = connected;
      return connected;
    }
  }

  @Override
  public synchronized void close() {
    closed = true;
    if (warehouse != null) {
      warehouse.close();
    }
  }
}
