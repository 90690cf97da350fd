package io.sluiceway.flink.source;

import io.sluiceway.flink.options.ReadOptions.ChangelogKinds;
import org.apache.flink.api.connector.source.Boundedness;
import org.apache.flink.api.connector.source.Source;
import org.apache.flink.api.connector.source.SourceReader;
import org.apache.flink.api.connector.source.SourceReaderContext;
import org.apache.flink.api.connector.source.SplitEnumerator;
import org.apache.flink.api.connector.source.SplitEnumeratorContext;
import org.apache.flink.core.io.SimpleVersionedSerializer;
import org.apache.flink.table.data.RowData;

/** Reads a table as the plan says. */
public final class SluicewaySource implements Source<RowData, ShardSplit, EnumeratorState> {
  private static final long serialVersionUID = 1;

  private final SourcePlan plan;

  SluicewaySource(SourcePlan plan) {
    this.plan = plan;
  }

  /** Whether it gives updates as new images alone. */
  public boolean leavesOutBeforeImages() {
    return !plan.bounded() && plan.read().changelogKinds() == ChangelogKinds.UPSERT;
  }

  /** {@code database.table}, for messages. */
  public String tableName() {
    return plan.tableName();
  }

  boolean isBounded() {
    return plan.bounded();
  }

  @Override
  public Boundedness getBoundedness() {
    return plan.bounded() ? Boundedness.BOUNDED : Boundedness.CONTINUOUS_UNBOUNDED;
  }

  @Override
  public SplitEnumerator<ShardSplit, EnumeratorState> createEnumerator(
      SplitEnumeratorContext<ShardSplit> context) {
    return new ShardEnumerator(context, plan, null);
  }

  @Override
  public SplitEnumerator<ShardSplit, EnumeratorState> restoreEnumerator(
      SplitEnumeratorContext<ShardSplit> context, EnumeratorState state) {
    return new ShardEnumerator(context, plan, state);
  }

  @Override
  public SourceReader<RowData, ShardSplit> createReader(SourceReaderContext context) {
    return new ShardSourceReader(plan, context);
  }

  @Override
  public SimpleVersionedSerializer<ShardSplit> getSplitSerializer() {
    return ShardSplitSerializer.INSTANCE;
  }

  @Override
  public SimpleVersionedSerializer<EnumeratorState> getEnumeratorCheckpointSerializer() {
    return EnumeratorStateSerializer.INSTANCE;
  }
}
