package io.sluiceway.flink.convert;

import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.IntVector;
import org.apache.arrow.vector.TinyIntVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.flink.table.api.TableRuntimeException;
import org.apache.flink.table.data.columnar.vector.ColumnVector;
import org.apache.flink.table.data.columnar.vector.VectorizedColumnBatch;
import org.apache.flink.table.types.logical.ArrayType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.types.RowKind;

/**
 * Decodes Arrow batches of one row type, copying each column at once.
 *
 * <p>The stream's own columns come first and are found by position, the others by name behind them.
 */
public final class RowBatchReader {
  private final RowType type;
  private final OwnColumns own;

  public RowBatchReader(RowType type, OwnColumns own) {
    this.type = type;
    this.own = own;
  }

  /**
   * Decodes a batch; the result does not refer to Arrow memory.
   *
   * @throws TableRuntimeException when a column is missing, has another type than expected, or is
   *     NULL where it must not be
   */
  public RowBatch read(VectorSchemaRoot root) {
    int rows = root.getRowCount();
    ColumnVector[] columns = new ColumnVector[type.getFieldCount()];
    for (int i = 0; i < columns.length; i++) {
      RowType.RowField field = type.getFields().get(i);
      columns[i] = HeapVectors.read(vector(root, field), field.getType());
    }
    VectorizedColumnBatch batch = new VectorizedColumnBatch(columns);
    batch.setNumRows(rows);
    return new RowBatch(
        batch,
        rows,
        own == OwnColumns.CHANGE ? kinds((TinyIntVector) root.getVector(0), rows) : null,
        own == OwnColumns.CHANGE ? longs((BigIntVector) root.getVector(1), rows) : null,
        own == OwnColumns.CHANGE ? longs((BigIntVector) root.getVector(2), rows) : null,
        own == OwnColumns.POSITION ? ints((IntVector) root.getVector(0), rows) : null);
  }

  private FieldVector vector(VectorSchemaRoot root, RowType.RowField field) {
    FieldVector vector = null;
    for (int at = own.count(); vector == null && at < root.getFieldVectors().size(); at++) {
      if (root.getVector(at).getName().equals(field.getName())) {
        vector = root.getVector(at);
      }
    }
    if (vector == null) {
      throw new TableRuntimeException(
          "[42703] the server sent no column \"%s\"; it sent %s"
              .formatted(field.getName(), root.getSchema().getFields()));
    }
    if (!matches(field.getType(), vector.getField())) {
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

  private static boolean matches(LogicalType expected, Field actual) {
    if (!ArrowTypes.arrowType(expected).equals(actual.getType())) {
      return false;
    }
    return !(expected instanceof ArrayType array)
        || matches(array.getElementType(), actual.getChildren().get(0));
  }

  private static RowKind[] kinds(TinyIntVector events, int rows) {
    RowKind[] kinds = new RowKind[rows];
    for (int i = 0; i < rows; i++) {
      kinds[i] = EventKinds.kind(events.get(i));
    }
    return kinds;
  }

  private static long[] longs(BigIntVector vector, int rows) {
    long[] values = new long[rows];
    HeapVectors.copyLongs(vector, values);
    return values;
  }

  private static int[] ints(IntVector vector, int rows) {
    int[] values = new int[rows];
    HeapVectors.copyInts(vector, values);
    return values;
  }
}
