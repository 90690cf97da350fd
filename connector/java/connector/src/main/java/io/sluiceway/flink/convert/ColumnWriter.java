package io.sluiceway.flink.convert;

import java.util.Arrays;
import org.apache.arrow.vector.FieldVector;
import org.apache.flink.table.data.ArrayData;
import org.apache.flink.table.data.RowData;

/**
 * Collects the values of one column in heap arrays and copies them to a vector at once.
 *
 * <p>Invariant: {@link #count} values have been taken since the last {@link #finish}; bit {@code i}
 * of {@link #validity} says whether value {@code i} is there.
 */
abstract class ColumnWriter {
  static final int INITIAL_ROWS = 1024;

  private byte[] validity = new byte[INITIAL_ROWS / 8];
  private int count;

  final void write(RowData row, int field) {
    if (row.isNullAt(field)) {
      writeNull();
    } else {
      append(claim(true), row, field);
    }
  }

  final void write(ArrayData array, int element) {
    if (array.isNullAt(element)) {
      writeNull();
    } else {
      append(claim(true), array, element);
    }
  }

  final void writeNull() {
    appendNull(claim(false));
  }

  /** Copies everything to {@code vector} and starts again. */
  final void finish(FieldVector vector) {
    copyTo(vector, count);
    vector.getValidityBuffer().setBytes(0, validity, 0, bitBytes(count));
    vector.setValueCount(count);
    count = 0;
  }

  /** Bytes of the variable part collected so far. */
  long variableBytes() {
    return 0;
  }

  /** Bytes that each value takes besides {@link #variableBytes()}. */
  abstract int fixedBytes();

  /** Stores the value of a field at {@code index}, which is not NULL. */
  abstract void append(int index, RowData row, int field);

  /** Stores an element of an array at {@code index}, which is not NULL. */
  abstract void append(int index, ArrayData array, int element);

  /** Stores a filler at {@code index}: vectors never carry what an earlier batch left. */
  abstract void appendNull(int index);

  /** Allocates the vector for {@code rows} and copies all but the validity. */
  abstract void copyTo(FieldVector vector, int rows);

  static int bitBytes(int rows) {
    return (rows + 7) >> 3;
  }

  /** The next capacity of an array that is full. */
  static int grown(int capacity) {
    return Math.addExact(capacity, capacity);
  }

  static void allocate(FieldVector vector, int rows) {
    vector.setInitialCapacity(Math.max(rows, 1));
    vector.allocateNew();
  }

  private int claim(boolean present) {
    int index = count++;
    int at = index >> 3;
    if (at >= validity.length) {
      validity = Arrays.copyOf(validity, grown(validity.length));
    }
    if ((index & 7) == 0) {
      validity[at] = 0;
    }
    if (present) {
      validity[at] |= (byte) (1 << (index & 7));
    }
    return index;
  }
}
