package io.sluiceway.flink.convert;

import io.sluiceway.flink.api.UnreadableException;
import java.math.BigDecimal;
import java.math.RoundingMode;
import org.apache.arrow.vector.BaseVariableWidthVector;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.complex.ListVector;
import org.apache.arrow.vector.types.FloatingPointPrecision;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.flink.table.data.columnar.vector.heap.AbstractHeapVector;
import org.apache.flink.table.data.columnar.vector.heap.HeapByteVector;
import org.apache.flink.table.data.columnar.vector.heap.HeapFloatVector;
import org.apache.flink.table.data.columnar.vector.heap.HeapIntVector;
import org.apache.flink.table.data.columnar.vector.heap.HeapLongVector;
import org.apache.flink.table.data.columnar.vector.heap.HeapShortVector;
import org.apache.flink.table.types.logical.ArrayType;
import org.apache.flink.table.types.logical.DecimalType;
import org.apache.flink.table.types.logical.DoubleType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.LogicalTypeFamily;
import org.apache.flink.table.types.logical.VarBinaryType;
import org.apache.flink.table.types.logical.VarCharType;
import org.apache.flink.table.types.logical.utils.LogicalTypeChecks;

/**
 * Reads a column that was widened since the job was planned: a value that the planned type holds is
 * read as it is, any other ends the job.
 */
final class Narrowing {
  private final String column;
  private final LogicalType planned;

  private Narrowing(String column, LogicalType planned) {
    this.column = column;
    this.planned = planned;
  }

  /** Whether a column of the planned type may have the type that is sent by now, wider or not. */
  static boolean applies(LogicalType planned, Field sent) {
    if (planned instanceof ArrayType array && sent.getType() instanceof ArrowType.List) {
      return applies(array.getElementType(), sent.getChildren().get(0));
    }
    return ArrowTypes.matches(planned, sent)
        || switch (planned.getTypeRoot()) {
          case TINYINT -> isWider(sent.getType(), Byte.SIZE, 3);
          case SMALLINT -> isWider(sent.getType(), Short.SIZE, 5);
          case INTEGER -> isWider(sent.getType(), Integer.SIZE, 10);
          case BIGINT -> isWider(sent.getType(), Long.SIZE, 19);
          case FLOAT -> sent.getType().equals(ArrowTypes.arrowType(new DoubleType()));
          case DECIMAL -> isWider(sent.getType(), (DecimalType) planned);
          default -> false;
        };
  }

  private static boolean isWider(ArrowType sent, int bits, int digits) {
    if (sent instanceof ArrowType.Int whole) {
      return whole.getBitWidth() > bits;
    }
    if (sent instanceof ArrowType.FloatingPoint floating) {
      boolean isDouble = floating.getPrecision() == FloatingPointPrecision.DOUBLE;
      return bits < (isDouble ? Long.SIZE : Integer.SIZE);
    }
    return sent instanceof ArrowType.Decimal decimal
        && decimal.getPrecision() - decimal.getScale() >= digits;
  }

  private static boolean isWider(ArrowType sent, DecimalType planned) {
    return sent instanceof ArrowType.Decimal decimal
        && decimal.getScale() >= planned.getScale()
        && decimal.getPrecision() - decimal.getScale()
            >= planned.getPrecision() - planned.getScale();
  }

  /**
   * Decodes a column.
   *
   * @throws UnreadableException that names the column, the value and the cure
   */
  static AbstractHeapVector read(String column, FieldVector source, LogicalType planned) {
    return new Narrowing(column, planned).read(source, planned);
  }

  /**
   * Checks a column of a bounded length, which widens without a change of its Arrow type.
   *
   * @throws UnreadableException that names the column, the value and the cure
   */
  static void checkLength(String column, FieldVector source, LogicalType planned) {
    int most = most(planned);
    if (most < Integer.MAX_VALUE && source instanceof BaseVariableWidthVector values) {
      new Narrowing(column, planned).checkLength(values, most);
    }
  }

  private static int most(LogicalType planned) {
    boolean isVariable =
        planned.is(LogicalTypeFamily.CHARACTER_STRING)
            || planned.is(LogicalTypeFamily.BINARY_STRING);
    boolean isUnbounded =
        planned instanceof VarCharType text && text.getLength() == VarCharType.MAX_LENGTH
            || planned instanceof VarBinaryType bytes
                && bytes.getLength() == VarBinaryType.MAX_LENGTH;
    return isVariable && !isUnbounded ? LogicalTypeChecks.getLength(planned) : Integer.MAX_VALUE;
  }

  private void checkLength(BaseVariableWidthVector source, int most) {
    boolean text = planned.is(LogicalTypeFamily.CHARACTER_STRING);
    for (int i = 0; i < source.getValueCount(); i++) {
      if (source.isNull(i) || source.getValueLength(i) <= most) {
        continue;
      }
      String value = source.getObject(i).toString();
      if (!text) {
        throw misfit(source.getValueLength(i) + " bytes");
      }
      if (value.codePointCount(0, value.length()) > most) {
        throw misfit("'" + value + "'");
      }
    }
  }

