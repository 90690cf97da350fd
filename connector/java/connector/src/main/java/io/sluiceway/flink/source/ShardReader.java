package io.sluiceway.flink.source;

import io.sluiceway.flink.api.Retry;
import io.sluiceway.flink.api.TableDefinition;
import io.sluiceway.flink.api.WarehouseException;
import io.sluiceway.flink.client.BatchStream;
import io.sluiceway.flink.client.Connection;
import io.sluiceway.flink.client.FlightWarehouse;
import io.sluiceway.flink.client.ShardList;
import io.sluiceway.flink.client.ShardPosition;
import io.sluiceway.flink.client.StreamRequest;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import org.apache.flink.connector.base.source.reader.splitreader.SplitReader;
import org.apache.flink.connector.base.source.reader.splitreader.SplitsChange;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads one shard: its snapshot, then its changelog.
 *
 * <p>While the server is away it asks again where the shard is and resumes at the position of the
 * last batch, as often as the table's options allow; each fetch returns within about a second.
 */
final class ShardReader implements SplitReader<ShardBatch, ShardSplit> {
  private static final Logger LOG = LoggerFactory.getLogger(ShardReader.class);
  private static final Duration WAIT = Duration.ofSeconds(1);
  private static final Retry ONCE = new Retry(1, Duration.ZERO, Duration.ZERO);
  private static final int HEARTBEAT_MS = 200;
  private static final String GONE = "55000";

  private final SourcePlan plan;
  private final Reconnect reconnect;
  private ShardSplit split;
  private Connection connection;
  private volatile BatchStream stream;
  private boolean schemaChanged;

  ShardReader(SourcePlan plan) {
    this.plan = plan;
    this.reconnect = new Reconnect(plan.read().retry());
  }

  @Override
  public void handleSplitsChanges(SplitsChange<ShardSplit> change) {
    split = change.splits().get(0);
  }

  @Override
  public ShardBatch fetch() throws IOException {
    try {
      return nextBatch();
    } catch (WarehouseException e) {
      disconnect();
      return afterFailure(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return ShardBatch.position(split);
    }
  }

  private ShardBatch afterFailure(WarehouseException failure) throws IOException {
    try {
      if (!reconnect.tryAgain(failure)) {
        throw new IOException(explain(failure), failure);
      }
      LOG.info("Resumes {} after: {}", split, failure.getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return ShardBatch.position(split);
  }

  private ShardBatch nextBatch() throws IOException, InterruptedException {
    if (stream == null) {
      open();
    }
    BatchStream.Chunk chunk = stream.next(WAIT);
    if (chunk == null) {
      return stream.isEnded() ? afterStream() : ShardBatch.position(split);
    }
    reconnect.succeeded();
    schemaChanged = chunk.schemaChanged();
    return split.isSnapshot() ? ofSnapshot(chunk) : ofChangelog(chunk);
  }

  private ShardBatch ofSnapshot(BatchStream.Chunk chunk) {
    int skipped = Math.min(split.emitted(), chunk.rows().rows());
    split = split.inSnapshot(chunk.next(), split.emitted() - skipped);
    return ShardBatch.of(chunk.rows(), skipped, true, split);
  }

  private ShardBatch ofChangelog(BatchStream.Chunk chunk) {
    split = split.inChangelog(chunk.next());
    return ShardBatch.of(chunk.rows(), 0, false, split);
  }

  /** The server has sent all that was asked for. */
  private ShardBatch afterStream() throws WarehouseException {
    if (split.isSnapshot()) {
      disconnect();
      if (plan.bounded()) {
        return ShardBatch.finished(split);
      }
      split = split.inChangelog(split.snapshotLsn() + 1);
    } else if (schemaChanged) {
      disconnect();
    } else {
      throw new WarehouseException(
          "57P03", "[57P03] the server ended the changelog: it is stopping", true, null);
    }
    return ShardBatch.position(split);
  }

  private void open() throws IOException {
    TableDefinition table = plan.table();
    Discovery.checkSameTable(plan, split.tableId());
    connection = Connection.to(location());
    stream = BatchStream.open(connection, request(table), plan.wanted());
    schemaChanged = false;
  }

  private String location() throws IOException {
    try (FlightWarehouse warehouse = FlightWarehouse.connect(plan.endpoint(), ONCE)) {
      ShardList shards = plan.shards(warehouse, null);
      Discovery.checkSameTable(plan, shards.tableId());
      return shards.shards().stream()
          .filter(position -> position.shard() == split.shard())
          .map(ShardPosition::locations)
          .filter(locations -> !locations.isEmpty())
          .findFirst()
          .orElseThrow(() -> new IOException("no server answers for shard " + split.shard()))
          .get(0);
    }
  }

  private StreamRequest request(TableDefinition table) {
    List<String> columns = plan.wanted().getFieldNames();
    return split.isSnapshot()
        ? new StreamRequest.Scan(
            table.database(),
            table.name(),
            table.id(),
            split.shard(),
            split.snapshotLsn(),
            columns,
            split.from(),
            split.hold(),
            plan.read().scanRows(),
            plan.partitions())
        : new StreamRequest.Changelog(
            table.database(),
            table.name(),
            table.id(),
            split.shard(),
            split.next(),
            null,
            columns,
            plan.read().changelogRows(),
            HEARTBEAT_MS);
  }

  private String explain(WarehouseException failure) {
    String text =
        "shard %d of %s: %s".formatted(split.shard(), plan.tableName(), failure.getMessage());
    if (!failure.sqlState().equals(GONE)) {
      return text;
    }
    return text
        + (split.isSnapshot()
            ? " (the snapshot that this job was reading is gone: start it without its old state)"
            : " (the job's position is older than the changelog that is kept: start the job without"
                + " its old state, and raise table_property.binlog.ttl)");
  }

  private void disconnect() {
    if (stream != null) {
      stream.close();
      stream = null;
    }
    if (connection != null) {
      connection.close();
      connection = null;
    }
  }

  @Override
  public void wakeUp() {
    reconnect.wakeUp();
    BatchStream waiting = stream;
    if (waiting != null) {
      waiting.wakeUp();
    }
  }

  @Override
  public void close() {
    disconnect();
  }
}
