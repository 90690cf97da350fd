package io.sluiceway.flink.source;

import org.apache.flink.api.connector.source.SourceEvent;

/** A reader's word that the last row of a shard's snapshot has left it. */
record SnapshotLeft(int shard) implements SourceEvent {
  private static final long serialVersionUID = 1;
}
