package io.sluiceway.flink.sync.source;

import io.debezium.relational.Table;
import io.sluiceway.flink.sync.mysql.Structures;
import java.util.Map;
import org.apache.flink.api.connector.source.SourceSplit;

/** A piece of the source database: part of a table as it is now, or its history from a position. */
public sealed interface SyncSplit extends SourceSplit {

  /**
   * The rows of a table whose first key column is above {@code lower} and at most {@code upper}.
   *
   * @param number numbers the table's chunks
   * @param structure the table's structure at the start point, as the only entry
   * @param lower an SQL literal, or null for no bound
   * @param upper an SQL literal, or null for no bound
   * @param finished all rows have been emitted; kept until a checkpoint with them is reported
   */
  record Chunk(
      String table, int number, Structures structure, String lower, String upper, boolean finished)
      implements SyncSplit {

    @Override
    public String splitId() {
      return table + "#" + number;
    }

    Table definition() {
      return structure.table(table);
    }

    Chunk asFinished() {
      return new Chunk(table, number, structure, lower, upper, true);
    }
  }

  /**
   * The binlog from a position on.
   *
   * @param offset Debezium's source offset of the last record that was emitted
   * @param structures the tables at that position
   */
  record Binlog(Map<String, Object> offset, Structures structures) implements SyncSplit {
    static final String ID = "binlog";

    @Override
    public String splitId() {
      return ID;
    }
  }

  /** The table of a chunk's id. */
  static String tableOf(String chunkId) {
    return chunkId.substring(0, chunkId.lastIndexOf('#'));
  }
}
