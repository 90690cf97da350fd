package io.sluiceway.flink.sync.source;

import io.sluiceway.flink.sync.event.SyncEvent;
import io.sluiceway.flink.sync.mysql.MySqlServer;
import io.sluiceway.flink.sync.mysql.Structures;
import io.sluiceway.flink.sync.mysql.TargetTables;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.flink.api.connector.source.SourceEvent;
import org.apache.flink.api.connector.source.SourceOutput;
import org.apache.flink.api.connector.source.SourceReaderContext;
import org.apache.flink.connector.base.source.reader.SingleThreadMultiplexSourceReaderBase;

/**
 * The reader of one subtask.
 *
 * <p>A chunk that was read stays in the reader's state until the enumerator has acknowledged that a
 * completed checkpoint contains it. Events to the readers are held back while a checkpoint starts,
 * so an acknowledgement never overtakes the enumerator's own state of that checkpoint: each chunk
 * is in the state of one side at least.
 */
@SuppressWarnings("try")
final class SyncReader
    extends SingleThreadMultiplexSourceReaderBase<
        SyncItem, SyncEvent, SyncSplit, SyncReader.SplitState> {

  /** One to read and one that waits, so that the reading thread and its connection live on. */
  private static final int SPLITS_IN_HAND = 2;

  private final Map<String, SyncSplit.Chunk> finished = new HashMap<>();
  private final TreeMap<Long, Set<String>> finishedAt = new TreeMap<>();

  SyncReader(MySqlServer server, TargetTables targets, SourceReaderContext context) {
    super(
        () -> new SyncSplitReader(server, targets),
        SyncReader::emit,
        context.getConfiguration(),
        context);
  }

  @Override
  public void start() {
    for (int i = getNumberOfCurrentlyAssignedSplits(); i < SPLITS_IN_HAND; i++) {
      context.sendSplitRequest();
    }
  }

  @Override
  public void addSplits(List<SyncSplit> splits) {
    List<SyncSplit> unread = new ArrayList<>();
    for (SyncSplit split : splits) {
      if (split instanceof SyncSplit.Chunk chunk && chunk.finished()) {
        finished.put(chunk.splitId(), chunk);
      } else {
        unread.add(split);
      }
    }
    if (!unread.isEmpty()) {
      super.addSplits(unread);
    }
  }

  @Override
  public List<SyncSplit> snapshotState(long checkpoint) {
    List<SyncSplit> state = new ArrayList<>(super.snapshotState(checkpoint));
    finished.values().forEach(chunk -> state.add(chunk.asFinished()));
    finishedAt.put(checkpoint, Set.copyOf(finished.keySet()));
    return state;
  }

  @Override
  public void notifyCheckpointComplete(long checkpoint) throws Exception {
    super.notifyCheckpointComplete(checkpoint);
    Map<Long, Set<String>> covered = finishedAt.headMap(checkpoint, true);
    Set<String> durable = new TreeSet<>();
    covered.values().forEach(durable::addAll);
    covered.clear();
    if (!durable.isEmpty()) {
      context.sendSourceEventToCoordinator(new ChunksDurable(List.copyOf(durable)));
    }
  }

  @Override
  public void handleSourceEvents(SourceEvent event) {
    if (event instanceof ChunksAcknowledged acknowledged) {
      acknowledged.chunks().forEach(finished::remove);
    }
  }

  @Override
  protected void onSplitFinished(Map<String, SplitState> splits) {
    splits.forEach((id, state) -> finished.put(id, (SyncSplit.Chunk) state.split));
    splits.keySet().forEach(id -> context.sendSplitRequest());
  }

  @Override
  protected SplitState initializedState(SyncSplit split) {
    return new SplitState(split);
  }

  @Override
  protected SyncSplit toSplitType(String id, SplitState state) {
    return state.split;
  }

  private static void emit(SyncItem item, SourceOutput<SyncEvent> output, SplitState state) {
    item.events().forEach(output::collect);
    if (state.split instanceof SyncSplit.Binlog binlog) {
      Structures structures = item.structures() == null ? binlog.structures() : item.structures();
      state.split = new SyncSplit.Binlog(item.offset(), structures);
    }
  }

  /** How far a split was emitted. */
  static final class SplitState {
    private SyncSplit split;

    SplitState(SyncSplit split) {
      this.split = split;
    }
  }

  /** Reader to enumerator: a completed checkpoint contains all rows of these chunks. */
  record ChunksDurable(List<String> chunks) implements SourceEvent {}

  /** Enumerator to reader: noted. */
  record ChunksAcknowledged(List<String> chunks) implements SourceEvent {}
}
