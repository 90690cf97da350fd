package io.sluiceway.flink.convert;

import java.util.Arrays;
import org.apache.arrow.vector.FieldVector;
import org.apache.flink.table.data.ArrayData;
import org.apache.flink.table.data.DecimalData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.types.logical.DecimalType;

/** Decimals as 128-bit unscaled values: a low and a high word each. */
final class DecimalWriter extends ColumnWriter {
  private final int precision;
  private final int scale;
  private long[] words = new long[2 * INITIAL_ROWS];

  DecimalWriter(DecimalType type) {
    this.precision = type.getPrecision();
    this.scale = type.getScale();
  }

  @Override
  void append(int index, RowData row, int field) {
    put(index, row.getDecimal(field, precision, scale));
  }

  @Override
  void append(int index, ArrayData array, int element) {
    put(index, array.getDecimal(element, precision, scale));
  }

  @Override
  void appendNull(int index) {
    put(index, 0, 0);
  }

  private void put(int index, DecimalData value) {
    if (value.isCompact()) {
      long unscaled = value.toUnscaledLong();
      put(index, unscaled, unscaled >> 63);
      return;
    }
    byte[] bigEndian = value.toUnscaledBytes();
    put(index, word(bigEndian, 0), word(bigEndian, 8));
  }

  /** The eight bytes that end {@code skip} bytes before the end, sign-extended. */
  private static long word(byte[] bigEndian, int skip) {
    long word = 0;
    for (int i = 7; i >= 0; i--) {
      int at = bigEndian.length - 1 - skip - i;
      int value = at >= 0 ? bigEndian[at] & 0xFF : bigEndian[0] < 0 ? 0xFF : 0;
      word = word << 8 | value;
    }
    return word;
  }

  private void put(int index, long low, long high) {
    if (2 * index >= words.length) {
      words = Arrays.copyOf(words, grown(words.length));
    }
    words[2 * index] = low;
    words[2 * index + 1] = high;
  }

  @Override
  int fixedBytes() {
    return 16;
  }

  @Override
  void copyTo(FieldVector vector, int rows) {
    allocate(vector, rows);
    FixedWriters.buffer(vector, 16L * rows).asLongBuffer().put(words, 0, 2 * rows);
  }
}
