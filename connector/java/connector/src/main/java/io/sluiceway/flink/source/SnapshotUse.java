package io.sluiceway.flink.source;

import java.util.HashMap;
import java.util.Map;

/**
 * How long a job needs its snapshot: until every shard has left it and no restart can go back.
 *
 * <p>None can once a checkpoint is complete that began after the last shard had left. Before the
 * first checkpoint of a job that began without state none can either: it would begin anew.
 */
final class SnapshotUse {
  private final Map<Integer, Integer> readers = new HashMap<>(); // of the shards that have left
  private boolean hasState;
  private Long firstWithout;
  private boolean isBehind;

  /**
   * A snapshot that is needed.
   *
   * @param hasState whether the job began from a checkpoint or savepoint
   */
  SnapshotUse(boolean hasState) {
    this.hasState = hasState;
  }

  /** The last row of a shard's snapshot has left its reader. */
  void left(int shard, int reader) {
    readers.put(shard, reader);
  }

  /** A reader begins again, from the last checkpoint, and tells anew which shards have left. */
  void beginsAgain(int reader) {
    readers.values().removeIf(each -> each == reader);
    firstWithout = null;
  }

  /** A checkpoint begins, with so many shards known; the readers' part of it follows. */
  void checkpointBegins(long id, int shards) {
    hasState = true;
    if (firstWithout == null && shards > 0 && readers.size() == shards) {
      firstWithout = id;
    }
  }

  void checkpointCompletes(long id) {
    isBehind |= firstWithout != null && id >= firstWithout;
  }

  /** Whether nobody needs the snapshot of a table of so many shards. */
  boolean isOver(int shards) {
    return readers.size() == shards && (isBehind || !hasState);
  }

  /** Whether a restart begins from some state and not anew. */
  boolean hasState() {
    return hasState;
  }
}