  private AbstractHeapVector read(FieldVector source, LogicalType type) {
    if (ArrowTypes.matches(type, source.getField())) {
      return HeapVectors.read(source, type);
    }
    AbstractHeapVector target = values(source, type);
    for (int i = 0; i < source.getValueCount(); i++) {
      if (source.isNull(i)) {
        target.setNullAt(i);
      }
    }
    return target;
  }

  private AbstractHeapVector values(FieldVector source, LogicalType type) {
    return switch (type.getTypeRoot()) {
      case TINYINT -> bytes(source);
      case SMALLINT -> shorts(source);
      case INTEGER -> ints(source);
      case BIGINT -> longs(source);
      case FLOAT -> floats(source);
      case DECIMAL -> decimals(source, (DecimalType) type);
      case ARRAY ->
          HeapVectors.arrays(
              (ListVector) source,
              read(((ListVector) source).getDataVector(), ((ArrayType) type).getElementType()));
      default -> throw ArrowTypes.unsupported(type);
    };
  }

  private HeapByteVector bytes(FieldVector source) {
    HeapByteVector target = new HeapByteVector(source.getValueCount());
    for (int i = 0; i < source.getValueCount(); i++) {
      target.vector[i] = (byte) whole(source, i, Byte.MIN_VALUE, Byte.MAX_VALUE);
    }
    return target;
  }

  private HeapShortVector shorts(FieldVector source) {
    HeapShortVector target = new HeapShortVector(source.getValueCount());
    for (int i = 0; i < source.getValueCount(); i++) {
      target.vector[i] = (short) whole(source, i, Short.MIN_VALUE, Short.MAX_VALUE);
    }
    return target;
  }

  private HeapIntVector ints(FieldVector source) {
    HeapIntVector target = new HeapIntVector(source.getValueCount());
    for (int i = 0; i < source.getValueCount(); i++) {
      target.vector[i] = (int) whole(source, i, Integer.MIN_VALUE, Integer.MAX_VALUE);
    }
    return target;
  }

  private HeapLongVector longs(FieldVector source) {
    HeapLongVector target = new HeapLongVector(source.getValueCount());
    for (int i = 0; i < source.getValueCount(); i++) {
      target.vector[i] = whole(source, i, Long.MIN_VALUE, Long.MAX_VALUE);
    }
    return target;
  }

  private HeapFloatVector floats(FieldVector source) {
    HeapFloatVector target = new HeapFloatVector(source.getValueCount());
    for (int i = 0; i < source.getValueCount(); i++) {
      if (!source.isNull(i)) {
        double value = ((Number) source.getObject(i)).doubleValue();
        target.vector[i] = (float) value;
        if (!Double.isNaN(value) && target.vector[i] != value) {
          throw misfit(value);
        }
      }
    }
    return target;
  }

  private DecimalHeapVector decimals(FieldVector source, DecimalType type) {
    BigDecimal[] values = new BigDecimal[source.getValueCount()];
    for (int i = 0; i < values.length; i++) {
      values[i] = source.isNull(i) ? BigDecimal.ZERO : decimal(exact(source.getObject(i)), type);
    }
    return DecimalHeapVector.of(values);
  }

  private BigDecimal decimal(BigDecimal value, DecimalType type) {
    try {
      BigDecimal scaled = value.setScale(type.getScale(), RoundingMode.UNNECESSARY);
      if (scaled.precision() <= type.getPrecision()) {
        return scaled;
      }
    } catch (ArithmeticException e) {
      // Falls through to the one message for every value that does not fit.
    }
    throw misfit(value.toPlainString());
  }

  private long whole(FieldVector source, int row, long low, long high) {
    if (source.isNull(row)) {
      return 0;
    }
    BigDecimal value = exact(source.getObject(row));
    try {
      long number = value.longValueExact();
      if (number >= low && number <= high) {
        return number;
      }
    } catch (ArithmeticException e) {
      // Falls through to the one message for every value that does not fit.
    }
    throw misfit(value.toPlainString());
  }

  private BigDecimal exact(Object value) {
    if (value instanceof BigDecimal decimal) {
      return decimal;
    }
    if (value instanceof Float || value instanceof Double) {
      double number = ((Number) value).doubleValue();
      if (!Double.isFinite(number)) {
        throw misfit(number);
      }
      return new BigDecimal(number);
    }
    return BigDecimal.valueOf(((Number) value).longValue());
  }

  private UnreadableException misfit(Object value) {
    return new UnreadableException(
        ("[22003] %s of column \"%s\" does not fit %s, which the column was when the job was"
                + " planned; it is wider now: plan the job again, from its savepoint if it has one")
            .formatted(value, column, planned.copy(true).asSummaryString()));
  }
}
