package io.sluiceway.flink.sync.mysql;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Looks at a server before anything is started, and collects every problem with its cure, so that
 * they can be put right at once.
 */
public final class Preflight {
  private static final Map<String, String> WANTED =
      Map.of(
          "log_bin", "ON",
          "binlog_format", "ROW",
          "binlog_row_image", "FULL");

  private final MySqlServer server;
  private final Connection connection;
  private final List<String> problems = new ArrayList<>();

  public Preflight(MySqlServer server, Connection connection) {
    this.server = server;
    this.connection = connection;
  }

  /** Which server this is. */
  public static Dialect dialect(Connection connection) throws SQLException {
    try (Statement sql = connection.createStatement();
        ResultSet rows = sql.executeQuery("SELECT version()")) {
      rows.next();
      return Dialect.of(rows.getString(1));
    }
  }

  /** Whether the server compares names of tables without regard to case. */
  public static boolean ignoresCase(Connection connection) throws SQLException {
    try (Statement sql = connection.createStatement();
        ResultSet rows = sql.executeQuery("SELECT @@lower_case_table_names")) {
      rows.next();
      return rows.getInt(1) != 0;
    }
  }

  /** Checks the server's settings and the user's privileges. */
  public List<String> problems() throws SQLException {
    for (Map.Entry<String, String> wanted : WANTED.entrySet()) {
      checkVariable(wanted.getKey(), wanted.getValue());
    }
    if ("0".equals(variable("server_id"))) {
      problems.add("server_id is 0: set it to any other number and restart the server");
    }
    checkGrants();
    return problems;
  }

  private void checkVariable(String name, String wanted) throws SQLException {
    String value = variable(name);
    if (!wanted.equalsIgnoreCase(value)) {
      problems.add(
          "%s is %s: set it to %s in the server's configuration and restart the server"
              .formatted(name, value, wanted));
    }
  }

  private String variable(String name) throws SQLException {
    try (Statement sql = connection.createStatement();
        ResultSet rows = sql.executeQuery("SHOW GLOBAL VARIABLES LIKE '" + name + "'")) {
      return rows.next() ? rows.getString(2) : null;
    }
  }

  private void checkGrants() throws SQLException {
    List<String> grants = new ArrayList<>();
    try (Statement sql = connection.createStatement();
        ResultSet rows = sql.executeQuery("SHOW GRANTS")) {
      while (rows.next()) {
        grants.add(rows.getString(1).toUpperCase(Locale.ROOT));
      }
    }
    boolean hasRole = grants.stream().anyMatch(grant -> !grant.contains(" ON "));
    boolean isAllowed = hasRole || grants.stream().anyMatch(g -> g.startsWith("GRANT ALL "));
    for (String privilege : List.of("RELOAD", "REPLICATION SLAVE")) {
      require(isAllowed, grants, privilege, privilege);
    }
    require(isAllowed, grants, "REPLICATION CLIENT", server.dialect().positionPrivilege());
  }

  private void require(boolean isAllowed, List<String> grants, String privilege, String alias) {
    boolean isGranted =
        grants.stream()
            .filter(grant -> grant.contains(" ON *.*"))
            .anyMatch(grant -> grant.contains(privilege) || grant.contains(alias));
    if (!isAllowed && !isGranted) {
      problems.add(
          "user %s lacks %s: GRANT %s ON *.* TO '%s'@'%%'"
              .formatted(server.username(), privilege, privilege, server.username()));
    }
  }

  /** Names of the sequences of a database. */
  public static List<String> sequences(Connection connection, String database) throws SQLException {
    return named(connection, database, "SEQUENCE");
  }

  private static List<String> named(Connection connection, String database, String kind)
      throws SQLException {
    List<String> names = new ArrayList<>();
    String query =
        "SELECT table_name FROM information_schema.tables"
            + " WHERE table_schema = ? AND table_type = ? ORDER BY table_name";
    try (var sql = connection.prepareStatement(query)) {
      sql.setString(1, database);
      sql.setString(2, kind);
      try (ResultSet rows = sql.executeQuery()) {
        while (rows.next()) {
          names.add(rows.getString(1));
        }
      }
    }
    return names;
  }

  private List<String> followed(String kind) throws SQLException {
    return named(connection, server.database(), kind).stream().filter(server::follows).toList();
  }

  /** Names of the tables to follow: base tables, without sequences and views. */
  public List<String> tables() throws SQLException {
    List<String> names = followed("BASE TABLE");
    for (String table : followed("SYSTEM VERSIONED")) {
      problems.add(
          ("table %s is system-versioned, and old versions of its rows are rows in the binlog too:"
                  + " leave it out with excluding_tables => '%s'")
              .formatted(table, table));
    }
    if (names.isEmpty()) {
      problems.add(
          ("database %s has no table that user %s may read and that matches '%s': "
                  + "check its name, GRANT SELECT ON %s.* TO '%s'@'%%'")
              .formatted(
                  server.database(),
                  server.username(),
                  server.tables(),
                  Identifiers.quote(server.database()),
                  server.username()));
    }
    return names;
  }
}
