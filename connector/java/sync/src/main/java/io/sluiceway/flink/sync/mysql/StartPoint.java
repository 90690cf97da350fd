package io.sluiceway.flink.sync.mysql;

import io.debezium.relational.Table;
import io.debezium.relational.Tables;
import io.debezium.relational.ddl.DdlParser;
import java.io.Serializable;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * One position of the binlog and the structures of all followed tables there, read under a global
 * read lock that is held for some milliseconds.
 *
 * @param offset the position as Debezium writes it: {@code file}, {@code pos}, {@code gtids}
 */
public record StartPoint(Map<String, Object> offset, Structures structures)
    implements Serializable {

  public StartPoint {
    offset = Map.copyOf(offset);
  }

  /** Reads the position and the structures of {@code names}. */
  public static StartPoint read(MySqlServer server, Connection connection, List<String> names)
      throws SQLException, SyncStoppedException {
    Map<String, Object> offset;
    List<String> settings = new ArrayList<>();
    Map<String, String> statements = new TreeMap<>();
    try (Statement sql = connection.createStatement()) {
      sql.execute("FLUSH TABLES WITH READ LOCK");
      try {
        offset = position(server.dialect(), sql);
        settings.add("SET character_set_server=" + text(sql, "SELECT @@character_set_server", 1));
        settings.add(text(sql, "SHOW CREATE DATABASE " + Identifiers.quote(server.database()), 2));
        for (String name : names) {
          String table = Identifiers.quote(server.database(), name);
          statements.put(name, text(sql, "SHOW CREATE TABLE " + table, 2));
        }
      } finally {
        sql.execute("UNLOCK TABLES");
      }
    }
    return new StartPoint(offset, parse(server, settings, statements));
  }

  private static Map<String, Object> position(Dialect dialect, Statement sql) throws SQLException {
    Map<String, Object> offset = new HashMap<>();
    try (ResultSet rows = showPosition(sql)) {
      if (!rows.next()) {
        throw new SQLException("the server has no binlog position: is log_bin on?");
      }
      offset.put("file", rows.getString(1));
      offset.put("pos", rows.getLong(2));
      if (dialect == Dialect.MYSQL && !rows.getString(5).isBlank()) {
        offset.put("gtids", rows.getString(5).replaceAll("\\s", ""));
      }
    }
    if (dialect == Dialect.MARIADB) {
      offset.put("gtids", text(sql, "SELECT @@global.gtid_binlog_pos", 1));
    }
    return offset;
  }

  private static ResultSet showPosition(Statement sql) throws SQLException {
    try {
      return sql.executeQuery("SHOW MASTER STATUS");
    } catch (SQLException renamedInMySql84) {
      return sql.executeQuery("SHOW BINARY LOG STATUS");
    }
  }

  private static Structures parse(
      MySqlServer server, List<String> settings, Map<String, String> statements)
      throws SyncStoppedException {
    DdlParser parser = server.dialect().parser();
    Tables tables = new Tables();
    settings.forEach(statement -> parser.parse(statement, tables));
    parser.setCurrentSchema(server.database());
    for (Map.Entry<String, String> statement : statements.entrySet()) {
      try {
        parser.parse(statement.getValue(), tables);
      } catch (RuntimeException e) { // the parser throws its own, its library's and others
        throw new SyncStoppedException(
            ("table %s cannot be read, for Debezium's parser does not know its definition (such as"
                    + " columns of type INET4 or INET6): leave it out with excluding_tables => '%s'; %s")
                .formatted(statement.getKey(), statement.getKey(), statement.getValue()));
      }
    }
    List<Table> found = tables.tableIds().stream().map(tables::forTable).toList();
    return Structures.of(settings, found);
  }

  private static String text(Statement sql, String query, int column) throws SQLException {
    try (ResultSet rows = sql.executeQuery(query)) {
      rows.next();
      return rows.getString(column);
    }
  }
}
