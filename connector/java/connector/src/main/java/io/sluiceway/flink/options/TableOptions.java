package io.sluiceway.flink.options;

import io.sluiceway.flink.api.Retry;
import io.sluiceway.flink.api.WriteOptions;
import io.sluiceway.flink.options.Declaration.Scope;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.time.format.DateTimeParseException;
import java.time.format.ResolverStyle;
import java.time.temporal.ChronoField;
import java.time.temporal.ChronoUnit;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.apache.flink.table.api.ValidationException;

/** The options of a table in one statement, hints included. */
public final class TableOptions {
  /** Scopes that a table's WITH and a hint may use. */
  static final Set<Scope> SCOPES = EnumSet.complementOf(EnumSet.of(Scope.CATALOG));

  private static final DateTimeFormatter START_TIME =
      new DateTimeFormatterBuilder()
          .appendPattern("uuuu-MM-dd[ ]['T']HH:mm:ss")
          .appendFraction(ChronoField.NANO_OF_SECOND, 0, 9, true)
          .toFormatter(Locale.ROOT)
          .withResolverStyle(ResolverStyle.STRICT);

  private final Options options;

  private TableOptions(Options options) {
    this.options = options;
  }

  /**
   * Validates the options of a statement.
   *
   * @throws ValidationException that names everything that is wrong
   */
  public static TableOptions of(Map<String, String> texts) {
    return new TableOptions(Options.hinted(texts, SCOPES));
  }

  /** Where a table is. */
  public record Location(String endpoint, String database, String table) {}

  /**
   * Where the table is.
   *
   * @throws ValidationException that names what is missing
   */
  public Location location() {
    List<String> texts = options.require(Keys.ENDPOINT, Keys.DATABASE, Keys.TABLE);
    return new Location(texts.get(0), Keys.database(texts.get(1)), texts.get(2));
  }

  /** How long calls are repeated while the server is away. */
  public Retry retry() {
    return Keys.retry(options);
  }

  /**
   * How the table is read.
   *
   * @param zone the session's zone, in which {@code startTime} is written
   */
  public ReadOptions read(ZoneId zone) {
    String startTime = options.text("startTime");
    ReadOptions.Startup startup =
        startTime != null
            ? ReadOptions.Startup.TIMESTAMP
            : options.choice("source.binlog.startup-mode", ReadOptions.Startup.class);
    if (startup == ReadOptions.Startup.TIMESTAMP && startTime == null) {
      throw new ValidationException(
          "Option 'source.binlog.startup-mode' = 'TIMESTAMP' needs 'startTime': give a time such as"
              + " '2023-02-15 16:00:00'.");
    }
    return new ReadOptions(
        options.flag("source.binlog"),
        options.choice("source.binlog.change-log-mode", ReadOptions.ChangelogKinds.class),
        startup,
        startTime == null ? null : micros(startTime, zone),
        snapshotLsn(),
        options.integer("source.scan.fetch-size"),
        options.integer("source.binlog.batch-size"),
        options.integerOrNull("scan.parallelism"),
        retry());
  }

  /** The LSN at which the statement sees the table, or null for what is published. */
  public Long snapshotLsn() {
    return options.numberOrNull(Keys.SNAPSHOT_LSN);
  }

  private static long micros(String startTime, ZoneId zone) {
    try {
      LocalDateTime local = LocalDateTime.parse(startTime, START_TIME);
      return ChronoUnit.MICROS.between(Instant.EPOCH, local.atZone(zone));
    } catch (DateTimeParseException e) {
      throw new ValidationException(
          ("Option 'startTime' = '%s': it is a time of the calendar as yyyy-MM-dd HH:mm:ss, such as"
                  + " '2023-02-15 16:00:00'.")
              .formatted(startTime));
    }
  }

  /** How the table is looked up. */
  public LookupOptions lookup() {
    int timeoutMs = options.integer("lookup.read.timeout-ms");
    return new LookupOptions(
        options.flag("lookup.async"),
        options.integer("lookup.read.batch-size"),
        timeoutMs == 0 ? null : Duration.ofMillis(timeoutMs),
        options.text("lookup.cache").equals("PARTIAL") ? cache() : null,
        retry());
  }

  private LookupOptions.Cache cache() {
    return new LookupOptions.Cache(
        options.number("lookup.partial-cache.max-rows"),
        options.durationOrNull("lookup.partial-cache.expire-after-write"),
        options.durationOrNull("lookup.partial-cache.expire-after-access"),
        options.flag("lookup.partial-cache.cache-missing-key"));
  }

  /** How the table is written. */
  public WriteConfig write() {
    return new WriteConfig(
        conflict(),
        deletes(),
        options.flag("sink.partial-insert.enabled"),
        options.integer("sink.insert.batch-size"),
        options.number("sink.insert.batch-byte-size"),
        Duration.ofMillis(options.integer("sink.insert.flush-interval-ms")),
        options.durationOrNull("sink.update-before.wait-ms"),
        options.integerOrNull("sink.parallelism"),
        retry());
  }

  private WriteOptions.Conflict conflict() {
    return switch (options.text("sink.on-conflict-action")) {
      case "INSERT_OR_IGNORE" -> WriteOptions.Conflict.IGNORE;
      case "INSERT_OR_REPLACE" -> WriteOptions.Conflict.REPLACE;
      default -> WriteOptions.Conflict.UPDATE;
    };
  }

  private WriteOptions.Deletes deletes() {
    return switch (options.text("sink.delete-strategy")) {
      case "IGNORE_DELETE" -> WriteOptions.Deletes.IGNORE;
      case "NON_PK_FIELD_TO_NULL" -> WriteOptions.Deletes.NULL_COLUMNS;
      default -> WriteOptions.Deletes.APPLY;
    };
  }
}
