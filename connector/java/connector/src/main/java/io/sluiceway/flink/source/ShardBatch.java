package io.sluiceway.flink.source;

import io.sluiceway.flink.convert.RowBatch;
import java.util.Set;
import org.apache.flink.connector.base.source.reader.RecordsWithSplitIds;
import org.apache.flink.table.data.RowData;
import org.apache.flink.types.RowKind;

/**
 * A batch of one shard on its way to the task's thread, and a cursor over it.
 *
 * <p>After the last row the cursor stands once more, on the batch's end, so that the emitter can
 * move the split to where the next batch starts. A batch without rows has that one step.
 */
final class ShardBatch implements RecordsWithSplitIds<ShardBatch> {
  private final ShardSplit after;
  private final RowBatch rows;
  private final boolean snapshot;
  private final int end;
  private final boolean last;
  private int row;
  private boolean opened;

  private ShardBatch(
      ShardSplit after, RowBatch rows, boolean snapshot, int skipped, int end, boolean last) {
    this.after = after;
    this.rows = rows;
    this.snapshot = snapshot;
    this.row = skipped - 1;
    this.end = end;
    this.last = last;
  }

  /**
   * A batch of rows.
   *
   * @param skipped rows at its start that have left before a restart
   * @param snapshot whether the rows are a snapshot's
   * @param after where the next batch starts
   */
  static ShardBatch of(RowBatch rows, int skipped, boolean snapshot, ShardSplit after) {
    return new ShardBatch(after, rows, snapshot, skipped, rows.rows(), false);
  }

  /** No rows; the split goes on at {@code after}. */
  static ShardBatch position(ShardSplit after) {
    return new ShardBatch(after, null, false, 0, 0, false);
  }

  /** No rows; the split is finished. */
  static ShardBatch finished(ShardSplit after) {
    return new ShardBatch(after, null, false, 0, 0, true);
  }

  /** The split as it is after this batch. */
  ShardSplit split() {
    return after;
  }

  boolean atEnd() {
    return row >= end;
  }

  boolean isSnapshot() {
    return snapshot;
  }

  int row() {
    return row;
  }

  /** A view of a row; the next call moves it. */
  RowData view(int index) {
    return rows.row(index);
  }

  RowKind kind(int index) {
    return rows.kind(index);
  }

  long lsn(int index) {
    return snapshot ? after.snapshotLsn() : rows.lsn(index);
  }

  /** Commit time, or null in a snapshot. */
  Long timeMicros(int index) {
    return snapshot ? null : rows.timeMicros(index);
  }

  @Override
  public String nextSplit() {
    if (opened) {
      return null;
    }
    opened = true;
    return after.splitId();
  }

  @Override
  public ShardBatch nextRecordFromSplit() {
    if (row >= end) {
      return null;
    }
    row++;
    return this;
  }

  @Override
  public Set<String> finishedSplits() {
    return last ? Set.of(after.splitId()) : Set.of();
  }
}
