package io.sluiceway.flink.api;

import org.apache.flink.runtime.throwable.ThrowableAnnotation;
import org.apache.flink.runtime.throwable.ThrowableType;

/**
 * What the server refuses whenever it is asked: a value that does not fit (class 22), a broken
 * constraint (23), a table or column that is not there (42). Flink fails a job with it at once,
 * instead of starting it again for ever.
 *
 * <p>Invariant: it has no cause. Flink tells its kind only where it can be read back on the
 * JobManager, which a cause of another library may prevent.
 */
@ThrowableAnnotation(ThrowableType.NonRecoverableError)
public final class RefusedException extends WarehouseException {
  private static final long serialVersionUID = 1;

  RefusedException(String sqlState, String message) {
    super(sqlState, message, false, null);
  }
}
