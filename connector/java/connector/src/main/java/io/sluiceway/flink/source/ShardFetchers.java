package io.sluiceway.flink.source;

import java.util.List;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.base.source.reader.fetcher.SplitFetcher;
import org.apache.flink.connector.base.source.reader.fetcher.SplitFetcherManager;

/** One thread a shard, so that a shard that waits for its server keeps no other one waiting. */
final class ShardFetchers extends SplitFetcherManager<ShardBatch, ShardSplit> {

  ShardFetchers(SourcePlan plan, Configuration configuration) {
    super(() -> new ShardReader(plan), configuration);
  }

  @Override
  public void addSplits(List<ShardSplit> splits) {
    for (ShardSplit split : splits) {
      SplitFetcher<ShardBatch, ShardSplit> fetcher = createSplitFetcher();
      fetcher.addSplits(List.of(split));
      startFetcher(fetcher);
    }
  }

  @Override
  public void removeSplits(List<ShardSplit> splits) {
    throw new UnsupportedOperationException("a shard is read until it ends");
  }
}
