package io.sluiceway.flink.sync.mysql;

import java.io.Serializable;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.ZoneId;
import java.util.Collection;
import java.util.Properties;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.mariadb.jdbc.Driver;

/**
 * Where the source database is, as whom to read it, and which of its tables.
 *
 * @param dialect which server answers there
 * @param serverId the id under which the binlog is read; unique among the server's replicas
 * @param tables full match of the names of the tables to follow
 * @param excluded full match of the names of tables to leave out, or null
 * @param ignoresCase whether the server compares names of tables without regard to case
 * @param timeZone the zone in which TIMESTAMP columns become TIMESTAMP, or null to keep the instant
 *     (TIMESTAMP_LTZ)
 */
public record MySqlServer(
    String hostname,
    int port,
    String username,
    String password,
    String database,
    Dialect dialect,
    long serverId,
    String tables,
    String excluded,
    boolean ignoresCase,
    ZoneId timeZone)
    implements Serializable {

  private static final String CONNECT_TIMEOUT_MS = "5000";
  private static final String SOCKET_TIMEOUT_MS = "120000";

  /** The same server, with what it was found to be and how it compares names. */
  public MySqlServer found(Dialect is, boolean comparesWithoutCase) {
    return new MySqlServer(
        hostname,
        port,
        username,
        password,
        database,
        is,
        serverId,
        tables,
        excluded,
        comparesWithoutCase,
        timeZone);
  }

  /**
   * Connects. The session's zone is UTC and statements are prepared on the server: the text
   * protocol would round FLOAT to six digits.
   */
  public Connection connect() throws SQLException {
    Properties properties = new Properties();
    properties.setProperty("user", username);
    properties.setProperty("password", password);
    properties.setProperty("connectTimeout", CONNECT_TIMEOUT_MS);
    properties.setProperty("socketTimeout", SOCKET_TIMEOUT_MS);
    properties.setProperty("useServerPrepStmts", "true");
    properties.setProperty("allowPublicKeyRetrieval", "true");
    properties.setProperty("tinyInt1isBit", "false");
    properties.setProperty("sessionVariables", "time_zone='+00:00'");
    Driver driver = new Driver();
    Connection connection = driver.connect(url(), properties);
    if (connection == null) {
      throw new SQLException("no driver takes " + url() + "; loaded: " + DriverManager.drivers());
    }
    return connection;
  }

  private String url() {
    return "jdbc:mariadb://" + hostname + ":" + port + "/";
  }

  /** Whether a table of the database is followed. */
  public boolean follows(String table) {
    return matches(tables, table) && (excluded == null || !matches(excluded, table));
  }

  private boolean matches(String pattern, String table) {
    int flags = ignoresCase ? Pattern.CASE_INSENSITIVE | Pattern.UNICODE_CASE : 0;
    return Pattern.compile(pattern, flags).matcher(table).matches();
  }

  /**
   * The choice of tables as Debezium's {@code table.include.list} wants it, which of itself
   * compares without regard to case.
   *
   * @param sequences names of what looks like a table in the binlog and is none
   */
  public String includeList(Collection<String> sequences) {
    String excluding = excluded == null ? "" : "(?!(?:" + excluded + ")$)";
    String none = sequences.stream().map(Pattern::quote).collect(Collectors.joining("|"));
    String without = none.isEmpty() ? "" : "(?!(?:" + none + ")$)";
    String flag = ignoresCase ? "(?i:" : "(?-i:";
    return flag + Pattern.quote(database) + "\\." + without + excluding + "(?:" + tables + "))";
  }

  /** How messages name the database. */
  public String label() {
    return hostname + ":" + port + "/" + database;
  }

  @Override
  public String toString() {
    return "MySqlServer[" + username + "@" + label() + "]";
  }
}
