package io.sluiceway.flink.source;

import io.sluiceway.flink.api.Retry;
import io.sluiceway.flink.api.WarehouseException;
import io.sluiceway.flink.client.Failures;
import java.time.Duration;

/**
 * Decides whether a reader tries again after a failure, and waits before it does.
 *
 * <p>Unlike a sleep the wait ends at once when {@link #wakeUp} is called, so that a task can be
 * cancelled while its server is away.
 */
final class Reconnect {
  private final Retry retry;
  private int failures;
  private Duration pause;
  private boolean woken;

  Reconnect(Retry retry) {
    this.retry = retry;
    succeeded();
  }

  /** All attempts are there again. */
  void succeeded() {
    failures = 0;
    pause = retry.step();
  }

  /**
   * Waits for the next attempt.
   *
   * @return false, without waiting, when another attempt would be of no use or none is left
   */
  synchronized boolean tryAgain(WarehouseException failure) throws InterruptedException {
    failures++;
    if (!Failures.isAway(failure) || failures >= retry.attempts()) {
      return false;
    }
    long deadline = System.nanoTime() + pause.toNanos();
    Duration doubled = pause.multipliedBy(2);
    pause = doubled.compareTo(retry.most()) > 0 ? retry.most() : doubled;
    for (long left = deadline - System.nanoTime();
        left > 0 && !woken;
        left = deadline - System.nanoTime()) {
      wait(Math.max(1, Duration.ofNanos(left).toMillis()));
    }
    woken = false;
    return true;
  }

  /** Ends a wait. */
  synchronized void wakeUp() {
    woken = true;
    notifyAll();
  }
}
