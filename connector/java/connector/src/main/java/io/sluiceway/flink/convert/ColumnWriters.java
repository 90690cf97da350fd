package io.sluiceway.flink.convert;

import org.apache.flink.table.types.logical.ArrayType;
import org.apache.flink.table.types.logical.DecimalType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.RowType;

/** Chooses the writer of a column by its type. */
final class ColumnWriters {
  private ColumnWriters() {}

  static ColumnWriter[] of(RowType type) {
    return type.getFields().stream()
        .map(field -> of(field.getName(), field.getType()))
        .toArray(ColumnWriter[]::new);
  }

  static ColumnWriter of(String column, LogicalType type) {
    return switch (type.getTypeRoot()) {
      case BOOLEAN -> new FixedWriters.Booleans();
      case TINYINT -> new FixedWriters.Bytes();
      case SMALLINT -> new FixedWriters.Shorts();
      case INTEGER, DATE, TIME_WITHOUT_TIME_ZONE -> new FixedWriters.Ints();
      case BIGINT -> new FixedWriters.Longs();
      case FLOAT -> new FixedWriters.Floats();
      case DOUBLE -> new FixedWriters.Doubles();
      case DECIMAL -> new DecimalWriter((DecimalType) type);
      case CHAR, VARCHAR -> new VariableWriters.Strings();
      case BINARY, VARBINARY -> new VariableWriters.Binaries();
      case TIMESTAMP_WITHOUT_TIME_ZONE, TIMESTAMP_WITH_LOCAL_TIME_ZONE ->
          new TimestampWriter(column, type);
      case ARRAY -> new ListWriter(of(column, ((ArrayType) type).getElementType()));
      default -> throw ArrowTypes.unsupported(type);
    };
  }
}
