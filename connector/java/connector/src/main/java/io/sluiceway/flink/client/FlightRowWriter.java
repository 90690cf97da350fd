package io.sluiceway.flink.client;

import io.sluiceway.flink.api.Retry;
import io.sluiceway.flink.api.RowWriter;
import io.sluiceway.flink.api.TableDefinition;
import io.sluiceway.flink.api.WarehouseException;
import io.sluiceway.flink.api.WriteOptions;
import io.sluiceway.flink.convert.RowBatchWriter;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.types.RowKind;

/** Collects rows in batches and sends them by {@link BatchPut}. */
public final class FlightRowWriter implements RowWriter {
  /** Batches under way: enough to keep the server busy, few enough to hold in memory twice. */
  private static final int WINDOW = 4;

  /** The size of a batch is looked at after so many rows, not after each. */
  private static final int SIZE_CHECK_ROWS = 64;

  private final WriteOptions options;
  private final boolean[] keyFields;
  private final BufferAllocator allocator;
  private final RowBatchWriter batch;
  private final BatchPut put;
  private long oldestNanos;

  /**
   * Makes a writer of rows that have the columns {@code options.columns()} in that order.
   *
   * @throws WarehouseException 42703 when the table has no such column
   */
  public FlightRowWriter(String endpoint, Retry retry, TableDefinition table, WriteOptions options)
      throws WarehouseException {
    this.options = options;
    this.keyFields = keyFields(table, options.columns());
    RowType type = rowType(table, options.columns());
    this.allocator = Memory.child("writer of " + table.name());
    this.batch = new RowBatchWriter(type, true, allocator);
    this.put =
        new BatchPut(
            endpoint,
            retry,
            WriteRequest.of(table, options),
            batch.schema(),
            WINDOW,
            !table.primaryKey().isEmpty(),
            allocator);
  }

  @Override
  public void write(RowData row) throws IOException, InterruptedException {
    switch (row.getRowKind()) {
      case INSERT, UPDATE_AFTER -> batch.add(row);
      case DELETE -> delete(row);
      case UPDATE_BEFORE -> {
        return; // the contract's meaning
      }
    }
    if (batch.rows() == 1) {
      oldestNanos = System.nanoTime();
    }
    if (isFull()) {
      sendBatch();
    }
  }

  private void delete(RowData row) {
    switch (options.deletes()) {
      case APPLY -> batch.addOnly(row, keyFields, RowKind.DELETE);
      case NULL_COLUMNS -> batch.addOnly(row, keyFields, RowKind.UPDATE_AFTER);
      case IGNORE -> {
        // The strategy's meaning: the row stays.
      }
    }
  }

  private boolean isFull() {
    int rows = batch.rows();
    return rows >= options.batchRows()
        || rows % SIZE_CHECK_ROWS == 0 && batch.estimatedBytes() >= options.batchBytes();
  }

  @Override
  public void tick() throws IOException, InterruptedException {
    put.check();
    if (batch.rows() > 0 && System.nanoTime() - oldestNanos >= options.flushInterval().toNanos()) {
      sendBatch();
    }
  }

  @Override
  public void flush() throws IOException, InterruptedException {
    if (batch.rows() > 0) {
      sendBatch();
    }
    put.awaitAll();
  }

  /** The LSN of the newest commit that the server has acknowledged; 0 before the first. */
  public long acknowledgedLsn() {
    return put.last().lsn();
  }

  private void sendBatch() throws IOException, InterruptedException {
    VectorSchemaRoot root = batch.finish();
    try {
      put.send(root);
    } finally {
      root.clear();
    }
  }

  @Override
  public void close() {
    put.close();
    batch.close();
    Memory.close(allocator);
  }

  private static boolean[] keyFields(TableDefinition table, List<String> columns) {
    boolean[] fields = new boolean[columns.size()];
    for (int i = 0; i < fields.length; i++) {
      fields[i] = table.primaryKey().contains(columns.get(i));
    }
    return fields;
  }

  private static RowType rowType(TableDefinition table, List<String> columns)
      throws WarehouseException {
    List<RowType.RowField> fields = new ArrayList<>();
    for (String column : columns) {
      int index = table.indexOf(column);
      if (index < 0) {
        throw WarehouseException.answered(
            "42703",
            "[42703] table \"%s\" has no column \"%s\"".formatted(table.name(), column),
            false);
      }
      fields.add(new RowType.RowField(column, table.columns().get(index).type()));
    }
    return new RowType(fields);
  }
}
