package io.sluiceway.flink.convert;

import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.columnar.ColumnarRowData;
import org.apache.flink.table.data.columnar.vector.VectorizedColumnBatch;
import org.apache.flink.types.RowKind;

/**
 * A decoded batch of rows on the heap.
 *
 * <p>Rows are views. The batch never changes, so views stay right as long as they are held, but
 * each holds the whole batch: copy what is kept for long.
 */
public final class RowBatch {
  private final VectorizedColumnBatch columns;
  private final int rows;
  private final RowKind[] kinds;
  private final long[] lsns;
  private final long[] timesMicros;
  private final int[] positions;
  private final ColumnarRowData view;

  RowBatch(
      VectorizedColumnBatch columns,
      int rows,
      RowKind[] kinds,
      long[] lsns,
      long[] timesMicros,
      int[] positions) {
    this.columns = columns;
    this.rows = rows;
    this.kinds = kinds;
    this.lsns = lsns;
    this.timesMicros = timesMicros;
    this.positions = positions;
    this.view = new ColumnarRowData(columns);
  }

  public int rows() {
    return rows;
  }

  /** A view of a row that the next call moves to another row. */
  public RowData row(int index) {
    view.setRowId(index);
    view.setRowKind(kind(index));
    return view;
  }

  /** A view of a row of its own. */
  public RowData ownRow(int index) {
    ColumnarRowData row = new ColumnarRowData(columns, index);
    row.setRowKind(kind(index));
    return row;
  }

  /** The kind of a row: INSERT unless the batch comes from a changelog. */
  public RowKind kind(int index) {
    return kinds == null ? RowKind.INSERT : kinds[index];
  }

  /** The LSN of a change; only in a changelog. */
  public long lsn(int index) {
    return lsns[index];
  }

  /** When a change was committed, in microseconds since 1970 UTC; only in a changelog. */
  public long timeMicros(int index) {
    return timesMicros[index];
  }

  /** The row of the request that a row answers; only in a look-up. */
  public int position(int index) {
    return positions[index];
  }
}
