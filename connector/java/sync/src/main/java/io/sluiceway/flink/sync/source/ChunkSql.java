package io.sluiceway.flink.sync.source;

import io.debezium.relational.Column;
import io.debezium.relational.Table;
import java.nio.charset.StandardCharsets;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.HexFormat;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * The statements that cut a table into chunks and read them.
 *
 * <p>Bounds are values of the first key column as SQL literals that the server made and compares
 * itself, by the column's own collation: chunks are disjoint whatever that is.
 */
final class ChunkSql {
  private static final int UNKNOWN_COLUMN = 1054;
  private static final int UNKNOWN_TABLE = 1146;

  private ChunkSql() {}

  /** Reads one chunk; a bound may be null. */
  static String select(Table table, String lower, String upper) {
    String columns =
        table.columns().stream().map(c -> quote(c.name())).collect(Collectors.joining(", "));
    String sql = "SELECT " + columns + " FROM " + name(table);
    String key = quote(key(table).name());
    String above = lower == null ? "" : key + " > " + lower;
    String upTo = upper == null ? "" : key + " <= " + upper;
    String both = above.isEmpty() || upTo.isEmpty() ? above + upTo : above + " AND " + upTo;
    return both.isEmpty() ? sql : sql + " WHERE " + both;
  }

  /** Finds the upper bound of the chunk above {@code lower}; no row when it is the last one. */
  static String upperBound(Table table, String lower, int rows) {
    String key = quote(key(table).name());
    String above = lower == null ? "" : " WHERE " + key + " > " + lower;
    return "SELECT %s FROM %s%s ORDER BY %s LIMIT 1 OFFSET %d"
        .formatted(key, name(table), above, key, rows - 1);
  }

  /** Whether the table can be cut; others are one chunk. */
  static boolean isSplittable(Table table) {
    return literalKind(key(table)) != Literal.NONE;
  }

  /** The literal of the first column of a result of {@link #upperBound}. */
  static String literal(Table table, ResultSet result) throws SQLException {
    return switch (literalKind(key(table))) {
      case NUMBER -> result.getBigDecimal(1).toPlainString();
      case TEXT -> "_utf8mb4 X'" + hex(result.getString(1).getBytes(StandardCharsets.UTF_8)) + "'";
      case BYTES -> "X'" + hex(result.getBytes(1)) + "'";
      case NONE -> throw new IllegalStateException(table.id() + " cannot be cut");
    };
  }

  /** Whether the table no longer has the columns of the start point. */
  static boolean isChanged(SQLException e) {
    return e.getErrorCode() == UNKNOWN_COLUMN || e.getErrorCode() == UNKNOWN_TABLE;
  }

  private enum Literal {
    NUMBER,
    TEXT,
    BYTES,
    NONE
  }

  private static Literal literalKind(Column key) {
    String type = key.typeName().toUpperCase(Locale.ROOT).split(" ")[0];
    return switch (type) {
      case "TINYINT", "SMALLINT", "MEDIUMINT", "INT", "INTEGER", "BIGINT", "DECIMAL", "NUMERIC" ->
          Literal.NUMBER;
      case "CHAR", "VARCHAR" -> Literal.TEXT;
      case "BINARY", "VARBINARY" -> Literal.BYTES;
      default -> Literal.NONE;
    };
  }

  private static Column key(Table table) {
    return table.primaryKeyColumns().get(0);
  }

  private static String name(Table table) {
    return quote(table.id().catalog()) + "." + quote(table.id().table());
  }

  private static String quote(String name) {
    return "`" + name.replace("`", "``") + "`";
  }

  private static String hex(byte[] bytes) {
    return HexFormat.of().formatHex(bytes);
  }
}
