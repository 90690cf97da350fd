package io.sluiceway.flink.sync.mysql;

import java.io.IOException;

/**
 * The sync cannot go on without its operator: the message names what happened and the cure. A
 * restart would meet the same again.
 */
public final class SyncStoppedException extends IOException {
  private static final long serialVersionUID = 1;

  public SyncStoppedException(String message) {
    super(message);
  }

  public SyncStoppedException(String message, Throwable cause) {
    super(message, cause);
  }
}
