package io.sluiceway.flink.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.DecimalVector;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.Float4Vector;
import org.apache.arrow.vector.Float8Vector;
import org.apache.arrow.vector.IntVector;
import org.apache.arrow.vector.SmallIntVector;
import org.apache.arrow.vector.VarBinaryVector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.complex.ListVector;
import org.apache.flink.table.api.TableRuntimeException;
import org.apache.flink.table.data.ArrayData;
import org.apache.flink.table.data.DecimalData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.types.logical.ArrayType;
import org.apache.flink.table.types.logical.BigIntType;
import org.apache.flink.table.types.logical.BinaryType;
import org.apache.flink.table.types.logical.CharType;
import org.apache.flink.table.types.logical.DecimalType;
import org.apache.flink.table.types.logical.DoubleType;
import org.apache.flink.table.types.logical.FloatType;
import org.apache.flink.table.types.logical.IntType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.table.types.logical.SmallIntType;
import org.apache.flink.table.types.logical.TinyIntType;
import org.apache.flink.table.types.logical.VarBinaryType;
import org.apache.flink.table.types.logical.VarCharType;
import org.junit.jupiter.api.Test;

/**
 * Columns that were widened since the plan: every widening of numbers, with values at the edges.
 */
class NarrowingTest {
  private record Widening(LogicalType planned, LogicalType now) {}

  private static final List<Widening> WIDENINGS = widenings();

  private static List<Widening> widenings() {
    List<LogicalType> whole =
        List.of(new TinyIntType(), new SmallIntType(), new IntType(), new BigIntType());
    List<Widening> all = new ArrayList<>();
    for (int i = 0; i < whole.size(); i++) {
      for (LogicalType wider : whole.subList(i + 1, whole.size())) {
        all.add(new Widening(whole.get(i), wider));
      }
      all.add(new Widening(whole.get(i), new DecimalType(38, 3)));
      all.add(new Widening(whole.get(i), new DecimalType(19, 0)));
    }
    for (LogicalType narrow : whole.subList(0, 2)) {
      all.add(new Widening(narrow, new FloatType()));
    }
    for (LogicalType narrow : whole.subList(0, 3)) {
      all.add(new Widening(narrow, new DoubleType()));
    }
    all.add(new Widening(new FloatType(), new DoubleType()));
    all.add(new Widening(new DecimalType(4, 2), new DecimalType(20, 2)));
    all.add(new Widening(new DecimalType(4, 2), new DecimalType(9, 4)));
    all.add(new Widening(new DecimalType(20, 0), new DecimalType(38, 18)));
    return all;
  }

  @Test
  void whatFitsIsReadAsItIsAndAllElseRefused() {
    Random random = new Random(7);
    int fitted = 0;
    int refused = 0;
    for (Widening widening : WIDENINGS) {
      for (BigDecimal value : values(random)) {
        if (!fits(value, widening.now())) {
          continue;
        }
        if (fits(value, widening.planned())) {
          assertEquals(0, value.compareTo(read(widening, value)), widening + " " + value);
          fitted++;
        } else {
          TableRuntimeException failure =
              assertThrows(TableRuntimeException.class, () -> read(widening, value));
          String message = failure.getMessage();
          assertTrue(message.contains("[22003] ") && message.contains("column \"c\""), message);
          assertTrue(message.contains("plan the job again"), message);
          refused++;
        }
      }
    }
    assertTrue(fitted > 500 && refused > 500, fitted + " fitted, " + refused + " refused");
  }

  /** Numbers around the limits of every type, whole and with a fraction, and any. */
  private static List<BigDecimal> values(Random random) {
    List<BigDecimal> values = new ArrayList<>();
    for (int bits : new int[] {0, 6, 7, 8, 14, 15, 16, 23, 24, 30, 31, 32, 53, 62, 63, 64}) {
      for (String step : List.of("0", "1", "-1", "0.5", "0.25", "0.0001")) {
        BigDecimal value = BigDecimal.valueOf(2).pow(bits).add(new BigDecimal(step));
        values.add(value);
        values.add(value.negate());
      }
    }
    for (int i = 0; i < 100; i++) {
      values.add(BigDecimal.valueOf(random.nextInt(20_000) - 10_000, random.nextInt(5)));
      values.add(new BigDecimal(random.nextFloat()));
    }
    return values;
  }

  /** Whether a type holds a number exactly: the model. */
  private static boolean fits(BigDecimal value, LogicalType type) {
    return switch (type.getTypeRoot()) {
      case TINYINT -> isWhole(value, 7);
      case SMALLINT -> isWhole(value, 15);
      case INTEGER -> isWhole(value, 31);
      case BIGINT -> isWhole(value, 63);
      case FLOAT -> new BigDecimal(value.floatValue()).compareTo(value) == 0;
      case DOUBLE -> new BigDecimal(value.doubleValue()).compareTo(value) == 0;
      default -> {
        DecimalType decimal = (DecimalType) type;
        BigDecimal limit = BigDecimal.TEN.pow(decimal.getPrecision() - decimal.getScale());
        BigDecimal cut = value.setScale(decimal.getScale(), RoundingMode.DOWN);
        yield cut.compareTo(value) == 0 && value.abs().compareTo(limit) < 0;
      }
    };
  }

