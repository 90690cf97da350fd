package io.sluiceway.flink.sync.mysql;

import io.debezium.relational.Column;
import java.time.ZoneId;
import java.util.Optional;
import org.apache.flink.table.types.logical.BigIntType;
import org.apache.flink.table.types.logical.BooleanType;
import org.apache.flink.table.types.logical.DateType;
import org.apache.flink.table.types.logical.DecimalType;
import org.apache.flink.table.types.logical.DoubleType;
import org.apache.flink.table.types.logical.FloatType;
import org.apache.flink.table.types.logical.IntType;
import org.apache.flink.table.types.logical.LocalZonedTimestampType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.SmallIntType;
import org.apache.flink.table.types.logical.TimeType;
import org.apache.flink.table.types.logical.TimestampType;
import org.apache.flink.table.types.logical.VarBinaryType;
import org.apache.flink.table.types.logical.VarCharType;

/**
 * The warehouse's type of each MySQL type. No value is rounded or cut, except fractions of a TIME
 * below the millisecond.
 */
public final class TypeMapping {
  private static final int MAX_DECIMAL_DIGITS = 38;
  private static final int MAX_TIME_DIGITS = 3;

  private final ZoneId timeZone;

  /** TIMESTAMP becomes TIMESTAMP in {@code timeZone}, or TIMESTAMP_LTZ when that is null. */
  public TypeMapping(ZoneId timeZone) {
    this.timeZone = timeZone;
  }

  /** The type with the column's nullability, or empty when it cannot be stored. */
  public Optional<LogicalType> type(Column column) {
    return Optional.ofNullable(base(column)).map(type -> type.copy(column.isOptional()));
  }

  private LogicalType base(Column column) {
    String name = column.typeName().toUpperCase().replace(" ZEROFILL", "");
    boolean unsigned = name.endsWith(" UNSIGNED") || column.typeName().endsWith("ZEROFILL");
    return switch (name.replace(" UNSIGNED", "").replace(" SIGNED", "")) {
      case "TINYINT", "INT1", "BOOL", "BOOLEAN" -> new SmallIntType();
      case "SMALLINT", "INT2" -> unsigned ? new IntType() : new SmallIntType();
      case "MEDIUMINT", "INT3", "MIDDLEINT", "YEAR" -> new IntType();
      case "INT", "INTEGER", "INT4" -> unsigned ? new BigIntType() : new IntType();
      case "BIGINT", "INT8", "SERIAL" -> unsigned ? new DecimalType(20, 0) : new BigIntType();
      case "FLOAT", "FLOAT4" -> column.length() > 24 ? new DoubleType() : new FloatType();
      case "DOUBLE", "REAL", "DOUBLE PRECISION", "FLOAT8" -> new DoubleType();
      case "DECIMAL", "NUMERIC", "DEC", "FIXED" -> decimal(column);
      case "BIT" -> column.length() <= 1 ? new BooleanType() : bytes();
      case "DATE" -> new DateType();
      case "TIME" -> new TimeType(Math.min(digits(column), MAX_TIME_DIGITS));
      case "DATETIME" -> new TimestampType(digits(column));
      case "TIMESTAMP" -> instant(digits(column));
      default -> text(name);
    };
  }

  private static LogicalType text(String name) {
    if (name.contains("CHAR") || name.endsWith("TEXT") || name.startsWith("LONG VARCHAR")) {
      return new VarCharType(VarCharType.MAX_LENGTH);
    }
    return switch (name) {
      case "ENUM", "SET", "JSON", "UUID", "INET4", "INET6" ->
          new VarCharType(VarCharType.MAX_LENGTH);
      case "BINARY", "VARBINARY", "TINYBLOB", "BLOB", "MEDIUMBLOB", "LONGBLOB", "LONG VARBINARY" ->
          bytes();
      default -> null;
    };
  }

  private static LogicalType decimal(Column column) {
    int precision = column.length() > 0 ? column.length() : 10;
    int scale = column.scale().orElse(0);
    return precision > MAX_DECIMAL_DIGITS
        ? new VarCharType(VarCharType.MAX_LENGTH)
        : new DecimalType(precision, scale);
  }

  private LogicalType instant(int digits) {
    return timeZone == null ? new LocalZonedTimestampType(digits) : new TimestampType(digits);
  }

  private static LogicalType bytes() {
    return new VarBinaryType(VarBinaryType.MAX_LENGTH);
  }

  private static int digits(Column column) {
    return Math.max(0, column.length());
  }
}
