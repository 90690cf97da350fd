package io.sluiceway.flink.api;

import java.io.Serializable;
import java.time.Duration;
import java.util.List;

/**
 * How a writer writes.
 *
 * @param columns names of the table's columns that each row has, in the row's order; all key
 *     columns are among them
 * @param partial true to keep the stored value of the columns that are not listed
 * @param conflict what happens to a key that exists
 * @param deletes what a delete does
 * @param batchRows rows after which a batch leaves
 * @param batchBytes estimated bytes after which a batch leaves
 * @param flushInterval how long a row may wait in the writer
 * @param name names the writer in the server's status
 */
public record WriteOptions(
    List<String> columns,
    boolean partial,
    Conflict conflict,
    Deletes deletes,
    int batchRows,
    long batchBytes,
    Duration flushInterval,
    String name)
    implements Serializable {

  /** sink.on-conflict-action. */
  public enum Conflict {
    UPDATE,
    REPLACE,
    IGNORE
  }

  /** sink.delete-strategy. */
  public enum Deletes {
    /** A delete removes the row by its key. */
    APPLY,
    /** A delete is dropped. */
    IGNORE,
    /** A delete sets the columns that this writer writes, but not the key, to NULL. */
    NULL_COLUMNS
  }

  public WriteOptions {
    columns = List.copyOf(columns);
  }

  /** Full rows of all columns, upserted, deletes applied. */
  public static WriteOptions fullRows(TableDefinition table, String name) {
    return new WriteOptions(
        table.columns().stream().map(ColumnDefinition::name).toList(),
        false,
        Conflict.UPDATE,
        Deletes.APPLY,
        8192,
        2 << 20,
        Duration.ofMillis(50),
        name);
  }
}
