package io.sluiceway.flink.convert;

import java.nio.ByteOrder;
import java.util.Arrays;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.complex.ListVector;
import org.apache.flink.table.data.ArrayData;
import org.apache.flink.table.data.RowData;

/** Arrays: offsets and the writer of the elements. */
final class ListWriter extends ColumnWriter {
  private final ColumnWriter elements;
  private int[] offsets = new int[INITIAL_ROWS + 1];
  private int used;

  ListWriter(ColumnWriter elements) {
    this.elements = elements;
  }

  @Override
  void append(int index, RowData row, int field) {
    put(index, row.getArray(field));
  }

  @Override
  void append(int index, ArrayData array, int element) {
    put(index, array.getArray(element));
  }

  @Override
  void appendNull(int index) {
    put(index, null);
  }

  private void put(int index, ArrayData array) {
    if (index + 1 >= offsets.length) {
      offsets = Arrays.copyOf(offsets, grown(offsets.length));
    }
    if (array != null) {
      for (int i = 0; i < array.size(); i++) {
        elements.write(array, i);
      }
      used = Math.addExact(used, array.size());
    }
    offsets[index + 1] = used;
  }

  @Override
  long variableBytes() {
    return (long) used * elements.fixedBytes() + elements.variableBytes();
  }

  @Override
  int fixedBytes() {
    return Integer.BYTES;
  }

  @Override
  void copyTo(FieldVector vector, int rows) {
    ListVector target = (ListVector) vector;
    allocate(target, rows);
    target
        .getOffsetBuffer()
        .nioBuffer(0, Math.multiplyExact(rows + 1, Integer.BYTES))
        .order(ByteOrder.LITTLE_ENDIAN)
        .asIntBuffer()
        .put(offsets, 0, rows + 1);
    target.setLastSet(rows - 1);
    elements.finish(target.getDataVector());
    used = 0;
  }
}
