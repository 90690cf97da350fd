package io.sluiceway.flink.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sluiceway.flink.api.RefusedException;
import io.sluiceway.flink.api.Retry;
import io.sluiceway.flink.api.WarehouseException;
import java.io.IOException;
import java.time.Duration;
import org.apache.arrow.flight.CallStatus;
import org.apache.flink.runtime.throwable.ThrowableClassifier;
import org.apache.flink.runtime.throwable.ThrowableType;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.util.InstantiationUtil;
import org.apache.flink.util.SerializedThrowable;
import org.junit.jupiter.api.Test;

class FailuresTest {
  private static final Endpoint ENDPOINT = new Endpoint("localhost", 8815);

  @Test
  void theServersOwnTextIsFoundWhateverArrowPutsAroundIt() {
    WarehouseException failure =
        of(
            CallStatus.UNKNOWN,
            "[42P01] Table 'a.b' does not exist. Did you mean 'a.c'?. Detail: Failed");
    assertEquals("42P01", failure.sqlState());
    assertEquals("[42P01] Table 'a.b' does not exist. Did you mean 'a.c'?", failure.getMessage());
    assertTrue(failure.isNotFound());
    assertFalse(failure.isRetryable());
  }

  @Test
  void aServerThatIsAwayMayBeAskedAgain() {
    WarehouseException failure = of(CallStatus.UNAVAILABLE, "io exception");
    assertEquals("08006", failure.sqlState());
    assertTrue(failure.isRetryable());
    assertTrue(Failures.isAway(failure));
    assertTrue(failure.getMessage().contains("localhost:8815"), failure.getMessage());
  }

  @Test
  void aConflictMayBeRetriedButNotByAnotherConnection() {
    WarehouseException failure = of(CallStatus.UNKNOWN, "[40001] Table 'a.b' was re-created");
    assertTrue(failure.isRetryable());
    assertFalse(Failures.isAway(failure));
  }

  @Test
  void whatNoRetryCuresFailsAJobAtOnceAlsoAfterItsWayToTheJobManager() throws Exception {
    for (String state : new String[] {"22003", "22P02", "23502", "23514", "42703", "42P01"}) {
      Throwable met = new IOException("wrapped", of(CallStatus.UNKNOWN, "[" + state + "] no"));
      SerializedThrowable sent = InstantiationUtil.clone(new SerializedThrowable(met));
      Throwable arrived = sent.deserializeError(getClass().getClassLoader());
      assertTrue(
          ThrowableClassifier.findThrowableOfThrowableType(
                  arrived, ThrowableType.NonRecoverableError)
              .isPresent(),
          state);
    }
    for (String state : new String[] {"40001", "53100", "54000", "55000", "57P03", "XX000"}) {
      assertFalse(of(CallStatus.UNKNOWN, "[" + state + "] no") instanceof RefusedException, state);
    }
    assertFalse(of(CallStatus.UNAVAILABLE, "io exception") instanceof RefusedException);
  }

  @Test
  void endpointsAreParsedOrShown() {
    assertEquals(ENDPOINT, Endpoint.parse("grpc://localhost:8815"));
    for (String bad : new String[] {"localhost", "localhost:", ":8815", "localhost:99999", ""}) {
      assertThrows(ValidationException.class, () -> Endpoint.parse(bad), bad);
    }
  }

  @Test
  void attemptsEndAndStartAgain() throws InterruptedException {
    Backoff backoff = new Backoff(new Retry(3, Duration.ofMillis(1), Duration.ofMillis(2)));
    for (int round = 0; round < 2; round++) {
      assertTrue(backoff.pause());
      assertTrue(backoff.pause());
      assertFalse(backoff.pause());
      backoff.reset();
    }
  }

  private static WarehouseException of(CallStatus status, String text) {
    return Failures.of(status.withDescription(text).toRuntimeException(), ENDPOINT);
  }
}
