package io.sluiceway.flink.source;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** When the lease on a snapshot may end. */
class SnapshotUseTest {
  private static final int SHARDS = 2;

  @Test
  void aJobWithoutCheckpointsNeedsItUntilTheLastShardHasLeft() {
    SnapshotUse use = new SnapshotUse(false);
    use.left(0, 0);
    assertFalse(use.isOver(SHARDS));
    use.left(1, 1);
    assertTrue(use.isOver(SHARDS));
  }

  @Test
  void aCheckpointThatBeganBeforeMayGoBack() {
    SnapshotUse use = new SnapshotUse(false);
    use.left(0, 0);
    use.checkpointBegins(1, SHARDS);
    use.left(1, 1);
    use.checkpointCompletes(1);
    assertFalse(use.isOver(SHARDS));
    use.checkpointBegins(2, SHARDS);
    use.checkpointBegins(3, SHARDS);
    use.checkpointCompletes(3);
    assertTrue(use.isOver(SHARDS));
  }

  @Test
  void aJobFromASavepointMayGoBackToIt() {
    SnapshotUse use = new SnapshotUse(true);
    use.left(0, 0);
    use.left(1, 0);
    assertFalse(use.isOver(SHARDS));
  }

  /** Whatever happens in whatever order, no lease ends while a restart could need it. */
  @Test
  void itNeverEndsWhileARestartCouldNeedIt() {
    int ended = 0;
    for (int seed = 0; seed < 5_000; seed++) {
      Job job = new Job();
      Random random = new Random(seed);
      for (int step = 0; step < 40 && !job.use.isOver(SHARDS); step++) {
        job.take(random.nextInt(5), random.nextInt(SHARDS));
      }
      if (job.use.isOver(SHARDS)) {
        ended++;
        assertEquals(Set.of(), job.inside, "seed " + seed);
        assertEquals(Set.of(), job.completed, "seed " + seed);
        assertEquals(Set.of(), job.part, "seed " + seed);
      }
    }
    assertTrue(ended > 1_000, "only " + ended + " leases ended");
  }

  /** A job with one reader a shard; its sets are the shards that are in the snapshot. */
  private static final class Job {
    private SnapshotUse use = new SnapshotUse(false);
    private Set<Integer> inside = Set.of(0, 1);
    private Set<Integer> completed = Set.of(); // in the last checkpoint; without one all is anew
    private Set<Integer> part = Set.of(); // in the readers' part of the one that is under way
    private long begun;
    private boolean isUnderWay;
    private boolean hasPart;
    private boolean hasCompleted;

    void take(int event, int shard) {
      switch (event) {
        case 0 -> leave(shard);
        case 1 -> begin();
        case 2 -> readersPart();
        case 3 -> complete();
        default -> fail();
      }
    }

    private void leave(int shard) {
      if (inside.contains(shard)) {
        inside = without(inside, shard);
        use.left(shard, shard);
      }
    }

    private void begin() {
      if (!isUnderWay) {
        use.checkpointBegins(++begun, SHARDS);
        isUnderWay = true;
      }
    }

    private void readersPart() {
      if (isUnderWay && !hasPart) {
        part = inside;
        hasPart = true;
      }
    }

    private void complete() {
      if (hasPart) {
        completed = part;
        hasCompleted = true;
        forgetCheckpoint();
        use.checkpointCompletes(begun);
      }
    }

    private void fail() {
      forgetCheckpoint();
      if (!hasCompleted) {
        use = new SnapshotUse(false);
        inside = Set.of(0, 1);
        return;
      }
      inside = completed;
      for (int reader = 0; reader < SHARDS; reader++) {
        use.beginsAgain(reader);
        if (!inside.contains(reader)) {
          use.left(reader, reader);
        }
      }
    }

    private void forgetCheckpoint() {
      isUnderWay = false;
      hasPart = false;
      part = Set.of();
    }

    private static Set<Integer> without(Set<Integer> shards, int shard) {
      Set<Integer> others = new HashSet<>(shards);
      others.remove(shard);
      return others;
    }
  }
}
