package io.sluiceway.flink.convert;

import org.apache.arrow.vector.FieldVector;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.data.columnar.vector.TimestampColumnVector;
import org.apache.flink.table.data.columnar.vector.heap.HeapLongVector;

/** Timestamps as microseconds or nanoseconds since 1970. */
final class TimestampHeapVector extends HeapLongVector implements TimestampColumnVector {
  private static final long serialVersionUID = 1;

  private final boolean nanoseconds;

  private TimestampHeapVector(int rows, boolean nanoseconds) {
    super(rows);
    this.nanoseconds = nanoseconds;
  }

  static TimestampHeapVector read(FieldVector source, int rows, boolean nanoseconds) {
    TimestampHeapVector target = new TimestampHeapVector(rows, nanoseconds);
    HeapVectors.copyLongs(source, target.vector);
    return target;
  }

  @Override
  public TimestampData getTimestamp(int index, int precision) {
    long value = vector[index];
    long unitsPerMillisecond = nanoseconds ? 1_000_000L : 1_000L;
    long milliseconds = Math.floorDiv(value, unitsPerMillisecond);
    int rest = (int) (value - milliseconds * unitsPerMillisecond);
    return TimestampData.fromEpochMillis(milliseconds, nanoseconds ? rest : rest * 1_000);
  }
}
