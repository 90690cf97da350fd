package io.sluiceway.flink.client;

import io.sluiceway.flink.api.Retry;
import java.time.Duration;

/** Counts the attempts that a {@link Retry} allows, and pauses between them. One thread. */
public final class Backoff {
  private final Retry retry;
  private int failures;
  private Duration pause;

  public Backoff(Retry retry) {
    this.retry = retry;
    reset();
  }

  /** Something succeeded: all attempts are there again. */
  public void reset() {
    failures = 0;
    pause = retry.step();
  }

  /**
   * Waits after a failure.
   *
   * @return false, without waiting, when no attempt is left
   */
  public boolean pause() throws InterruptedException {
    failures++;
    if (failures >= retry.attempts()) {
      return false;
    }
    Thread.sleep(pause.toMillis());
    Duration doubled = pause.multipliedBy(2);
    pause = doubled.compareTo(retry.most()) > 0 ? retry.most() : doubled;
    return true;
  }

  /** How often in a row it has failed. */
  public int failures() {
    return failures;
  }
}
