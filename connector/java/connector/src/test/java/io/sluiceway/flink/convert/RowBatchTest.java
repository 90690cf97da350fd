package io.sluiceway.flink.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.TinyIntVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.api.TableRuntimeException;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.table.data.DecimalData;
import org.apache.flink.table.data.GenericArrayData;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.runtime.typeutils.RowDataSerializer;
import org.apache.flink.table.types.AbstractDataType;
import org.apache.flink.table.types.DataType;
import org.apache.flink.table.types.logical.DecimalType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.table.types.logical.utils.LogicalTypeChecks;
import org.apache.flink.types.RowKind;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Every type there and back, with and without NULLs, over sizes that make arrays grow. */
class RowBatchTest {
  private static final RowType ALL =
      row(
          DataTypes.BOOLEAN(),
          DataTypes.TINYINT(),
          DataTypes.SMALLINT(),
          DataTypes.INT(),
          DataTypes.BIGINT(),
          DataTypes.FLOAT(),
          DataTypes.DOUBLE(),
          DataTypes.DECIMAL(15, 2),
          DataTypes.DECIMAL(38, 10),
          DataTypes.CHAR(3),
          DataTypes.STRING(),
          DataTypes.BYTES(),
          DataTypes.DATE(),
          DataTypes.TIME(3),
          DataTypes.TIMESTAMP(0),
          DataTypes.TIMESTAMP(3),
          DataTypes.TIMESTAMP(6),
          DataTypes.TIMESTAMP(9),
          DataTypes.TIMESTAMP_LTZ(6),
          DataTypes.ARRAY(DataTypes.INT()),
          DataTypes.ARRAY(DataTypes.STRING()),
          DataTypes.ARRAY(DataTypes.DECIMAL(20, 4)));

  private final BufferAllocator allocator = new RootAllocator();

  @AfterEach
  void nothingLeaks() {
    allocator.close();
  }

  @Test
  void everyTypeComesBack() {
    for (int rows : new int[] {0, 1, 7, 8, 9, 3_000}) {
      for (double nulls : new double[] {0, 0.3, 1}) {
        assertRoundTrip(randomRows(rows, nulls));
      }
    }
  }

  @Test
  void aWriterStartsAgainAfterEachBatch() {
    try (RowBatchWriter writer = new RowBatchWriter(ALL, false, allocator)) {
      for (int rows : new int[] {2_000, 1, 0, 500}) {
        List<RowData> expected = randomRows(rows, 0.2);
        expected.forEach(writer::add);
        assertRows(expected, writer.finish());
      }
    }
  }

  @Test
  void kindsTravelInOp() {
    RowType type = row(DataTypes.BIGINT(), DataTypes.STRING());
    try (RowBatchWriter writer = new RowBatchWriter(type, true, allocator)) {
      writer.add(GenericRowData.of(1L, StringData.fromString("a")));
      writer.addOnly(
          GenericRowData.of(2L, StringData.fromString("b")),
          new boolean[] {true, false},
          RowKind.DELETE);
      assertEquals(2, writer.rows());
      assertTrue(writer.estimatedBytes() > 0);
      VectorSchemaRoot root = writer.finish();
      TinyIntVector ops = (TinyIntVector) root.getVector(0);
      assertEquals(0, ops.get(0));
      assertEquals(3, ops.get(1));
      RowBatch rows = new RowBatchReader(type, OwnColumns.NONE).read(root);
      assertEquals(2L, rows.ownRow(1).getLong(0));
      assertTrue(rows.ownRow(1).isNullAt(1));
      assertEquals(0, writer.rows());
    }
  }

