package io.sluiceway.flink.client;

import io.sluiceway.flink.api.WarehouseException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.arrow.flight.FlightRuntimeException;
import org.apache.arrow.flight.FlightStatusCode;

/** Turns what Flight throws into what the server said. */
public final class Failures {
  /** The server could not be reached, or went away. */
  static final String CONNECTION = "08006";

  private static final String STARTING = "57P03";
  private static final String CONFLICT = "40001";
  private static final String INTERNAL = "XX000";

  /** {@code [SQLSTATE] text}, up to what Arrow's C++ side puts behind it. */
  private static final Pattern SERVER =
      Pattern.compile("\\[([0-9A-Z]{5})\\] (.*?)(?:\\.? Detail: .*)?$", Pattern.DOTALL);

  private Failures() {}

  static WarehouseException of(Throwable failure, Endpoint endpoint) {
    if (failure instanceof WarehouseException known) {
      return known;
    }
    String text = String.valueOf(failure.getMessage());
    Matcher server = SERVER.matcher(text);
    if (server.find()) {
      String state = server.group(1);
      boolean retryable = state.equals(STARTING) || state.equals(CONFLICT);
      return WarehouseException.answered(
          state, "[%s] %s".formatted(state, server.group(2)), retryable);
    }
    return isConnection(failure)
        ? unreachable(endpoint, text, failure)
        : new WarehouseException(INTERNAL, "%s: %s".formatted(endpoint, text), false, failure);
  }

  static WarehouseException unreachable(Endpoint endpoint, String why, Throwable cause) {
    String text =
        "[%s] no answer from %s (%s): is `sluiceway serve` running there?"
            .formatted(CONNECTION, endpoint, why);
    return new WarehouseException(CONNECTION, text, true, cause);
  }

  /** The server is away or starting: another connection may do. A conflict is not of this kind. */
  public static boolean isAway(WarehouseException failure) {
    return failure.sqlState().equals(CONNECTION) || failure.sqlState().equals(STARTING);
  }

  private static boolean isConnection(Throwable failure) {
    if (!(failure instanceof FlightRuntimeException flight)) {
      return false;
    }
    FlightStatusCode code = flight.status().code();
    return code == FlightStatusCode.UNAVAILABLE
        || code == FlightStatusCode.TIMED_OUT
        || code == FlightStatusCode.CANCELLED;
  }
}
