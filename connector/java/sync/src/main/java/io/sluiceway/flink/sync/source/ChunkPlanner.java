package io.sluiceway.flink.sync.source;

import io.debezium.relational.Table;
import io.sluiceway.flink.sync.mysql.MySqlServer;
import io.sluiceway.flink.sync.mysql.Structures;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Cuts tables into chunks of about equal size by walking their primary key. */
final class ChunkPlanner {
  static final int CHUNK_ROWS = 32_768;

  private final MySqlServer server;

  ChunkPlanner(MySqlServer server) {
    this.server = server;
  }

  /** The chunks of a table; together they cover every key, also ones inserted later. */
  List<SyncSplit.Chunk> plan(String name, Structures structures) throws SQLException {
    Table table = structures.table(name);
    Structures own = new Structures(List.of(), Map.of(name, structures.tables().get(name)));
    List<SyncSplit.Chunk> chunks = new ArrayList<>();
    String lower = null;
    if (ChunkSql.isSplittable(table)) {
      try (Connection connection = server.connect();
          Statement sql = connection.createStatement()) {
        for (String upper; (upper = upperBound(sql, table, lower)) != null; lower = upper) {
          chunks.add(new SyncSplit.Chunk(name, chunks.size(), own, lower, upper, false));
        }
      }
    }
    chunks.add(new SyncSplit.Chunk(name, chunks.size(), own, lower, null, false));
    return chunks;
  }

  private static String upperBound(Statement sql, Table table, String lower) throws SQLException {
    try (ResultSet result = sql.executeQuery(ChunkSql.upperBound(table, lower, CHUNK_ROWS))) {
      return result.next() ? ChunkSql.literal(table, result) : null;
    }
  }
}
