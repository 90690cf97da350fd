package io.sluiceway.flink.convert;

import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.IntVector;
import org.apache.arrow.vector.TinyIntVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.flink.table.api.TableRuntimeException;
import org.apache.flink.table.data.columnar.vector.ColumnVector;
import org.apache.flink.table.data.columnar.vector.VectorizedColumnBatch;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.types.RowKind;

/**
 * Decodes Arrow batches of one row type, copying each column at once.
 *
 * <p>Columns are found by name. The columns {@code _event}, {@code _lsn}, {@code _time} of a
 * changelog and {@code _pos} of a look-up are read when they are there.
 */
public final class RowBatchReader {
  private final RowType type;

  public RowBatchReader(RowType type) {
    this.type = type;
  }

  /**
   * Decodes a batch; the result does not refer to Arrow memory.
   *
   * @throws TableRuntimeException when a column is missing, has another type than expected, is NULL
   *     where it must not be, or was widened and has a value that the expected type does not hold
   */
  public RowBatch read(VectorSchemaRoot root) {
    int rows = root.getRowCount();
    ColumnVector[] columns = new ColumnVector[type.getFieldCount()];
    for (int i = 0; i < columns.length; i++) {
      RowType.RowField field = type.getFields().get(i);
      columns[i] = column(vector(root, field), field);
    }
    VectorizedColumnBatch batch = new VectorizedColumnBatch(columns);
    batch.setNumRows(rows);
    return new RowBatch(
        batch,
        rows,
        kinds(root, rows),
        longs(root, "_lsn", rows),
        longs(root, "_time", rows),
        positions(root, rows));
  }

  private static ColumnVector column(FieldVector vector, RowType.RowField field) {
    if (!ArrowTypes.matches(field.getType(), vector.getField())) {
      return Narrowing.read(field.getName(), vector, field.getType());
    }
    Narrowing.checkLength(field.getName(), vector, field.getType());
    return HeapVectors.read(vector, field.getType());
  }

  private static FieldVector vector(VectorSchemaRoot root, RowType.RowField field) {
    FieldVector vector = root.getVector(field.getName());
    if (vector == null) {
      throw new TableRuntimeException(
          "[42703] the server sent no column \"%s\"; it sent %s"
              .formatted(field.getName(), root.getSchema().getFields()));
    }
    if (!Narrowing.applies(field.getType(), vector.getField())) {
      throw new TableRuntimeException(
          "[42804] column \"%s\" is %s here, but the server sent %s; plan the job again"
              .formatted(
                  field.getName(), field.getType().asSummaryString(), vector.getField().getType()));
    }
    if (!field.getType().isNullable() && vector.getNullCount() > 0) {
      throw new TableRuntimeException(
          "[23502] column \"%s\" is NOT NULL here, but the server sent NULL; plan the job again"
              .formatted(field.getName()));
    }
    return vector;
  }

  private static RowKind[] kinds(VectorSchemaRoot root, int rows) {
    TinyIntVector events = (TinyIntVector) root.getVector("_event");
    if (events == null) {
      return null;
    }
    RowKind[] kinds = new RowKind[rows];
    for (int i = 0; i < rows; i++) {
      kinds[i] = EventKinds.kind(events.get(i));
    }
    return kinds;
  }

  private static long[] longs(VectorSchemaRoot root, String name, int rows) {
    BigIntVector vector = (BigIntVector) root.getVector(name);
    if (vector == null) {
      return null;
    }
    long[] values = new long[rows];
    HeapVectors.copyLongs(vector, values);
    return values;
  }

  private static int[] positions(VectorSchemaRoot root, int rows) {
    IntVector vector = (IntVector) root.getVector("_pos");
    if (vector == null) {
      return null;
    }
    int[] values = new int[rows];
    HeapVectors.copyInts(vector, values);
    return values;
  }
}
