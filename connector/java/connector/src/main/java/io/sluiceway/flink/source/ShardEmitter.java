package io.sluiceway.flink.source;

import io.sluiceway.flink.options.ReadOptions.ChangelogKinds;
import java.util.function.Consumer;
import org.apache.flink.api.connector.source.SourceOutput;
import org.apache.flink.connector.base.source.reader.RecordEmitter;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.utils.JoinedRowData;
import org.apache.flink.types.RowKind;

/**
 * Emits the row under a batch's cursor and moves the split's position past it.
 *
 * <p>Rows that the change-log mode drops are counted like all others. The row object is used again
 * for the next row.
 */
final class ShardEmitter implements RecordEmitter<ShardBatch, RowData, ShardSplitState> {
  private final SourcePlan plan;
  private final Consumer<ShardSplit> leftSnapshot;
  private final MetadataColumn.Reader[] metadata;
  private final GenericRowData metadataRow;
  private final JoinedRowData joined = new JoinedRowData();
  private final RowData noColumns = new GenericRowData(0);

  /**
   * An emitter.
   *
   * @param leftSnapshot told of a split when all rows of its snapshot have been emitted and its
   *     changelog begins
   */
  ShardEmitter(SourcePlan plan, Consumer<ShardSplit> leftSnapshot) {
    this.plan = plan;
    this.leftSnapshot = leftSnapshot;
    this.metadata =
        plan.metadata().stream()
            .map(column -> column.reader(plan.table()))
            .toArray(MetadataColumn.Reader[]::new);
    this.metadataRow = new GenericRowData(metadata.length);
  }

  @Override
  public void emitRecord(ShardBatch batch, SourceOutput<RowData> output, ShardSplitState state) {
    if (batch.atEnd()) {
      moveTo(batch.split(), state);
      return;
    }
    int row = batch.row();
    if (emits(batch.kind(row)) && !isBeforeStart(batch, row)) {
      output.collect(rowOf(batch, row));
    }
    if (batch.isSnapshot()) {
      state.snapshotRow();
    } else {
      state.event(batch.lsn(row));
    }
  }

  private void moveTo(ShardSplit split, ShardSplitState state) {
    boolean leaves = split.hasLeftSnapshot() && state.toSplit().isSnapshot();
    state.moveTo(split);
    if (leaves) {
      leftSnapshot.accept(split);
    }
  }

  /** A table without a key is read as insert-only: the deletes of its TRUNCATE are left out. */
  private boolean emits(RowKind kind) {
    ChangelogKinds kinds = plan.read().changelogKinds();
    if (kinds == ChangelogKinds.ALL_AS_APPEND_ONLY) {
      return true;
    }
    if (plan.table().primaryKey().isEmpty()) {
      return kind == RowKind.INSERT;
    }
    return kinds == ChangelogKinds.ALL || kind != RowKind.UPDATE_BEFORE;
  }

  /**
   * The start may be still to come when the job begins: what is committed until then is left out.
   */
  private boolean isBeforeStart(ShardBatch batch, int row) {
    Long start = plan.read().startMicros();
    return start != null && !batch.isSnapshot() && batch.timeMicros(row) < start;
  }

  private RowData rowOf(ShardBatch batch, int row) {
    RowKind kind =
        plan.read().changelogKinds() == ChangelogKinds.ALL_AS_APPEND_ONLY
            ? RowKind.INSERT
            : batch.kind(row);
    RowData physical = plan.readsNoColumns() ? noColumns : batch.view(row);
    if (metadata.length == 0) {
      physical.setRowKind(kind);
      return physical;
    }
    for (int i = 0; i < metadata.length; i++) {
      metadataRow.setField(i, metadata[i].value(batch, row));
    }
    joined.replace(physical, metadataRow);
    joined.setRowKind(kind);
    return joined;
  }
}
