package io.sluiceway.flink.api;

import org.apache.flink.runtime.throwable.ThrowableAnnotation;
import org.apache.flink.runtime.throwable.ThrowableType;
import org.apache.flink.table.api.TableRuntimeException;

/**
 * What the server sent does not fit what the job was planned with, and will not the next time:
 * Flink fails the job at once. As {@link RefusedException}, where nothing but a runtime exception
 * may be thrown.
 */
@ThrowableAnnotation(ThrowableType.NonRecoverableError)
public final class UnreadableException extends TableRuntimeException {
  private static final long serialVersionUID = 1;

  /** {@code message} begins with the SQLSTATE in brackets. */
  public UnreadableException(String message) {
    super(message);
  }
}
