package io.sluiceway.flink.sync.mysql;

import java.io.IOException;
import org.apache.flink.runtime.throwable.ThrowableAnnotation;
import org.apache.flink.runtime.throwable.ThrowableType;

/**
 * The sync cannot go on without its operator: the message names what happened and the cure. A
 * restart would meet the same again, so Flink fails the job at once.
 *
 * <p>Invariant: it has no cause, only its text: one that cannot be read back on the JobManager
 * would hide what kind of failure this is, and the job would start again for ever.
 */
@ThrowableAnnotation(ThrowableType.NonRecoverableError)
public final class SyncStoppedException extends IOException {
  private static final long serialVersionUID = 1;

  /** The cure of what the binlog cannot tell. */
  public static final String LOAD_AGAIN =
      "load the database again with CALL sys.sync_database(…, replace => true)";

  public SyncStoppedException(String message) {
    super(message);
  }

  public SyncStoppedException(String message, Throwable cause) {
    super(message + ": " + firstLine(cause));
  }

  private static String firstLine(Throwable cause) {
    String text = cause.getMessage() == null ? cause.toString() : cause.getMessage();
    return text.lines().findFirst().orElse(text);
  }
}
