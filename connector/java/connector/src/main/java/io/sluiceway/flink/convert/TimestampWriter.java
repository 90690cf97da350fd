package io.sluiceway.flink.convert;

import org.apache.flink.table.api.TableRuntimeException;
import org.apache.flink.table.data.ArrayData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.utils.LogicalTypeChecks;

/**
 * Timestamps as microseconds since 1970, or nanoseconds above precision 6.
 *
 * <p>Nanoseconds in 64 bits reach from 1677-09-21 to 2262-04-11; a value outside is refused by
 * name, never wrapped.
 */
final class TimestampWriter extends FixedWriters.Longs {
  private final String column;
  private final int precision;
  private final boolean nanoseconds;

  TimestampWriter(String column, LogicalType type) {
    this.column = column;
    this.precision = LogicalTypeChecks.getPrecision(type);
    this.nanoseconds = ArrowTypes.isNanoseconds(type);
  }

  @Override
  void append(int index, RowData row, int field) {
    put(index, encode(row.getTimestamp(field, precision)));
  }

  @Override
  void append(int index, ArrayData array, int element) {
    put(index, encode(array.getTimestamp(element, precision)));
  }

  private long encode(TimestampData value) {
    long milliseconds = value.getMillisecond();
    int nanoseconds = value.getNanoOfMillisecond();
    try {
      return this.nanoseconds
          ? wholeNanoseconds(milliseconds, nanoseconds)
          : Math.addExact(Math.multiplyExact(milliseconds, 1_000L), nanoseconds / 1_000);
    } catch (ArithmeticException e) {
      throw new TableRuntimeException(
          "[22008] timestamp %s of column \"%s\" is out of range: precision %d reaches %s"
              .formatted(
                  value,
                  column,
                  precision,
                  this.nanoseconds
                      ? "from 1677-09-21 to 2262-04-11; declare TIMESTAMP(6)"
                      : "292,000 years around 1970"),
          e);
    }
  }

  private static long wholeNanoseconds(long milliseconds, int nanoOfMillisecond) {
    // Before 1970 the product alone may overflow although the sum does not: count from the
    // millisecond above.
    return milliseconds < 0
        ? Math.addExact(
            Math.multiplyExact(milliseconds + 1, 1_000_000L), nanoOfMillisecond - 1_000_000L)
        : Math.addExact(Math.multiplyExact(milliseconds, 1_000_000L), nanoOfMillisecond);
  }
}
