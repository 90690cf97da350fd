package io.sluiceway.flink.client;

import java.util.List;

/**
 * The shards of a table at one moment.
 *
 * @param tableId the table's id: another id behind the name is another table
 * @param published the newest LSN that readers see
 */
public record ShardList(int tableId, long generation, long published, List<ShardPosition> shards) {
  public ShardList {
    shards = List.copyOf(shards);
  }
}
