package io.sluiceway.flink.source;

import java.util.List;
import java.util.Map;
import org.apache.flink.api.connector.source.ReaderOutput;
import org.apache.flink.api.connector.source.SourceReaderContext;
import org.apache.flink.connector.base.source.reader.SourceReaderBase;
import org.apache.flink.core.io.InputStatus;
import org.apache.flink.table.data.RowData;

/** Reads the shards of one task, and tells the enumerator of each that has left the snapshot. */
@SuppressWarnings("try") // the base class closes with any exception
final class ShardSourceReader
    extends SourceReaderBase<ShardBatch, RowData, ShardSplit, ShardSplitState> {
  private final boolean bounded;
  private boolean isWithoutShards;

  ShardSourceReader(SourcePlan plan, SourceReaderContext context) {
    super(
        new ShardFetchers(plan, context.getConfiguration()),
        new ShardEmitter(plan, left -> report(context, left)),
        context.getConfiguration(),
        context);
    this.bounded = plan.bounded();
  }

  /**
   * A reader that has no shard holds no watermark back, but stays. Were it to end, its last
   * watermark, the greatest there is, would be the job's as soon as all other readers are idle, and
   * every later row would be late.
   */
  @Override
  public void notifyNoMoreSplits() {
    if (bounded) {
      super.notifyNoMoreSplits();
    } else {
      isWithoutShards = getNumberOfCurrentlyAssignedSplits() == 0;
      splitFetcherManager.getQueue().notifyAvailable();
    }
  }

  @Override
  public InputStatus pollNext(ReaderOutput<RowData> output) throws Exception {
    if (isWithoutShards) {
      isWithoutShards = false;
      output.markIdle();
    }
    return super.pollNext(output);
  }

  @Override
  public void addSplits(List<ShardSplit> splits) {
    super.addSplits(splits);
    splits.stream().filter(ShardSplit::hasLeftSnapshot).forEach(split -> report(context, split));
  }

  @Override
  protected void onSplitFinished(Map<String, ShardSplitState> finished) {
    finished.values().forEach(state -> report(context, state.toSplit()));
  }

  @Override
  protected ShardSplitState initializedState(ShardSplit split) {
    return new ShardSplitState(split);
  }

  @Override
  protected ShardSplit toSplitType(String splitId, ShardSplitState state) {
    return state.toSplit();
  }

  private static void report(SourceReaderContext context, ShardSplit split) {
    context.sendSourceEventToCoordinator(new SnapshotLeft(split.shard()));
  }
}
