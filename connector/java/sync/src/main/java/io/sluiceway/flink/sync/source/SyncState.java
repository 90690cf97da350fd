package io.sluiceway.flink.sync.source;

import java.util.Collection;
import java.util.List;

/**
 * The enumerator's state.
 *
 * @param unplanned tables that are not cut into chunks yet
 * @param queued chunks that no reader has
 * @param unfinished ids of chunks that a reader has, or has read without a checkpoint
 * @param binlog the binlog from the start point, or null when a reader has it
 */
public record SyncState(
    Collection<String> unplanned,
    Collection<SyncSplit.Chunk> queued,
    Collection<String> unfinished,
    SyncSplit.Binlog binlog) {

  public SyncState {
    unplanned = List.copyOf(unplanned);
    queued = List.copyOf(queued);
    unfinished = List.copyOf(unfinished);
  }
}
