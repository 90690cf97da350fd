package io.sluiceway.flink.api;

import java.io.IOException;
import org.apache.flink.table.data.RowData;

/**
 * Writes rows of one table.
 *
 * <p>Used by one thread. Rows leave in batches, several of which may be on their way; each is one
 * atomic commit. The row handed to {@link #write} is copied before the method returns. The order of
 * rows with the same key is kept. Calls retry what is retryable within the connection's limits, are
 * interruptible and bounded in time.
 */
public interface RowWriter extends AutoCloseable {

  /**
   * Takes a row of the kinds INSERT, UPDATE_AFTER and DELETE, of which the last needs its key
   * alone. UPDATE_BEFORE is dropped: who knows that no row follows it writes a DELETE.
   */
  void write(RowData row) throws IOException, InterruptedException;

  /**
   * Sends rows that have waited longer than the flush interval; to be called now and then. Throws
   * what the server has refused since.
   */
  void tick() throws IOException, InterruptedException;

  /** Returns when every row written so far is durable on the server. */
  void flush() throws IOException, InterruptedException;

  /** Drops what was not flushed and frees the connection. */
  @Override
  void close();
}
