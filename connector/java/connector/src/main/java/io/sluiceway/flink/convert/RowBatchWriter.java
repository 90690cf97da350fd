package io.sluiceway.flink.convert;

import java.util.Arrays;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.TinyIntVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.types.pojo.Schema;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.types.RowKind;

/**
 * Collects rows and turns them into one Arrow batch.
 *
 * <p>A row is copied by {@link #add}; the caller may use the object again. Used by one thread.
 */
public final class RowBatchWriter implements AutoCloseable {
  private final ColumnWriter[] columns;
  private final VectorSchemaRoot root;
  private final boolean withOp;
  private final long rowBytes;
  private byte[] ops = new byte[ColumnWriter.INITIAL_ROWS];
  private int rows;

  /**
   * Makes a writer.
   *
   * @param withOp true to send each row's kind in the first column
   */
  public RowBatchWriter(RowType type, boolean withOp, BufferAllocator allocator) {
    this.columns = ColumnWriters.of(type);
    this.withOp = withOp;
    this.rowBytes = 1 + Arrays.stream(columns).mapToInt(ColumnWriter::fixedBytes).sum();
    this.root = VectorSchemaRoot.create(ArrowTypes.schema(type, withOp), allocator);
  }

  /** Copies a row with its own kind. */
  public void add(RowData row) {
    add(row, row.getRowKind());
  }

  /** Copies a row under another kind. */
  public void add(RowData row, RowKind kind) {
    for (int i = 0; i < columns.length; i++) {
      columns[i].write(row, i);
    }
    end(kind);
  }

  /**
   * Copies some fields of a row; the others become NULL.
   *
   * @param kept for each field whether it is copied
   */
  public void addOnly(RowData row, boolean[] kept, RowKind kind) {
    for (int i = 0; i < columns.length; i++) {
      if (kept[i]) {
        columns[i].write(row, i);
      } else {
        columns[i].writeNull();
      }
    }
    end(kind);
  }

  /** Rows collected. */
  public int rows() {
    return rows;
  }

  /** About the bytes that the batch will have. */
  public long estimatedBytes() {
    long bytes = rows * rowBytes;
    for (ColumnWriter column : columns) {
      bytes += column.variableBytes();
    }
    return bytes;
  }

  public Schema schema() {
    return root.getSchema();
  }

  /**
   * The batch of all rows collected, and starts the next one.
   *
   * @return a root that this writer owns and fills again by the next call; clear it when done
   */
  public VectorSchemaRoot finish() {
    int vector = 0;
    if (withOp) {
      finishOps((TinyIntVector) root.getVector(vector++));
    }
    for (ColumnWriter column : columns) {
      column.finish(root.getVector(vector++));
    }
    root.setRowCount(rows);
    rows = 0;
    return root;
  }

  @Override
  public void close() {
    root.close();
  }

  private void end(RowKind kind) {
    if (rows >= ops.length) {
      ops = Arrays.copyOf(ops, ColumnWriter.grown(ops.length));
    }
    ops[rows++] = kind.toByteValue();
  }

  private void finishOps(TinyIntVector vector) {
    ColumnWriter.allocate(vector, rows);
    vector.getDataBuffer().setBytes(0, ops, 0, rows);
    vector.getValidityBuffer().setOne(0L, ColumnWriter.bitBytes(rows));
    vector.setValueCount(rows);
  }
}
