package io.sluiceway.flink.api;

import java.io.Serializable;
import java.time.Duration;

/**
 * How long a call is repeated while the server cannot be reached (retry-count,
 * retry-sleep-step-ms).
 *
 * @param attempts how often, 1 for once
 * @param step the pause after the first failure; it doubles up to {@code most}
 * @param most the longest pause
 */
public record Retry(int attempts, Duration step, Duration most) implements Serializable {
  public static final Retry DEFAULT = new Retry(10, Duration.ofMillis(200), Duration.ofSeconds(5));
}
