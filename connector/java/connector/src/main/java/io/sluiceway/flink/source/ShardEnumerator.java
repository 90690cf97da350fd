package io.sluiceway.flink.source;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import org.apache.flink.api.connector.source.SourceEvent;
import org.apache.flink.api.connector.source.SplitEnumerator;
import org.apache.flink.api.connector.source.SplitEnumeratorContext;
import org.apache.flink.util.FlinkRuntimeException;

/**
 * Finds the shards of a table, hands each to one reader, and keeps the snapshot's lease alive until
 * no reader needs it.
 *
 * <p>Talks to the server in the context's worker thread only; all other methods run in the
 * coordinator's. A failure fails the job.
 */
final class ShardEnumerator implements SplitEnumerator<ShardSplit, EnumeratorState> {
  private final SplitEnumeratorContext<ShardSplit> context;
  private final SourcePlan plan;
  private final Discovery discovery;
  private final List<ShardSplit> pending = new ArrayList<>();
  private final Set<Integer> left = new HashSet<>();
  private int shards;
  private String hold;
  private long snapshotLsn;

  /**
   * Makes an enumerator.
   *
   * @param restored the state of a checkpoint, or null at the job's first start
   */
  ShardEnumerator(
      SplitEnumeratorContext<ShardSplit> context, SourcePlan plan, EnumeratorState restored) {
    this.context = context;
    this.plan = plan;
    this.discovery = new Discovery(plan, context.metricGroup().getAllVariables().get("<job_id>"));
    if (restored != null) {
      shards = restored.shards();
      hold = restored.hold();
      snapshotLsn = restored.snapshotLsn();
      pending.addAll(restored.pending());
    }
  }

  @Override
  public void start() {
    if (shards == 0) {
      context.callAsync(discovery::discover, this::discovered);
    } else if (hold != null) {
      renewLater(0);
    }
  }

  private void discovered(EnumeratorState state, Throwable failure) {
    failOn(failure, "cannot find the shards of ");
    shards = state.shards();
    hold = state.hold();
    snapshotLsn = state.snapshotLsn();
    pending.addAll(state.pending());
    context.registeredReaders().keySet().forEach(this::assign);
    if (hold != null) {
      renewLater(Discovery.RENEW_EVERY.toMillis());
    }
  }

  private void renewLater(long delayMs) {
    String name = hold;
    long lsn = snapshotLsn;
    context.callAsync(
        () -> discovery.renew(name, lsn),
        (renewed, failure) -> failOn(failure, "cannot keep the snapshot of "),
        delayMs,
        Discovery.RENEW_EVERY.toMillis());
  }

  @Override
  public void addReader(int subtask) {
    if (shards > 0) {
      assign(subtask);
    }
  }

  private void assign(int subtask) {
    for (Iterator<ShardSplit> splits = pending.iterator(); splits.hasNext(); ) {
      ShardSplit split = splits.next();
      if (split.shard() % context.currentParallelism() == subtask) {
        context.assignSplit(split, subtask);
        splits.remove();
      }
    }
    if (plan.bounded()) {
      context.signalNoMoreSplits(subtask);
    }
  }

  @Override
  public void addSplitsBack(List<ShardSplit> splits, int subtask) {
    pending.addAll(splits);
    splits.forEach(split -> left.remove(split.shard()));
  }

  @Override
  public void handleSourceEvent(int subtask, SourceEvent event) {
    if (event instanceof SnapshotLeft snapshot) {
      left.addAll(snapshot.shards());
      if (hold != null && left.size() == shards) {
        String name = hold;
        hold = null;
        context.callAsync(
            () -> discovery.release(name),
            (released, failure) -> failOn(failure, "cannot end the lease on the snapshot of "));
      }
    }
  }

  @Override
  public void handleSplitRequest(int subtask, String host) {
    // Readers never ask: a shard belongs to the reader that its number names.
  }

  @Override
  public EnumeratorState snapshotState(long checkpointId) {
    return new EnumeratorState(shards, hold, snapshotLsn, pending);
  }

  @Override
  public void close() {
    // Nothing is open between two questions; a lease that is left expires.
  }

  private void failOn(Throwable failure, String what) {
    if (failure != null) {
      throw new FlinkRuntimeException(
          what + plan.tableName() + ": " + failure.getMessage(), failure);
    }
  }
}
