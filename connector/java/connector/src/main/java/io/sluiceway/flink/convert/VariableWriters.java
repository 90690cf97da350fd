package io.sluiceway.flink.convert;

import java.nio.ByteOrder;
import java.util.Arrays;
import org.apache.arrow.vector.BaseVariableWidthVector;
import org.apache.arrow.vector.FieldVector;
import org.apache.flink.table.data.ArrayData;
import org.apache.flink.table.data.RowData;

/** Writers of strings and bytes: offsets and one array of bytes. */
final class VariableWriters {
  private static final int LARGEST_ARRAY = Integer.MAX_VALUE - 8;

  private VariableWriters() {}

  abstract static class Variable extends ColumnWriter {
    private int[] offsets = new int[INITIAL_ROWS + 1];
    private byte[] bytes = new byte[32 * INITIAL_ROWS];
    private int used;

    @Override
    final void appendNull(int index) {
      end(index);
    }

    final void put(int index, byte[] value) {
      int needed = Math.addExact(used, value.length);
      if (needed > bytes.length) {
        int doubled = (int) Math.min(LARGEST_ARRAY, 2L * bytes.length);
        bytes = Arrays.copyOf(bytes, Math.max(needed, doubled));
      }
      System.arraycopy(value, 0, bytes, used, value.length);
      used = needed;
      end(index);
    }

    private void end(int index) {
      if (index + 1 >= offsets.length) {
        offsets = Arrays.copyOf(offsets, grown(offsets.length));
      }
      offsets[index + 1] = used;
    }

    @Override
    long variableBytes() {
      return used;
    }

    @Override
    int fixedBytes() {
      return Integer.BYTES;
    }

    @Override
    void copyTo(FieldVector vector, int rows) {
      BaseVariableWidthVector target = (BaseVariableWidthVector) vector;
      int size = offsets[rows];
      target.allocateNew(Math.max(size, 1), Math.max(rows, 1));
      target
          .getOffsetBuffer()
          .nioBuffer(0, Math.multiplyExact(rows + 1, Integer.BYTES))
          .order(ByteOrder.LITTLE_ENDIAN)
          .asIntBuffer()
          .put(offsets, 0, rows + 1);
      target.getDataBuffer().setBytes(0, bytes, 0, size);
      target.setLastSet(rows - 1);
      used = 0;
    }
  }

  static final class Strings extends Variable {
    @Override
    void append(int index, RowData row, int field) {
      put(index, row.getString(field).toBytes());
    }

    @Override
    void append(int index, ArrayData array, int element) {
      put(index, array.getString(element).toBytes());
    }
  }

  static final class Binaries extends Variable {
    @Override
    void append(int index, RowData row, int field) {
      put(index, row.getBinary(field));
    }

    @Override
    void append(int index, ArrayData array, int element) {
      put(index, array.getBinary(element));
    }
  }
}
