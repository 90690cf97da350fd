package io.sluiceway.flink.convert;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.vector.BaseVariableWidthVector;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.complex.ListVector;
import org.apache.flink.table.data.columnar.vector.heap.AbstractHeapVector;
import org.apache.flink.table.data.columnar.vector.heap.HeapArrayVector;
import org.apache.flink.table.data.columnar.vector.heap.HeapBooleanVector;
import org.apache.flink.table.data.columnar.vector.heap.HeapByteVector;
import org.apache.flink.table.data.columnar.vector.heap.HeapBytesVector;
import org.apache.flink.table.data.columnar.vector.heap.HeapDoubleVector;
import org.apache.flink.table.data.columnar.vector.heap.HeapFloatVector;
import org.apache.flink.table.data.columnar.vector.heap.HeapIntVector;
import org.apache.flink.table.data.columnar.vector.heap.HeapLongVector;
import org.apache.flink.table.data.columnar.vector.heap.HeapShortVector;
import org.apache.flink.table.types.logical.ArrayType;
import org.apache.flink.table.types.logical.LogicalType;

/** Copies Arrow vectors to Flink's heap vectors. */
final class HeapVectors {
  private HeapVectors() {}

  static AbstractHeapVector read(FieldVector source, LogicalType type) {
    AbstractHeapVector target = readValues(source, type, source.getValueCount());
    markNulls(source, target);
    return target;
  }

  private static AbstractHeapVector readValues(FieldVector source, LogicalType type, int rows) {
    return switch (type.getTypeRoot()) {
      case BOOLEAN -> booleans(source, rows);
      case TINYINT -> bytes(source, rows);
      case SMALLINT -> shorts(source, rows);
      case INTEGER, DATE, TIME_WITHOUT_TIME_ZONE -> ints(source, rows);
      case BIGINT -> longs(source, rows);
      case FLOAT -> floats(source, rows);
      case DOUBLE -> doubles(source, rows);
      case DECIMAL -> DecimalHeapVector.read(source, rows);
      case CHAR, VARCHAR, BINARY, VARBINARY -> variable((BaseVariableWidthVector) source, rows);
      case TIMESTAMP_WITHOUT_TIME_ZONE, TIMESTAMP_WITH_LOCAL_TIME_ZONE ->
          TimestampHeapVector.read(source, rows, ArrowTypes.isNanoseconds(type));
      case ARRAY -> {
        ListVector lists = (ListVector) source;
        yield arrays(lists, read(lists.getDataVector(), ((ArrayType) type).getElementType()));
      }
      default -> throw ArrowTypes.unsupported(type);
    };
  }

  private static void markNulls(FieldVector source, AbstractHeapVector target) {
    if (source.getNullCount() == 0) {
      return;
    }
    int rows = source.getValueCount();
    byte[] validity = bits(source.getValidityBuffer(), rows);
    for (int i = 0; i < rows; i++) {
      if (!isSet(validity, i)) {
        target.setNullAt(i);
      }
    }
  }

  private static HeapBooleanVector booleans(FieldVector source, int rows) {
    HeapBooleanVector target = new HeapBooleanVector(rows);
    byte[] values = bits(source.getDataBuffer(), rows);
    for (int i = 0; i < rows; i++) {
      target.vector[i] = isSet(values, i);
    }
    return target;
  }

  private static HeapByteVector bytes(FieldVector source, int rows) {
    HeapByteVector target = new HeapByteVector(rows);
    source.getDataBuffer().getBytes(0, target.vector, 0, rows);
    return target;
  }

  private static HeapShortVector shorts(FieldVector source, int rows) {
    HeapShortVector target = new HeapShortVector(rows);
    buffer(source, Short.BYTES * rows).asShortBuffer().get(target.vector, 0, rows);
    return target;
  }

  private static HeapIntVector ints(FieldVector source, int rows) {
    HeapIntVector target = new HeapIntVector(rows);
    buffer(source, Integer.BYTES * rows).asIntBuffer().get(target.vector, 0, rows);
    return target;
  }

  private static HeapLongVector longs(FieldVector source, int rows) {
    HeapLongVector target = new HeapLongVector(rows);
    buffer(source, Long.BYTES * rows).asLongBuffer().get(target.vector, 0, rows);
    return target;
  }

  private static HeapFloatVector floats(FieldVector source, int rows) {
    HeapFloatVector target = new HeapFloatVector(rows);
    buffer(source, Float.BYTES * rows).asFloatBuffer().get(target.vector, 0, rows);
    return target;
  }

  private static HeapDoubleVector doubles(FieldVector source, int rows) {
    HeapDoubleVector target = new HeapDoubleVector(rows);
    buffer(source, Double.BYTES * rows).asDoubleBuffer().get(target.vector, 0, rows);
    return target;
  }

  private static HeapBytesVector variable(BaseVariableWidthVector source, int rows) {
    HeapBytesVector target = new HeapBytesVector(rows);
    if (rows == 0) {
      return target;
    }
    int[] offsets = offsets(source.getOffsetBuffer(), rows);
    int first = offsets[0];
    target.buffer = new byte[offsets[rows] - first];
    source.getDataBuffer().getBytes(first, target.buffer);
    for (int i = 0; i < rows; i++) {
      target.start[i] = offsets[i] - first;
      target.length[i] = offsets[i + 1] - offsets[i];
    }
    return target;
  }

  /** Lists of elements that were copied before. */
  static HeapArrayVector arrays(ListVector source, AbstractHeapVector elements) {
    int rows = source.getValueCount();
    HeapArrayVector target = new HeapArrayVector(rows, elements);
    if (rows == 0) {
      return target;
    }
    int[] offsets = offsets(source.getOffsetBuffer(), rows);
    for (int i = 0; i < rows; i++) {
      target.getOffsets()[i] = offsets[i];
      target.getLengths()[i] = offsets[i + 1] - offsets[i];
    }
    return target;
  }

  static void copyLongs(FieldVector source, long[] target) {
    buffer(source, Long.BYTES * target.length).asLongBuffer().get(target);
  }

  static void copyInts(FieldVector source, int[] target) {
    buffer(source, Integer.BYTES * target.length).asIntBuffer().get(target);
  }

  private static int[] offsets(ArrowBuf buffer, int rows) {
    int[] offsets = new int[rows + 1];
    little(buffer, Integer.BYTES * offsets.length).asIntBuffer().get(offsets);
    return offsets;
  }

  private static ByteBuffer buffer(FieldVector source, int bytes) {
    return bytes == 0 ? ByteBuffer.allocate(0) : little(source.getDataBuffer(), bytes);
  }

  private static ByteBuffer little(ArrowBuf buffer, int bytes) {
    return buffer.nioBuffer(0, bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static byte[] bits(ArrowBuf buffer, int rows) {
    byte[] bits = new byte[ColumnWriter.bitBytes(rows)];
    buffer.getBytes(0, bits);
    return bits;
  }

  private static boolean isSet(byte[] bits, int index) {
    return (bits[index >> 3] >> (index & 7) & 1) != 0;
  }
}
