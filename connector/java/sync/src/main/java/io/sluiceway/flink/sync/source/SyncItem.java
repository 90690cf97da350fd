package io.sluiceway.flink.sync.source;

import io.sluiceway.flink.sync.event.SyncEvent;
import io.sluiceway.flink.sync.mysql.Structures;
import java.util.List;
import java.util.Map;

/**
 * What a split reader hands on, emitted as a whole.
 *
 * @param events in order, perhaps none
 * @param offset where the binlog resumes after them; null in chunks
 * @param structures the structures after them when they changed, else null
 */
record SyncItem(List<SyncEvent> events, Map<String, Object> offset, Structures structures) {
  static SyncItem of(List<SyncEvent> events) {
    return new SyncItem(events, null, null);
  }
}
