package io.sluiceway.flink.sync;

import io.sluiceway.flink.sync.mysql.Dialect;
import io.sluiceway.flink.sync.mysql.MySqlServer;
import java.time.Duration;
import java.time.ZoneId;
import java.util.Locale;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.util.TimeUtils;

/**
 * The checked arguments of {@code sync_database}.
 *
 * @param server the source; its dialect is null when the server is to be asked
 * @param target the database in the warehouse
 * @param waitForLoad return only when all tables are loaded
 * @param timeout how long to wait for that
 * @param parallelism readers and writers of the load
 * @param replace drop target tables that exist
 * @param savepoint where to resume from, or null
 */
record SyncRequest(
    MySqlServer server,
    String target,
    boolean waitForLoad,
    Duration timeout,
    int parallelism,
    boolean replace,
    String savepoint) {

  private static final int DEFAULT_PORT = 3306;
  private static final int FIRST_RANDOM_ID = 100_000;

  /** The arguments as SQL gives them: null for each that was left out. */
  record Arguments(
      String hostname,
      Integer port,
      String username,
      String password,
      String database,
      String target,
      String serverId,
      String includingTables,
      String excludingTables,
      String waitFor,
      String timeout,
      Integer parallelism,
      String timeZone,
      String serverKind,
      Boolean replace,
      String savepoint) {}

  static SyncRequest of(Arguments arguments) {
    String database = required("database", arguments.database());
    MySqlServer server =
        new MySqlServer(
            required("hostname", arguments.hostname()),
            arguments.port() == null ? DEFAULT_PORT : arguments.port(),
            required("username", arguments.username()),
            arguments.password() == null ? "" : arguments.password(),
            database,
            dialect(arguments.serverKind()),
            serverId(arguments.serverId()),
            arguments.includingTables() == null
                ? ".*"
                : pattern("including_tables", arguments.includingTables()),
            arguments.excludingTables() == null
                ? null
                : pattern("excluding_tables", arguments.excludingTables()),
            false,
            arguments.timeZone() == null ? null : ZoneId.of(arguments.timeZone()));
    return new SyncRequest(
        server,
        arguments.target() == null ? database : arguments.target(),
        isLoaded(arguments.waitFor()),
        arguments.timeout() == null
            ? Duration.ofMinutes(10)
            : TimeUtils.parseDuration(arguments.timeout()),
        arguments.parallelism() == null ? 1 : arguments.parallelism(),
        Boolean.TRUE.equals(arguments.replace()),
        arguments.savepoint());
  }

  private static String required(String name, String value) {
    if (value == null || value.isBlank()) {
      throw new ValidationException("sync_database needs %s => '…'".formatted(name));
    }
    return value;
  }

  private static Dialect dialect(String kind) {
    String name = kind == null ? "auto" : kind.toLowerCase(Locale.ROOT);
    return switch (name) {
      case "auto" -> null;
      case "mariadb" -> Dialect.MARIADB;
      case "mysql" -> Dialect.MYSQL;
      default -> throw wrong("server_kind", kind, "auto, mysql or mariadb");
    };
  }

  /** One id, or the first of a range as other connectors write it; by default a random one. */
  private static long serverId(String text) {
    if (text == null) {
      return ThreadLocalRandom.current().nextInt(FIRST_RANDOM_ID, Integer.MAX_VALUE);
    }
    if (!text.matches("[1-9]\\d{0,9}(-[1-9]\\d{0,9})?")) {
      throw wrong("server_id", text, "a number or a range such as 8001-8004");
    }
    return Long.parseLong(text.split("-")[0]);
  }

  /** Regular expressions with commas between them, as one. */
  private static String pattern(String name, String text) {
    try {
      return Pattern.compile(text.strip().replaceAll("\\s*,\\s*", "|")).pattern();
    } catch (PatternSyntaxException e) {
      throw wrong(name, text, "a regular expression (" + e.getMessage() + ")");
    }
  }

  private static boolean isLoaded(String waitFor) {
    return switch (waitFor == null ? "submitted" : waitFor) {
      case "submitted" -> false;
      case "loaded" -> true;
      default -> throw wrong("wait", waitFor, "submitted or loaded");
    };
  }

  private static ValidationException wrong(String name, String value, String wanted) {
    return new ValidationException("%s => '%s' is not %s".formatted(name, value, wanted));
  }
}