  @Test
  void aUsersColumnMayHaveAnyName() {
    RowType type =
        RowType.of(
            new LogicalType[] {
              DataTypes.TINYINT().notNull().getLogicalType(),
              DataTypes.BIGINT().notNull().getLogicalType(),
              DataTypes.STRING().getLogicalType()
            },
            new String[] {"_event", "_lsn", "_time"});
    TinyIntVector event = new TinyIntVector("_event", allocator);
    BigIntVector lsn = new BigIntVector("_lsn", allocator);
    BigIntVector time = new BigIntVector("_time", allocator);
    event.setSafe(0, 7);
    lsn.setSafe(0, 50L);
    time.setSafe(0, 5_000L);
    List<FieldVector> own = List.of(event, lsn, time);
    own.forEach(vector -> vector.setValueCount(1));
    try (RowBatchWriter writer = new RowBatchWriter(type, false, allocator)) {
      writer.add(GenericRowData.of((byte) 3, 9L, StringData.fromString("a")));
      List<FieldVector> all = new ArrayList<>(own);
      all.addAll(writer.finish().getFieldVectors());
      RowBatch rows = new RowBatchReader(type, OwnColumns.CHANGE).read(new VectorSchemaRoot(all));
      assertEquals(RowKind.UPDATE_AFTER, rows.kind(0));
      assertEquals(50L, rows.lsn(0));
      assertEquals(5_000L, rows.timeMicros(0));
      assertEquals(3, rows.row(0).getByte(0));
      assertEquals(9L, rows.row(0).getLong(1));
      assertEquals("a", rows.row(0).getString(2).toString());
    } finally {
      own.forEach(FieldVector::close);
    }
  }

  @Test
  void timestampsReachTheEndsOfTheirUnit() {
    RowType type = row(DataTypes.TIMESTAMP(9));
    TimestampData first = TimestampData.fromEpochMillis(-9_223_372_036_855L, 224_192);
    TimestampData last = TimestampData.fromEpochMillis(9_223_372_036_854L, 775_807);
    try (RowBatchWriter writer = new RowBatchWriter(type, false, allocator)) {
      List<RowData> ends = List.of(GenericRowData.of(first), GenericRowData.of(last));
      ends.forEach(writer::add);
      assertRows(type, ends, writer.finish());
      RowData outside = GenericRowData.of(TimestampData.fromEpochMillis(9_223_372_036_855L));
      TableRuntimeException refused =
          assertThrows(TableRuntimeException.class, () -> writer.add(outside));
      assertTrue(refused.getMessage().contains("2262-04-11"), refused.getMessage());
      assertTrue(refused.getMessage().contains("f0"), refused.getMessage());
    }
  }

  @Test
  void aColumnOfAnotherTypeIsNamed() {
    assertRefused("[42804] column \"f0\"", row(DataTypes.INT()), row(DataTypes.BIGINT()), 1);
    assertRefused(
        "[42804] column \"f0\"",
        row(DataTypes.ARRAY(DataTypes.INT())),
        row(DataTypes.ARRAY(DataTypes.BIGINT())),
        new GenericArrayData(new int[] {1}));
  }

  @Test
  void aNullThatMustNotBeIsNamed() {
    RowType must = row(DataTypes.INT().notNull());
    assertRefused("[23502] column \"f0\"", row(DataTypes.INT()), must, (Object) null);
  }

  @Test
  void aTypeThatCannotBeStoredIsRefused() {
    DataType map = DataTypes.MAP(DataTypes.INT(), DataTypes.INT());
    assertThrows(ValidationException.class, () -> ArrowTypes.arrowType(map.getLogicalType()));
  }

  private void assertRefused(String reason, RowType sent, RowType expected, Object value) {
    try (RowBatchWriter writer = new RowBatchWriter(sent, false, allocator)) {
      writer.add(GenericRowData.of(value));
      VectorSchemaRoot root = writer.finish();
      RowBatchReader reader = new RowBatchReader(expected, OwnColumns.NONE);
      TableRuntimeException refused =
          assertThrows(TableRuntimeException.class, () -> reader.read(root));
      assertTrue(refused.getMessage().startsWith(reason), refused.getMessage());
    }
  }

  private void assertRoundTrip(List<RowData> expected) {
    try (RowBatchWriter writer = new RowBatchWriter(ALL, false, allocator)) {
      expected.forEach(writer::add);
      VectorSchemaRoot root = writer.finish();
      root.getFieldVectors().forEach(FieldVector::validate);
      assertRows(expected, root);
    }
  }

