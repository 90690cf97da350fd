package io.sluiceway.flink.sync.mysql;

import java.io.IOException;

/**
 * The sync cannot go on without its operator: the message names what happened and the cure. A
 * restart would meet the same again.
 */
public final class SyncStoppedException extends IOException {
  private static final long serialVersionUID = 1;

  /** The cure of what the binlog cannot tell. */
  public static final String LOAD_AGAIN =
      "load the database again with CALL sys.sync_database(…, replace => true)";

  public SyncStoppedException(String message) {
    super(message);
  }

  public SyncStoppedException(String message, Throwable cause) {
    super(message, cause);
  }
}
