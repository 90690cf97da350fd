package io.sluiceway.flink.sync.mysql;

/** Names in SQL text. */
final class Identifiers {
  private Identifiers() {}

  static String quote(String name) {
    return "`" + name.replace("`", "``") + "`";
  }

  static String quote(String database, String table) {
    return quote(database) + "." + quote(table);
  }
}
