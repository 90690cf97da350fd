package io.sluiceway.flink.convert;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import org.apache.arrow.vector.FieldVector;
import org.apache.flink.table.data.DecimalData;
import org.apache.flink.table.data.columnar.vector.DecimalColumnVector;
import org.apache.flink.table.data.columnar.vector.heap.AbstractHeapVector;

/** Decimals as pairs of words, low before high. */
final class DecimalHeapVector extends AbstractHeapVector implements DecimalColumnVector {
  private static final long serialVersionUID = 1;

  private final long[] words;

  private DecimalHeapVector(long[] words) {
    super(words.length / 2);
    this.words = words;
  }

  static DecimalHeapVector read(FieldVector source, int rows) {
    long[] words = new long[2 * rows];
    HeapVectors.copyLongs(source, words);
    return new DecimalHeapVector(words);
  }

  /** Decimals of one scale, none NULL. */
  static DecimalHeapVector of(BigDecimal[] values) {
    long[] words = new long[2 * values.length];
    for (int i = 0; i < values.length; i++) {
      BigInteger unscaled = values[i].unscaledValue();
      words[2 * i] = unscaled.longValue();
      words[2 * i + 1] = unscaled.shiftRight(Long.SIZE).longValue();
    }
    return new DecimalHeapVector(words);
  }

  @Override
  public DecimalData getDecimal(int index, int precision, int scale) {
    long low = words[2 * index];
    if (DecimalData.isCompact(precision)) {
      return DecimalData.fromUnscaledLong(low, precision, scale);
    }
    byte[] bigEndian = ByteBuffer.allocate(16).putLong(words[2 * index + 1]).putLong(low).array();
    return DecimalData.fromUnscaledBytes(bigEndian, precision, scale);
  }
}
