package io.sluiceway.flink.sync.source;

import io.debezium.relational.Column;
import io.debezium.relational.Table;
import io.sluiceway.flink.sync.event.SyncEvent;
import io.sluiceway.flink.sync.event.TableShape;
import io.sluiceway.flink.sync.mysql.MySqlServer;
import io.sluiceway.flink.sync.mysql.SyncStoppedException;
import io.sluiceway.flink.sync.mysql.TargetTables;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.table.data.RowData;

/**
 * Reads one chunk after the other over one connection.
 *
 * <p>The columns are those of the start point. One added since is not read: the binlog, which is
 * followed from the start point, brings it with all its values. One dropped since fails the query.
 */
final class ChunkReader implements AutoCloseable {
  private static final int BATCH_ROWS = 1024;

  private final MySqlServer server;
  private final TargetTables targets;
  private Connection connection;
  private PreparedStatement statement;
  private ResultSet result;
  private TableShape shape;
  private JdbcValues values;

  ChunkReader(MySqlServer server, TargetTables targets) {
    this.server = server;
    this.targets = targets;
  }

  void open(SyncSplit.Chunk chunk) throws SQLException, SyncStoppedException {
    Table table = chunk.definition();
    shape = targets.shape(table);
    values = new JdbcValues(shape, instants(table), server.timeZone());
    if (connection == null) {
      connection = server.connect();
    }
    statement = connection.prepareStatement(ChunkSql.select(table, chunk.lower(), chunk.upper()));
    statement.setFetchSize(BATCH_ROWS);
    try {
      result = statement.executeQuery();
    } catch (SQLException e) {
      if (ChunkSql.isChanged(e)) {
        throw new SyncStoppedException(
            "table %s was changed while it was loaded; %s"
                .formatted(chunk.table(), SyncStoppedException.LOAD_AGAIN),
            e);
      }
      throw e;
    }
  }

  /** The next rows of the chunk, or null when it has no more; it is closed then. */
  SyncItem next() throws SQLException, SyncStoppedException {
    List<RowData> rows = new ArrayList<>(BATCH_ROWS);
    while (rows.size() < BATCH_ROWS && result.next()) {
      rows.add(values.row(result));
    }
    if (rows.isEmpty()) {
      closeChunk();
      return null;
    }
    return SyncItem.of(List.of(new SyncEvent.Rows(shape, rows)));
  }

  private static boolean[] instants(Table table) {
    boolean[] instants = new boolean[table.columns().size()];
    for (int i = 0; i < instants.length; i++) {
      Column column = table.columns().get(i);
      instants[i] = column.typeName().equalsIgnoreCase("TIMESTAMP");
    }
    return instants;
  }

  private void closeChunk() throws SQLException {
    result.close();
    statement.close();
    statement = null;
  }

  @Override
  public void close() throws SQLException {
    if (connection != null) {
      connection.close();
    }
  }
}
