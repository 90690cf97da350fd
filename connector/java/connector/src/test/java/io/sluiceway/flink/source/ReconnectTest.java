package io.sluiceway.flink.source;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sluiceway.flink.api.Retry;
import io.sluiceway.flink.api.WarehouseException;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** A reader tries again while its server is away, and for no other reason. */
class ReconnectTest {
  private static final WarehouseException AWAY =
      new WarehouseException("08006", "[08006] no answer", true, null);
  private static final Retry TWICE = new Retry(2, Duration.ofMillis(1), Duration.ofMillis(1));

  @Test
  void attemptsAreCountedSinceTheLastSuccess() throws InterruptedException {
    Reconnect reconnect = new Reconnect(TWICE);
    assertTrue(reconnect.tryAgain(AWAY));
    assertFalse(reconnect.tryAgain(AWAY));
    reconnect.succeeded();
    assertTrue(reconnect.tryAgain(AWAY));
  }

  @Test
  void anotherTableIsNotWaitedFor() throws InterruptedException {
    WarehouseException conflict = new WarehouseException("40001", "[40001] x", true, null);
    assertFalse(new Reconnect(TWICE).tryAgain(conflict));
  }

  @Test
  void aWaitEndsWhenTheTaskIsCancelled() {
    Reconnect reconnect = new Reconnect(new Retry(9, Duration.ofHours(1), Duration.ofHours(1)));
    reconnect.wakeUp();
    assertTrue(assertTimeoutPreemptively(Duration.ofSeconds(10), () -> reconnect.tryAgain(AWAY)));
  }
}
