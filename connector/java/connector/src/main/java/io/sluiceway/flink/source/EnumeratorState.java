package io.sluiceway.flink.source;

import java.util.List;

/**
 * What the enumerator keeps in checkpoints.
 *
 * @param shards how many shards the table has; 0 before they are known
 * @param hold name of the lease on the snapshot; null when there is none or no more
 * @param snapshotLsn the LSN that the lease keeps
 * @param pending splits that no reader has
 */
record EnumeratorState(int shards, String hold, long snapshotLsn, List<ShardSplit> pending) {
  EnumeratorState {
    pending = List.copyOf(pending);
  }
}