  private static void assertRows(List<RowData> expected, VectorSchemaRoot root) {
    assertRows(ALL, expected, root);
  }

  private static void assertRows(RowType type, List<RowData> expected, VectorSchemaRoot root) {
    RowDataSerializer serializer = new RowDataSerializer(type);
    RowBatch actual = new RowBatchReader(type, OwnColumns.NONE).read(root);
    root.clear();
    assertEquals(expected.size(), actual.rows());
    for (int i = 0; i < expected.size(); i++) {
      assertEquals(
          serializer.toBinaryRow(expected.get(i)).copy(),
          serializer.toBinaryRow(actual.row(i)).copy(),
          "row " + i);
    }
  }

  private static List<RowData> randomRows(int count, double nulls) {
    Random random = new Random(count);
    List<RowData> rows = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      GenericRowData row = new GenericRowData(ALL.getFieldCount());
      for (int field = 0; field < ALL.getFieldCount(); field++) {
        boolean isNull = random.nextDouble() < nulls;
        row.setField(field, isNull ? null : value(ALL.getTypeAt(field), random));
      }
      rows.add(row);
    }
    return rows;
  }

  private static Object value(LogicalType type, Random random) {
    return switch (type.getTypeRoot()) {
      case BOOLEAN -> random.nextBoolean();
      case TINYINT -> (byte) random.nextInt();
      case SMALLINT -> (short) random.nextInt();
      case INTEGER -> random.nextInt();
      case BIGINT -> random.nextLong();
      case FLOAT -> random.nextFloat();
      case DOUBLE -> random.nextDouble();
      case DATE -> random.nextInt(-100_000, 100_000);
      case TIME_WITHOUT_TIME_ZONE -> random.nextInt(86_400_000);
      case CHAR -> StringData.fromString("é%d".formatted(random.nextInt(10)));
      case VARCHAR -> StringData.fromString("x".repeat(random.nextInt(60)) + "ü€😀");
      case VARBINARY -> bytes(random);
      case DECIMAL -> decimal(type, random);
      case TIMESTAMP_WITHOUT_TIME_ZONE, TIMESTAMP_WITH_LOCAL_TIME_ZONE -> timestamp(type, random);
      case ARRAY -> array(type.getChildren().get(0), random);
      default -> throw new IllegalStateException(type.toString());
    };
  }

  private static byte[] bytes(Random random) {
    byte[] bytes = new byte[random.nextInt(40)];
    random.nextBytes(bytes);
    return bytes;
  }

  private static DecimalData decimal(LogicalType type, Random random) {
    int precision = ((DecimalType) type).getPrecision();
    int scale = ((DecimalType) type).getScale();
    BigInteger unscaled = new BigInteger(precision * 3, random);
    BigDecimal value = new BigDecimal(random.nextBoolean() ? unscaled : unscaled.negate(), scale);
    return DecimalData.fromBigDecimal(value, precision, scale);
  }

  private static TimestampData timestamp(LogicalType type, Random random) {
    long milliseconds = random.nextLong(-9_000_000_000_000L, 9_000_000_000_000L);
    int precision = LogicalTypeChecks.getPrecision(type);
    if (precision == 0) {
      return TimestampData.fromEpochMillis(Math.floorDiv(milliseconds, 1000L) * 1000);
    }
    int nanos = precision <= 3 ? 0 : random.nextInt(1_000_000);
    return TimestampData.fromEpochMillis(
        milliseconds, precision <= 6 ? nanos / 1_000 * 1_000 : nanos);
  }

  private static GenericArrayData array(LogicalType element, Random random) {
    Object[] elements = new Object[random.nextInt(6)];
    for (int i = 0; i < elements.length; i++) {
      elements[i] = random.nextInt(4) == 0 ? null : value(element, random);
    }
    return new GenericArrayData(elements);
  }

  private static RowType row(AbstractDataType<?>... types) {
    LogicalType[] logical = new LogicalType[types.length];
    for (int i = 0; i < types.length; i++) {
      logical[i] = ((DataType) types[i]).getLogicalType();
    }
    return RowType.of(logical);
  }
}
