package io.sluiceway.flink.convert;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.vector.FieldVector;
import org.apache.flink.table.data.ArrayData;
import org.apache.flink.table.data.RowData;

/** Writers of columns whose values are a Java primitive. */
final class FixedWriters {
  private FixedWriters() {}

  static ByteBuffer buffer(FieldVector vector, long bytes) {
    ArrowBuf data = vector.getDataBuffer();
    return data.nioBuffer(0, Math.toIntExact(bytes)).order(ByteOrder.LITTLE_ENDIAN);
  }

  static final class Booleans extends ColumnWriter {
    private byte[] bits = new byte[INITIAL_ROWS / 8];

    @Override
    void append(int index, RowData row, int field) {
      put(index, row.getBoolean(field));
    }

    @Override
    void append(int index, ArrayData array, int element) {
      put(index, array.getBoolean(element));
    }

    @Override
    void appendNull(int index) {
      put(index, false);
    }

    private void put(int index, boolean value) {
      int at = index >> 3;
      if (at >= bits.length) {
        bits = Arrays.copyOf(bits, grown(bits.length));
      }
      if ((index & 7) == 0) {
        bits[at] = 0;
      }
      if (value) {
        bits[at] |= (byte) (1 << (index & 7));
      }
    }

    @Override
    int fixedBytes() {
      return 1;
    }

    @Override
    void copyTo(FieldVector vector, int rows) {
      allocate(vector, rows);
      vector.getDataBuffer().setBytes(0, bits, 0, bitBytes(rows));
    }
  }

  static final class Bytes extends ColumnWriter {
    private byte[] values = new byte[INITIAL_ROWS];

    @Override
    void append(int index, RowData row, int field) {
      put(index, row.getByte(field));
    }

    @Override
    void append(int index, ArrayData array, int element) {
      put(index, array.getByte(element));
    }

    @Override
    void appendNull(int index) {
      put(index, (byte) 0);
    }

    private void put(int index, byte value) {
      if (index >= values.length) {
        values = Arrays.copyOf(values, grown(values.length));
      }
      values[index] = value;
    }

    @Override
    int fixedBytes() {
      return Byte.BYTES;
    }

    @Override
    void copyTo(FieldVector vector, int rows) {
      allocate(vector, rows);
      vector.getDataBuffer().setBytes(0, values, 0, rows);
    }
  }

  static final class Shorts extends ColumnWriter {
    private short[] values = new short[INITIAL_ROWS];

    @Override
    void append(int index, RowData row, int field) {
      put(index, row.getShort(field));
    }

    @Override
    void append(int index, ArrayData array, int element) {
      put(index, array.getShort(element));
    }

    @Override
    void appendNull(int index) {
      put(index, (short) 0);
    }

    private void put(int index, short value) {
      if (index >= values.length) {
        values = Arrays.copyOf(values, grown(values.length));
      }
      values[index] = value;
    }

    @Override
    int fixedBytes() {
      return Short.BYTES;
    }

    @Override
    void copyTo(FieldVector vector, int rows) {
      allocate(vector, rows);
      buffer(vector, (long) rows * Short.BYTES).asShortBuffer().put(values, 0, rows);
    }
  }

  static final class Ints extends ColumnWriter {
    private int[] values = new int[INITIAL_ROWS];

    @Override
    void append(int index, RowData row, int field) {
      put(index, row.getInt(field));
    }

    @Override
    void append(int index, ArrayData array, int element) {
      put(index, array.getInt(element));
    }

    @Override
    void appendNull(int index) {
      put(index, 0);
    }

    private void put(int index, int value) {
      if (index >= values.length) {
        values = Arrays.copyOf(values, grown(values.length));
      }
      values[index] = value;
    }

    @Override
    int fixedBytes() {
      return Integer.BYTES;
    }

    @Override
    void copyTo(FieldVector vector, int rows) {
      allocate(vector, rows);
      buffer(vector, (long) rows * Integer.BYTES).asIntBuffer().put(values, 0, rows);
    }
  }

  static class Longs extends ColumnWriter {
    private long[] values = new long[INITIAL_ROWS];

    @Override
    void append(int index, RowData row, int field) {
      put(index, row.getLong(field));
    }

    @Override
    void append(int index, ArrayData array, int element) {
      put(index, array.getLong(element));
    }

    @Override
    void appendNull(int index) {
      put(index, 0);
    }

    final void put(int index, long value) {
      if (index >= values.length) {
        values = Arrays.copyOf(values, grown(values.length));
      }
      values[index] = value;
    }

    @Override
    int fixedBytes() {
      return Long.BYTES;
    }

    @Override
    void copyTo(FieldVector vector, int rows) {
      allocate(vector, rows);
      buffer(vector, (long) rows * Long.BYTES).asLongBuffer().put(values, 0, rows);
    }
  }

  static final class Floats extends ColumnWriter {
    private float[] values = new float[INITIAL_ROWS];

    @Override
    void append(int index, RowData row, int field) {
      put(index, row.getFloat(field));
    }

    @Override
    void append(int index, ArrayData array, int element) {
      put(index, array.getFloat(element));
    }

    @Override
    void appendNull(int index) {
      put(index, 0);
    }

    private void put(int index, float value) {
      if (index >= values.length) {
        values = Arrays.copyOf(values, grown(values.length));
      }
      values[index] = value;
    }

    @Override
    int fixedBytes() {
      return Float.BYTES;
    }

    @Override
    void copyTo(FieldVector vector, int rows) {
      allocate(vector, rows);
      buffer(vector, (long) rows * Float.BYTES).asFloatBuffer().put(values, 0, rows);
    }
  }

  static final class Doubles extends ColumnWriter {
    private double[] values = new double[INITIAL_ROWS];

    @Override
    void append(int index, RowData row, int field) {
      put(index, row.getDouble(field));
    }

    @Override
    void append(int index, ArrayData array, int element) {
      put(index, array.getDouble(element));
    }

    @Override
    void appendNull(int index) {
      put(index, 0);
    }

    private void put(int index, double value) {
      if (index >= values.length) {
        values = Arrays.copyOf(values, grown(values.length));
      }
      values[index] = value;
    }

    @Override
    int fixedBytes() {
      return Double.BYTES;
    }

    @Override
    void copyTo(FieldVector vector, int rows) {
      allocate(vector, rows);
      buffer(vector, (long) rows * Double.BYTES).asDoubleBuffer().put(values, 0, rows);
    }
  }
}
