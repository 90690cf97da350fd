package io.sluiceway.flink.convert;

import java.util.ArrayList;
import java.util.List;
import org.apache.arrow.vector.types.DateUnit;
import org.apache.arrow.vector.types.FloatingPointPrecision;
import org.apache.arrow.vector.types.TimeUnit;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.FieldType;
import org.apache.arrow.vector.types.pojo.Schema;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.table.types.logical.ArrayType;
import org.apache.flink.table.types.logical.DecimalType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.table.types.logical.utils.LogicalTypeChecks;

/** The one mapping of Flink's types to Arrow's (docs/wire.md, "Arrow types"). */
public final class ArrowTypes {
  /** Name of the first column, which has rows' kinds: none, for a table may have a column _op. */
  public static final String OP = "";

  /** What a column may be, for messages. */
  public static final String STORED =
      "BOOLEAN, an integer, FLOAT, DOUBLE, DECIMAL, CHAR, VARCHAR, STRING, BYTES, DATE, TIME,"
          + " TIMESTAMP, TIMESTAMP_LTZ or an ARRAY of these";

  /** The precision up to which a timestamp travels in microseconds; above it in nanoseconds. */
  static final int MICROSECOND_PRECISION = 6;

  private ArrowTypes() {}

  /**
   * The schema of a stream of rows. Every field is nullable on the wire: a delete carries NULL in
   * columns that are NOT NULL in the table.
   *
   * @param withOp true to put the rows' kinds, int8, first
   */
  public static Schema schema(RowType type, boolean withOp) {
    List<Field> fields = new ArrayList<>();
    if (withOp) {
      fields.add(Field.notNullable(OP, new ArrowType.Int(8, true)));
    }
    for (RowType.RowField field : type.getFields()) {
      fields.add(field(field.getName(), field.getType()));
    }
    return new Schema(fields);
  }

  static Field field(String name, LogicalType type) {
    List<Field> children =
        type instanceof ArrayType array ? List.of(field("item", array.getElementType())) : null;
    return new Field(name, FieldType.nullable(arrowType(type)), children);
  }

  /**
   * The Arrow type of a Flink type.
   *
   * @throws ValidationException for a type that a table cannot have
   */
  public static ArrowType arrowType(LogicalType type) {
    return switch (type.getTypeRoot()) {
      case BOOLEAN -> ArrowType.Bool.INSTANCE;
      case TINYINT -> new ArrowType.Int(8, true);
      case SMALLINT -> new ArrowType.Int(16, true);
      case INTEGER -> new ArrowType.Int(32, true);
      case BIGINT -> new ArrowType.Int(64, true);
      case FLOAT -> new ArrowType.FloatingPoint(FloatingPointPrecision.SINGLE);
      case DOUBLE -> new ArrowType.FloatingPoint(FloatingPointPrecision.DOUBLE);
      case DECIMAL -> {
        DecimalType decimal = (DecimalType) type;
        yield new ArrowType.Decimal(decimal.getPrecision(), decimal.getScale(), 128);
      }
      case CHAR, VARCHAR -> ArrowType.Utf8.INSTANCE;
      case BINARY, VARBINARY -> ArrowType.Binary.INSTANCE;
      case DATE -> new ArrowType.Date(DateUnit.DAY);
      case TIME_WITHOUT_TIME_ZONE -> new ArrowType.Time(TimeUnit.MILLISECOND, 32);
      case TIMESTAMP_WITHOUT_TIME_ZONE -> new ArrowType.Timestamp(unit(type), null);
      case TIMESTAMP_WITH_LOCAL_TIME_ZONE -> new ArrowType.Timestamp(unit(type), "UTC");
      case ARRAY -> ArrowType.List.INSTANCE;
      default -> throw unsupported(type);
    };
  }

  static boolean isNanoseconds(LogicalType type) {
    return LogicalTypeChecks.getPrecision(type) > MICROSECOND_PRECISION;
  }

  private static TimeUnit unit(LogicalType type) {
    return isNanoseconds(type) ? TimeUnit.NANOSECOND : TimeUnit.MICROSECOND;
  }

  /** Whether a type is one of {@link #STORED}, arrays of them aside. */
  public static boolean isStored(LogicalType type) {
    return switch (type.getTypeRoot()) {
      case BOOLEAN,
          TINYINT,
          SMALLINT,
          INTEGER,
          BIGINT,
          FLOAT,
          DOUBLE,
          DECIMAL,
          CHAR,
          VARCHAR,
          BINARY,
          VARBINARY,
          DATE,
          TIME_WITHOUT_TIME_ZONE,
          TIMESTAMP_WITHOUT_TIME_ZONE,
          TIMESTAMP_WITH_LOCAL_TIME_ZONE ->
          true;
      default -> false;
    };
  }

  static ValidationException unsupported(LogicalType type) {
    return new ValidationException(
        "type %s cannot be stored: use %s".formatted(type.asSummaryString(), STORED));
  }
}
