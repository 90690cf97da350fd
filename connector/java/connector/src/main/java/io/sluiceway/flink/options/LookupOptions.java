package io.sluiceway.flink.options;

import io.sluiceway.flink.api.Retry;
import java.io.Serializable;
import java.time.Duration;

/**
 * How a table is looked up.
 *
 * @param async true to ask without waiting
 * @param batchRows keys a request, at most
 * @param timeout how long a request may take, or null to leave it to the retries
 * @param cache what answers are kept, or null for none
 * @param retry how long a request is repeated while the server is away
 */
public record LookupOptions(
    boolean async, int batchRows, Duration timeout, Cache cache, Retry retry)
    implements Serializable {

  /**
   * Answers kept in the task.
   *
   * @param rows how many
   * @param expireAfterWrite how long, or null
   * @param expireAfterAccess how long after it was last asked for, or null
   * @param missing true to keep as well that a key is not there
   */
  public record Cache(
      long rows, Duration expireAfterWrite, Duration expireAfterAccess, boolean missing)
      implements Serializable {}
}
