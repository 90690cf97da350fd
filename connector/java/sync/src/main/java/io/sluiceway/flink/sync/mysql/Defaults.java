package io.sluiceway.flink.sync.mysql;

import io.debezium.relational.Column;
import java.math.BigDecimal;
import java.util.regex.Pattern;
import org.apache.flink.table.types.logical.LogicalType;

/** The value that rows which exist already have in an added column. */
final class Defaults {
  private static final Pattern DATE = Pattern.compile("\\d{4}-\\d{2}-\\d{2}( .*)?");
  private static final Pattern TIME =
      Pattern.compile("([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(\\.\\d+)?");

  private Defaults() {}

  /**
   * The default as the warehouse parses it, or null for NULL.
   *
   * @throws SyncStoppedException when MySQL computes a value for each row
   */
  static String text(Column column, LogicalType type) throws SyncStoppedException {
    String expression = column.defaultValueExpression().orElse(null);
    if (expression == null) {
      return column.isOptional() ? null : implicit(column, type);
    }
    return switch (type.getTypeRoot()) {
      case SMALLINT, INTEGER, BIGINT, DECIMAL, FLOAT, DOUBLE -> number(column, expression);
      case BOOLEAN -> String.valueOf(expression.replaceAll("[^01]", "").contains("1"));
      case VARCHAR -> SqlText.value(expression);
      case DATE, TIMESTAMP_WITHOUT_TIME_ZONE, TIME_WITHOUT_TIME_ZONE -> literal(column, expression);
      default -> throw computed(column, expression);
    };
  }

  /** What MySQL fills in for a NOT NULL column without a default. */
  private static String implicit(Column column, LogicalType type) throws SyncStoppedException {
    return switch (type.getTypeRoot()) {
      case SMALLINT, INTEGER, BIGINT, DECIMAL, FLOAT, DOUBLE -> "0";
      case BOOLEAN -> "false";
      case VARCHAR -> column.enumValues().isEmpty() ? "" : firstOption(column);
      default -> throw computed(column, "none, NOT NULL");
    };
  }

  private static String firstOption(Column column) {
    String option = column.enumValues().get(0);
    return column.typeName().equals("SET") ? "" : SqlText.value(option.replaceAll("^'|'$", ""));
  }

  private static String number(Column column, String expression) throws SyncStoppedException {
    if (expression.equalsIgnoreCase("true") || expression.equalsIgnoreCase("false")) {
      return expression.equalsIgnoreCase("true") ? "1" : "0";
    }
    try {
      return new BigDecimal(expression.strip()).toPlainString();
    } catch (NumberFormatException e) {
      throw computed(column, expression);
    }
  }

  /** Zero dates have no counterpart; the parser gives the epoch's midnight for a computed value. */
  private static String literal(Column column, String expression) throws SyncStoppedException {
    if (TIME.matcher(expression).matches()
        || DATE.matcher(expression).matches()
            && !expression.contains("-00")
            && !expression.startsWith("1970-01-01 00:00:00")) {
      return expression;
    }
    throw computed(column, expression);
  }

  private static SyncStoppedException computed(Column column, String expression) {
    return new SyncStoppedException(
        "added column %s %s has default %s, whose value in rows that exist is not in the binlog"
            .formatted(column.name(), column.typeName(), expression));
  }
}
