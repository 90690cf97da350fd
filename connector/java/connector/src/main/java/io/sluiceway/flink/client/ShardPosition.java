package io.sluiceway.flink.client;

import java.io.Serializable;
import java.util.List;

/**
 * Where a shard is and what of its changelog is kept.
 *
 * @param shard the shard's number
 * @param locations {@code host:port} of servers that answer for it; the first is preferred
 * @param oldest the oldest LSN kept
 * @param next the LSN after the newest published one
 * @param atTime the first LSN committed at or after the time asked for
 */
public record ShardPosition(int shard, List<String> locations, long oldest, long next, long atTime)
    implements Serializable {
  public ShardPosition {
    locations = List.copyOf(locations);
  }
}
