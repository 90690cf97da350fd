package io.sluiceway.flink.source;

/**
 * The position of a split while it is read, moved row by row by the emitter.
 *
 * <p>Used by the task's thread alone. Between batches it equals the position that the server gave.
 */
final class ShardSplitState {
  private ShardSplit base;
  private int emitted;
  private long next;

  ShardSplitState(ShardSplit split) {
    moveTo(split);
  }

  /** A row of the snapshot has left. */
  void snapshotRow() {
    emitted++;
  }

  /** The event at {@code lsn} has left. */
  void event(long lsn) {
    next = lsn + 1;
  }

  /** A batch is finished and {@code split} is where the next one starts. */
  void moveTo(ShardSplit split) {
    base = split;
    emitted = split.emitted();
    next = split.next();
  }

  ShardSplit toSplit() {
    return base.isSnapshot() ? base.inSnapshot(base.from(), emitted) : base.inChangelog(next);
  }
}
