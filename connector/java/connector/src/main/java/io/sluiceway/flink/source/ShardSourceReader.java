package io.sluiceway.flink.source;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.flink.api.connector.source.SourceReaderContext;
import org.apache.flink.connector.base.source.reader.SourceReaderBase;
import org.apache.flink.table.data.RowData;

/**
 * Reads the shards of one task.
 *
 * <p>When a checkpoint in which a shard has left its snapshot is complete, the enumerator is told,
 * because only then can no restart go back into the snapshot.
 */
@SuppressWarnings("try") // the base class closes with any exception
final class ShardSourceReader
    extends SourceReaderBase<ShardBatch, RowData, ShardSplit, ShardSplitState> {
  private final TreeMap<Long, Set<Integer>> leftByCheckpoint = new TreeMap<>();
  private final Set<Integer> reported = new HashSet<>();

  ShardSourceReader(SourcePlan plan, SourceReaderContext context) {
    super(
        new ShardFetchers(plan, context.getConfiguration()),
        new ShardEmitter(plan),
        context.getConfiguration(),
        context);
  }

  @Override
  public List<ShardSplit> snapshotState(long checkpointId) {
    List<ShardSplit> splits = super.snapshotState(checkpointId);
    Set<Integer> left =
        splits.stream()
            .filter(split -> !split.isSnapshot() && split.snapshotLsn() > 0)
            .map(ShardSplit::shard)
            .filter(shard -> !reported.contains(shard))
            .collect(Collectors.toSet());
    if (!left.isEmpty()) {
      leftByCheckpoint.put(checkpointId, left);
    }
    return splits;
  }

  @Override
  public void notifyCheckpointComplete(long checkpointId) throws Exception {
    super.notifyCheckpointComplete(checkpointId);
    Map<Long, Set<Integer>> complete = leftByCheckpoint.headMap(checkpointId, true);
    complete.values().forEach(this::report);
    complete.clear();
  }

  @Override
  protected void onSplitFinished(Map<String, ShardSplitState> finished) {
    report(
        finished.values().stream()
            .map(state -> state.toSplit().shard())
            .collect(Collectors.toSet()));
  }

  @Override
  protected ShardSplitState initializedState(ShardSplit split) {
    return new ShardSplitState(split);
  }

  @Override
  protected ShardSplit toSplitType(String splitId, ShardSplitState state) {
    return state.toSplit();
  }

  private void report(Set<Integer> shards) {
    if (reported.addAll(shards)) {
      context.sendSourceEventToCoordinator(new SnapshotLeft(shards));
    }
  }
}
