package io.sluiceway.flink.source;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.flink.api.connector.source.SourceEvent;
import org.apache.flink.api.connector.source.SplitEnumerator;
import org.apache.flink.api.connector.source.SplitEnumeratorContext;
import org.apache.flink.api.connector.source.SplitsAssignment;
import org.apache.flink.util.FlinkRuntimeException;

/**
 * Finds the shards of a table, hands each to one reader, and keeps the snapshot's lease alive until
 * no restart needs it ({@link SnapshotUse}).
 *
 * <p>Talks to the server in the context's worker thread, and when it closes; all other methods run
 * in the coordinator's. A failure fails the job.
 */
final class ShardEnumerator implements SplitEnumerator<ShardSplit, EnumeratorState> {
  private final SplitEnumeratorContext<ShardSplit> context;
  private final SourcePlan plan;
  private final Discovery discovery;
  private final List<ShardSplit> pending = new ArrayList<>();
  private final SnapshotUse use;
  private int shards;
  private String hold;
  private String ended;
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
    this.use = new SnapshotUse(restored != null);
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

  /**
   * Gives a reader all its shards at once, so that its watermark waits for each of them from the
   * first row on, and tells it that no more come, for shards are never added.
   */
  private void assign(int subtask) {
    List<ShardSplit> splits =
        pending.stream()
            .filter(split -> split.shard() % context.currentParallelism() == subtask)
            .toList();
    if (!splits.isEmpty()) {
      pending.removeAll(splits);
      context.assignSplits(new SplitsAssignment<>(Map.of(subtask, splits)));
    }
    context.signalNoMoreSplits(subtask);
  }

  /** Called whenever a reader begins again, also without splits: it tells anew what it has left. */
  @Override
  public void addSplitsBack(List<ShardSplit> splits, int subtask) {
    for (ShardSplit split : splits) {
      if (split.isSnapshot() && hold == null) {
        throw new FlinkRuntimeException(
            "shard %d of %s goes back to a snapshot that was given up: the job begins anew"
                .formatted(split.shard(), plan.tableName()));
      }
    }
    use.beginsAgain(subtask);
    pending.addAll(splits);
  }

  @Override
  public void handleSourceEvent(int subtask, SourceEvent event) {
    if (event instanceof SnapshotLeft snapshot) {
      use.left(snapshot.shard(), subtask);
      endUnneededHold();
    }
  }

  private void endUnneededHold() {
    if (hold != null && use.isOver(shards)) {
      ended = hold;
      hold = null;
      context.callAsync(
          () -> discovery.release(ended),
          (released, failure) -> failOn(failure, "cannot end the lease on the snapshot of "));
    }
  }

  @Override
  public void handleSplitRequest(int subtask, String host) {
    // Readers never ask: a shard belongs to the reader that its number names.
  }

  @Override
  public EnumeratorState snapshotState(long checkpointId) {
    use.checkpointBegins(checkpointId, shards);
    return new EnumeratorState(shards, hold, snapshotLsn, pending);
  }

  @Override
  public void notifyCheckpointComplete(long checkpointId) {
    use.checkpointCompletes(checkpointId);
    endUnneededHold();
  }

  /**
   * Ends a lease that nobody can need any more. One that a checkpoint or savepoint may need is left
   * to expire: what closes may be a restart.
   */
  @Override
  public void close() {
    String unneeded = hold != null && !use.hasState() ? hold : ended;
    if (unneeded != null) {
      discovery.releaseOnce(unneeded);
    }
  }

  private void failOn(Throwable failure, String what) {
    if (failure != null) {
      throw new FlinkRuntimeException(
          what + plan.tableName() + ": " + failure.getMessage(), failure);
    }
  }
}
