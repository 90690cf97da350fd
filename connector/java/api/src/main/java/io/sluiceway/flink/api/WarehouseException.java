package io.sluiceway.flink.api;

import java.io.IOException;

/**
 * What the server answered instead of doing what was asked, or why it could not be reached.
 *
 * <p>The message is the server's own. {@link #isRetryable()} says whether the same call may succeed
 * later: a server that is away or starting, a table changed meanwhile.
 */
public class WarehouseException extends IOException {
  private static final long serialVersionUID = 1;

  private final String sqlState;
  private final boolean retryable;

  public WarehouseException(String sqlState, String message, boolean retryable, Throwable cause) {
    super(message, cause);
    this.sqlState = sqlState;
    this.retryable = retryable;
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
