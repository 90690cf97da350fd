package io.sluiceway.flink.source;

import java.util.Set;
import java.util.TreeSet;
import org.apache.flink.api.connector.source.SourceEvent;

/**
 * A reader's word that shards need the snapshot no more, whatever checkpoint the job restarts from
 * by itself.
 */
final class SnapshotLeft implements SourceEvent {
  private static final long serialVersionUID = 1;

  private final TreeSet<Integer> shards;

  SnapshotLeft(Set<Integer> shards) {
    this.shards = new TreeSet<>(shards);
  }

  Set<Integer> shards() {
    return shards;
  }

  @Override
  public String toString() {
    return "SnapshotLeft" + shards;
  }
}
