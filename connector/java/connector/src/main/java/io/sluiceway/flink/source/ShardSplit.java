package io.sluiceway.flink.source;

import org.apache.flink.api.connector.source.SourceSplit;

/**
 * A shard of a table and how far it has been read.
 *
 * @param tableId the table's id; another table behind the name is never read under this position
 * @param shard the shard
 * @param phase what is being read
 * @param hold name of the lease that keeps the snapshot, or null outside a snapshot
 * @param snapshotLsn the LSN that the snapshot shows, 0 when there is none
 * @param from birth ordinal at which the batch being read starts
 * @param emitted rows that have left, counted from {@code from}
 * @param next LSN of the next event of the changelog
 */
record ShardSplit(
    int tableId,
    int shard,
    Phase phase,
    String hold,
    long snapshotLsn,
    long from,
    int emitted,
    long next)
    implements SourceSplit {

  /** What is being read; the order of the constants is part of the state's format. */
  enum Phase {
    SNAPSHOT,
    CHANGELOG
  }

  /** A split at the first row of a snapshot. */
  static ShardSplit ofSnapshot(int tableId, int shard, String hold, long lsn) {
    return new ShardSplit(tableId, shard, Phase.SNAPSHOT, hold, lsn, 0, 0, lsn + 1);
  }

  /** A split at an LSN of the changelog. */
  static ShardSplit ofChangelog(int tableId, int shard, long next) {
    return new ShardSplit(tableId, shard, Phase.CHANGELOG, null, 0, 0, 0, next);
  }

  /** This split after {@code rows} of the rows that follow birth ordinal {@code birth}. */
  ShardSplit inSnapshot(long birth, int rows) {
    return new ShardSplit(tableId, shard, phase, hold, snapshotLsn, birth, rows, next);
  }

  /** This split before the event at {@code lsn} of the changelog. */
  ShardSplit inChangelog(long lsn) {
    return new ShardSplit(tableId, shard, Phase.CHANGELOG, null, snapshotLsn, 0, 0, lsn);
  }

  boolean isSnapshot() {
    return phase == Phase.SNAPSHOT;
  }

  /** Whether it was in a snapshot and reads the changelog by now. */
  boolean hasLeftSnapshot() {
    return !isSnapshot() && snapshotLsn > 0;
  }

  @Override
  public String splitId() {
    return Integer.toString(shard);
  }
}
