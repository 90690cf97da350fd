package io.sluiceway.flink.source;

import io.sluiceway.flink.api.Retry;
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
 * <p>Each question has a connection of its own: there are few, and none is left open when the job's
 * class loader goes. Used by one thread, and at the end by the one that closes.
 */
final class Discovery {
  /** How long a snapshot outlives a streaming job, for a restart from a savepoint. */
  private static final Duration STREAM_LEASE = Duration.ofMinutes(30);

  /** How long it outlives a bounded one, which ends its lease itself unless it is killed. */
  private static final Duration BATCH_LEASE = Duration.ofMinutes(5);

  static final Duration RENEW_EVERY = Duration.ofMinutes(1);

  private static final String GONE = "55000";
  private static final Retry ONCE = new Retry(1, Duration.ZERO, Duration.ZERO);
  private static final Logger LOG = LoggerFactory.getLogger(Discovery.class);

  private final SourcePlan plan;
  private final String job;
  private final Duration lease;
  private volatile boolean ended;
  private volatile boolean released;

  Discovery(SourcePlan plan, String job) {
    this.plan = plan;
    this.job = job == null ? "job" : job;
    this.lease = plan.bounded() ? BATCH_LEASE : STREAM_LEASE;
  }

  /** Chooses where each shard is read from, and takes a lease when that is a snapshot. */
  EnumeratorState discover() throws IOException {
    try (FlightWarehouse warehouse = connect()) {
      return plan.bounded() || plan.read().startup() == Startup.INITIAL
          ? atSnapshot(warehouse)
          : inChangelog(warehouse);
    }
  }

  private EnumeratorState atSnapshot(FlightWarehouse warehouse) throws IOException {
    String name = "flink/%s/%s/%s".formatted(job, plan.tableName(), UUID.randomUUID());
    int tableId = plan.table().id();
    long lsn = warehouse.hold(name, plan.read().snapshotLsn(), lease);
    ShardList shards = shards(warehouse, null);
    return state(
        shards, name, lsn, shard -> ShardSplit.ofSnapshot(tableId, shard.shard(), name, lsn));
  }

  private EnumeratorState inChangelog(FlightWarehouse warehouse) throws IOException {
    int tableId = plan.table().id();
    boolean earliest = plan.read().startup() == Startup.EARLIEST_OFFSET;
    ShardList shards = shards(warehouse, earliest ? null : plan.read().startMicros());
    return state(
        shards,
        null,
        0,
        shard ->
            ShardSplit.ofChangelog(
                tableId, shard.shard(), earliest ? shard.oldest() : shard.atTime()));
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
    try (FlightWarehouse warehouse = connect()) {
      warehouse.hold(name, lsn, lease);
    } catch (IOException e) {
      LOG.warn(
          "Cannot renew the lease on the snapshot of {}: {}", plan.tableName(), e.getMessage());
      ended = e instanceof WarehouseException failure && failure.sqlState().equals(GONE);
    }
    return !ended;
  }

  /** Ends the lease, or lets it expire when the server is away; later renewals do nothing. */
  boolean release(String name) {
    return release(name, plan.read().retry());
  }

  /** As {@link #release}, without waiting for a server that is away: for a job that ends. */
  void releaseOnce(String name) {
    if (!released) {
      release(name, ONCE);
    }
  }

  private boolean release(String name, Retry retry) {
    ended = true;
    try (FlightWarehouse warehouse = FlightWarehouse.connect(plan.endpoint(), retry)) {
      warehouse.release(name);
      released = true;
    } catch (IOException e) {
      LOG.warn("Leaves the lease on the snapshot of {}: {}", plan.tableName(), e.getMessage());
    }
    return true;
  }

  private ShardList shards(FlightWarehouse warehouse, Long timeMicros) throws IOException {
    ShardList shards = plan.shards(warehouse, timeMicros);
    checkSameTable(plan, shards.tableId());
    return shards;
  }

  /** Refuses a table that was dropped and created again since the job was planned. */
  static void checkSameTable(SourcePlan plan, int tableId) throws WarehouseException {
    if (tableId != plan.table().id()) {
      throw new WarehouseException(
          "40001",
          "[40001] %s is another table now (ids %d, %d): start the job without its old state"
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

  private FlightWarehouse connect() throws IOException {
    return FlightWarehouse.connect(plan.endpoint(), plan.read().retry());
  }
}
