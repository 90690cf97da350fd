package io.sluiceway.flink.options;

import io.sluiceway.flink.api.ColumnDefinition;
import io.sluiceway.flink.api.Retry;
import io.sluiceway.flink.api.TableDefinition;
import io.sluiceway.flink.api.WriteOptions;
import java.io.Serializable;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;

/**
 * How a table is written.
 *
 * @param conflict what happens to a key that exists
 * @param deletes what a delete does
 * @param partialInsert true when a column list keeps the columns that it does not name
 * @param batchRows rows after which a batch leaves
 * @param batchBytes bytes after which a batch leaves
 * @param flushInterval how long a row may wait in the writer
 * @param beforeWait how long a before image waits for its after image, or null for a default
 * @param parallelism the sink's parallelism, or null for the input's
 * @param retry how long batches are sent again while the server is away
 */
public record WriteConfig(
    WriteOptions.Conflict conflict,
    WriteOptions.Deletes deletes,
    boolean partialInsert,
    int batchRows,
    long batchBytes,
    Duration flushInterval,
    Duration beforeWait,
    Integer parallelism,
    Retry retry)
    implements Serializable {
  private static final Duration WAIT_OF_FULL_ROWS = Duration.ofSeconds(1);
  private static final Duration WAIT_OF_PARTS = Duration.ofSeconds(10);

  /**
   * How long a before image waits. To have waited too short shows a gap to readers; in a partial
   * insert it costs what others have written to the row, so there it waits longer.
   */
  public Duration beforeWait(boolean partial) {
    if (beforeWait != null) {
      return beforeWait;
    }
    return partial ? WAIT_OF_PARTS : WAIT_OF_FULL_ROWS;
  }

  /**
   * The writer's options for some columns of a table.
   *
   * @param written positions of the columns in the table
   * @param partial true to keep the stored value of the others
   */
  public WriteOptions options(TableDefinition table, int[] written, boolean partial) {
    List<String> columns =
        Arrays.stream(written).mapToObj(table.columns()::get).map(ColumnDefinition::name).toList();
    return new WriteOptions(
        columns, partial, conflict, deletes, batchRows, batchBytes, flushInterval, "flink");
  }
}
