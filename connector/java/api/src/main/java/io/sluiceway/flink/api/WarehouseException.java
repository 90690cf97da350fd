package io.sluiceway.flink.api;

import java.io.IOException;
import java.util.Set;

/**
 * What the server answered instead of doing what was asked, or why it could not be reached.
 *
 * <p>The message is the server's own. {@link #isRetryable()} says whether the same call may succeed
 * later: a server that is away or starting, a table changed meanwhile.
 */
public class WarehouseException extends IOException {
  private static final long serialVersionUID = 1;

  /** Classes of SQLSTATE: data, integrity constraints, names and access. */
  private static final Set<String> REFUSED = Set.of("22", "23", "42");

  private final String sqlState;
  private final boolean retryable;

  public WarehouseException(String sqlState, String message, boolean retryable, Throwable cause) {
    super(message, cause);
    this.sqlState = sqlState;
    this.retryable = retryable;
  }

  /**
   * An answer of the server.
   *
   * @return a {@link RefusedException} where its class says that no retry cures it
   */
  public static WarehouseException answered(String sqlState, String message, boolean retryable) {
    return !retryable && REFUSED.contains(sqlState.substring(0, Math.min(2, sqlState.length())))
        ? new RefusedException(sqlState, message)
        : new WarehouseException(sqlState, message, retryable, null);
  }

  /** Five characters, as PostgreSQL counts them; 08006 when the server was not reached. */
  public String sqlState() {
    return sqlState;
  }

  public boolean isRetryable() {
    return retryable;
  }

  /** The database, table or column does not exist. */
  public boolean isNotFound() {
    return sqlState.equals("3D000") || sqlState.equals("42P01") || sqlState.equals("42703");
  }

  /** The database, table or column exists already. */
  public boolean isExists() {
    return sqlState.equals("42P04") || sqlState.equals("42P07") || sqlState.equals("42701");
  }
}
