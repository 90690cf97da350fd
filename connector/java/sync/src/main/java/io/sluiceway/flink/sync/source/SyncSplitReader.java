package io.sluiceway.flink.sync.source;

import io.sluiceway.flink.sync.mysql.MySqlServer;
import io.sluiceway.flink.sync.mysql.SyncStoppedException;
import io.sluiceway.flink.sync.mysql.TargetTables;
import java.io.IOException;
import java.sql.SQLException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.flink.connector.base.source.reader.RecordsBySplits;
import org.apache.flink.connector.base.source.reader.RecordsWithSplitIds;
import org.apache.flink.connector.base.source.reader.splitreader.SplitReader;
import org.apache.flink.connector.base.source.reader.splitreader.SplitsChange;

/** Reads chunks one after the other, and the binlog when there is no chunk left. */
final class SyncSplitReader implements SplitReader<SyncItem, SyncSplit> {
  private final MySqlServer server;
  private final TargetTables targets;
  private final Deque<SyncSplit.Chunk> chunks = new ArrayDeque<>();
  private final ChunkReader chunkReader;
  private boolean isChunkOpen;
  private SyncSplit.Binlog binlog;
  private BinlogReader binlogReader;

  SyncSplitReader(MySqlServer server, TargetTables targets) {
    this.server = server;
    this.targets = targets;
    this.chunkReader = new ChunkReader(server, targets);
  }

  @Override
  public void handleSplitsChanges(SplitsChange<SyncSplit> change) {
    for (SyncSplit split : change.splits()) {
      if (split instanceof SyncSplit.Chunk chunk) {
        chunks.add(chunk);
      } else {
        binlog = (SyncSplit.Binlog) split;
      }
    }
  }

  @Override
  public RecordsWithSplitIds<SyncItem> fetch() throws IOException {
    try {
      return chunks.isEmpty() ? fetchBinlog() : fetchChunk(chunks.peek());
    } catch (SQLException e) {
      throw new IOException(server.label() + ": " + e.getMessage(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }

  private RecordsWithSplitIds<SyncItem> fetchChunk(SyncSplit.Chunk chunk)
      throws SQLException, SyncStoppedException {
    if (!isChunkOpen) {
      chunkReader.open(chunk);
      isChunkOpen = true;
    }
    SyncItem item = chunkReader.next();
    if (item != null) {
      return new RecordsBySplits<>(Map.of(chunk.splitId(), List.of(item)), Set.of());
    }
    isChunkOpen = false;
    chunks.remove();
    return new RecordsBySplits<>(Map.of(), Set.of(chunk.splitId()));
  }

  private RecordsWithSplitIds<SyncItem> fetchBinlog()
      throws InterruptedException, SQLException, SyncStoppedException {
    if (binlog == null) {
      return new RecordsBySplits<>(Map.of(), Set.of());
    }
    if (binlogReader == null) {
      binlogReader = new BinlogReader(server, targets, binlog);
    }
    List<SyncItem> items = binlogReader.poll();
    return new RecordsBySplits<>(
        items.isEmpty() ? Map.of() : Map.of(SyncSplit.Binlog.ID, items), Set.of());
  }

  @Override
  public void wakeUp() {}

  @Override
  public void close() throws SQLException {
    if (binlogReader != null) {
      binlogReader.close();
    }
    chunkReader.close();
  }
}
