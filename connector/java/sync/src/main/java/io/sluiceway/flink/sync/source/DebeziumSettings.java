package io.sluiceway.flink.sync.source;

import io.sluiceway.flink.sync.mysql.MySqlServer;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * Debezium's settings.
 *
 * <p>What cannot be read must fail, never become NULL or be left out. Unreadable DDL is the one
 * exception: Debezium would also fail on that of other databases, so it is let through as a
 * statement without tables, and {@code SchemaTracker} decides whose it is.
 */
final class DebeziumSettings {
  static final String HISTORY_NAME = "schema.history.internal.sluiceway.name";

  private DebeziumSettings() {}

  static Map<String, String> of(MySqlServer server, String name, Collection<String> sequences) {
    Map<String, String> settings = new LinkedHashMap<>();
    settings.put("name", name);
    settings.put("topic.prefix", name);
    settings.put("connector.class", server.dialect().connectorClass());
    settings.put("database.hostname", server.hostname());
    settings.put("database.port", Integer.toString(server.port()));
    settings.put("database.user", server.username());
    settings.put("database.password", server.password());
    settings.put("database.server.id", Long.toString(server.serverId()));
    settings.put("database.include.list", Pattern.quote(server.database()));
    settings.put("table.include.list", server.includeList(sequences));
    settings.put("snapshot.mode", "no_data");
    events(settings);
    values(settings);
    timing(settings);
    settings.put(HISTORY_NAME, name);
    return settings;
  }

  private static void events(Map<String, String> settings) {
    settings.put("include.schema.changes", "true");
    settings.put("include.schema.comments", "true");
    settings.put("schema.history.internal", RecoveredHistory.class.getName());
    settings.put("schema.history.internal.skip.unparseable.ddl", "true");
    settings.put("schema.history.internal.store.only.captured.tables.ddl", "false");
    settings.put("skipped.operations", "none");
    settings.put("tombstones.on.delete", "false");
    settings.put("event.converting.failure.handling.mode", "fail");
    settings.put("event.processing.failure.handling.mode", "fail");
    settings.put("inconsistent.schema.handling.mode", "fail");
    settings.put("errors.max.retries", "0");
  }

  private static void values(Map<String, String> settings) {
    settings.put("decimal.handling.mode", "precise");
    settings.put("bigint.unsigned.handling.mode", "precise");
    settings.put("time.precision.mode", "adaptive_time_microseconds");
    settings.put("binary.handling.mode", "bytes");
    settings.put("enable.time.adjuster", "false"); // else year 2 is 2002, and no year 2000
    settings.put("converters", "uuid");
    settings.put("uuid.type", UuidConverter.class.getName());
  }

  private static void timing(Map<String, String> settings) {
    settings.put("poll.interval.ms", "10");
    settings.put("max.batch.size", "8192");
    settings.put("max.queue.size", "32768");
    settings.put("heartbeat.interval.ms", "2000");
    settings.put("connect.keep.alive.interval.ms", "2000");
  }
}