  private static boolean isWhole(BigDecimal value, int bits) {
    return value.stripTrailingZeros().scale() <= 0 && value.toBigInteger().bitLength() <= bits;
  }

  /** Sends the value beside a NULL and in an array, and returns what is read. */
  private static BigDecimal read(Widening widening, BigDecimal value) {
    try (BufferAllocator allocator = new RootAllocator();
        VectorSchemaRoot root =
            VectorSchemaRoot.create(
                ArrowTypes.schema(
                    RowType.of(
                        new LogicalType[] {widening.now(), new ArrayType(widening.now())},
                        new String[] {"c", "a"}),
                    false),
                allocator)) {
      ListVector lists = (ListVector) root.getVector("a");
      set(root.getVector("c"), 1, value);
      lists.startNewValue(1);
      set(lists.getDataVector(), 1, value);
      lists.endValue(1, 2);
      root.setRowCount(2);
      RowType planned =
          RowType.of(
              new LogicalType[] {widening.planned(), new ArrayType(widening.planned())},
              new String[] {"c", "a"});
      RowBatch rows = new RowBatchReader(planned, OwnColumns.NONE).read(root);
      assertTrue(rows.ownRow(0).isNullAt(0) && rows.ownRow(0).isNullAt(1));
      RowData row = rows.ownRow(1);
      RowData.FieldGetter getter = RowData.createFieldGetter(widening.planned(), 0);
      Object element =
          ArrayData.createElementGetter(widening.planned()).getElementOrNull(row.getArray(1), 1);
      assertTrue(row.getArray(1).isNullAt(0));
      assertEquals(getter.getFieldOrNull(row), element);
      return number(element);
    }
  }

  private static BigDecimal number(Object value) {
    if (value instanceof DecimalData decimal) {
      return decimal.toBigDecimal();
    }
    return value instanceof Float || value instanceof Double
        ? new BigDecimal(((Number) value).doubleValue())
        : BigDecimal.valueOf(((Number) value).longValue());
  }

  private static void set(FieldVector vector, int row, BigDecimal value) {
    if (vector instanceof SmallIntVector shorts) {
      shorts.setSafe(row, value.intValueExact());
    } else if (vector instanceof IntVector ints) {
      ints.setSafe(row, value.intValueExact());
    } else if (vector instanceof BigIntVector longs) {
      longs.setSafe(row, value.longValueExact());
    } else if (vector instanceof Float4Vector floats) {
      floats.setSafe(row, value.floatValue());
    } else if (vector instanceof Float8Vector doubles) {
      doubles.setSafe(row, value.doubleValue());
    } else {
      DecimalVector decimals = (DecimalVector) vector;
      decimals.setSafe(row, value.setScale(decimals.getScale()));
    }
    vector.setValueCount(row + 1);
  }

  @Test
  void aTextThatIsLongerThanWasPlannedIsRefused() {
    assertEquals("äöü", text(new VarCharType(3), "äöü"));
    assertEquals("\uD83D\uDE00ab", text(new CharType(3), "\uD83D\uDE00ab"));
    assertEquals("abcd", text(new VarCharType(VarCharType.MAX_LENGTH), "abcd"));
    String message =
        assertThrows(TableRuntimeException.class, () -> text(new VarCharType(3), "abcd"))
            .getMessage();
    assertTrue(message.contains("'abcd' of column \"c\" does not fit VARCHAR(3)"), message);
  }

  @Test
  void bytesAreCountedToo() {
    try (BufferAllocator allocator = new RootAllocator();
        VarBinaryVector vector = new VarBinaryVector("c", allocator)) {
      vector.setSafe(0, new byte[4]);
      vector.setValueCount(1);
      Narrowing.checkLength("c", vector, new VarBinaryType(4));
      Narrowing.checkLength("c", vector, new VarBinaryType(VarBinaryType.MAX_LENGTH));
      assertThrows(
          TableRuntimeException.class, () -> Narrowing.checkLength("c", vector, new BinaryType(3)));
    }
  }

  @Test
  void aTypeOfAnotherKindIsNone() {
    assertFalse(Narrowing.applies(new VarCharType(3), ArrowTypes.field("c", new IntType())));
    assertFalse(Narrowing.applies(new DoubleType(), ArrowTypes.field("c", new DecimalType(9, 2))));
    assertFalse(
        Narrowing.applies(
            new ArrayType(new IntType()), ArrowTypes.field("c", new ArrayType(new VarCharType()))));
  }

  private static String text(LogicalType planned, String value) {
    try (BufferAllocator allocator = new RootAllocator();
        VectorSchemaRoot root =
            VectorSchemaRoot.create(
                ArrowTypes.schema(
                    RowType.of(new LogicalType[] {planned}, new String[] {"c"}), false),
                allocator)) {
      VarCharVector vector = (VarCharVector) root.getVector("c");
      vector.setSafe(0, value.getBytes(StandardCharsets.UTF_8));
      root.setRowCount(1);
      RowType row = RowType.of(new LogicalType[] {planned}, new String[] {"c"});
      return new RowBatchReader(row, OwnColumns.NONE).read(root).row(0).getString(0).toString();
    }
  }
}
