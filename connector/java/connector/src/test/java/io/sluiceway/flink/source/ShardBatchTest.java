package io.sluiceway.flink.source;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.sluiceway.flink.api.ColumnDefinition;
import io.sluiceway.flink.api.Retry;
import io.sluiceway.flink.api.TableDefinition;
import io.sluiceway.flink.convert.OwnColumns;
import io.sluiceway.flink.convert.RowBatch;
import io.sluiceway.flink.convert.RowBatchReader;
import io.sluiceway.flink.options.ReadOptions;
import io.sluiceway.flink.options.ReadOptions.ChangelogKinds;
import io.sluiceway.flink.options.ReadOptions.Startup;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.TinyIntVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.flink.api.common.eventtime.Watermark;
import org.apache.flink.api.connector.source.SourceOutput;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.types.logical.BigIntType;
import org.apache.flink.table.types.logical.RowType;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The position of a split moves with each row that leaves, so that a restart repeats none. */
class ShardBatchTest {
  private static final TableDefinition TABLE =
      TableDefinition.of(
          "order_dw",
          "orders",
          null,
          List.of(ColumnDefinition.of("id", new BigIntType(false), null)),
          List.of("id"),
          Map.of());

  private final BufferAllocator allocator = new RootAllocator();
  private final List<String> emitted = new ArrayList<>();

  @AfterEach
  void closeAllocator() {
    allocator.close();
  }

  @Test
  void aSnapshotsPositionCountsRowsAfterABirthOrdinal() {
    ShardSplit start = ShardSplit.ofSnapshot(7, 0, "hold", 41);
    ShardSplitState state = new ShardSplitState(start);
    ShardBatch batch = ShardBatch.of(rows(10, 11, 12), 0, true, start.inSnapshot(8, 0));

    take(batch, state, 2, ChangelogKinds.ALL);

    assertEquals(List.of("+I(10)", "+I(11)"), emitted);
    assertEquals(start.inSnapshot(0, 2), state.toSplit());
    take(batch, state, 2, ChangelogKinds.ALL);
    assertEquals(start.inSnapshot(8, 0), state.toSplit());
  }

  @Test
  void aRestoredSnapshotSkipsTheRowsThatHaveLeft() {
    ShardSplit restored = ShardSplit.ofSnapshot(7, 0, "hold", 41).inSnapshot(0, 2);
    ShardSplitState state = new ShardSplitState(restored);
    ShardBatch batch = ShardBatch.of(rows(10, 11, 12), 2, true, restored.inSnapshot(8, 0));

    take(batch, state, 1, ChangelogKinds.ALL);

    assertEquals(List.of("+I(12)"), emitted);
    assertEquals(restored.inSnapshot(0, 3), state.toSplit());
  }

  @Test
  void rowsToSkipMaySpanBatches() {
    ShardSplit restored = ShardSplit.ofSnapshot(7, 0, "hold", 41).inSnapshot(0, 4);
    ShardSplitState state = new ShardSplitState(restored);

    take(
        ShardBatch.of(rows(10, 11, 12), 3, true, restored.inSnapshot(8, 1)),
        state,
        9,
        ChangelogKinds.ALL);
    take(
        ShardBatch.of(rows(13, 14), 1, true, restored.inSnapshot(10, 0)),
        state,
        1,
        ChangelogKinds.ALL);

    assertEquals(List.of("+I(14)"), emitted);
    assertEquals(restored.inSnapshot(8, 2), state.toSplit());
  }

  @Test
  void aChangelogsPositionIsTheNextLsn() {
    ShardSplit start = ShardSplit.ofChangelog(7, 0, 42);
    ShardSplitState state = new ShardSplitState(start);
    ShardBatch batch = ShardBatch.of(events(), 0, false, start.inChangelog(60));

    take(batch, state, 2, ChangelogKinds.ALL);

    assertEquals(List.of("-U(1)", "+U(1)"), emitted);
    assertEquals(start.inChangelog(52), state.toSplit());
    take(batch, state, 2, ChangelogKinds.ALL);
    assertEquals(List.of("-U(1)", "+U(1)", "-D(2)"), emitted);
    assertEquals(start.inChangelog(60), state.toSplit());
  }

  @Test
  void rowsThatAModeDropsAreCounted() {
    ShardSplit start = ShardSplit.ofChangelog(7, 0, 42);
    ShardSplitState state = new ShardSplitState(start);

    take(ShardBatch.of(events(), 0, false, start.inChangelog(60)), state, 1, ChangelogKinds.UPSERT);

    assertEquals(List.of(), emitted);
    assertEquals(start.inChangelog(51), state.toSplit());
  }

  @Test
  void appendOnlyMakesEveryEventAnInsert() {
    ShardSplit start = ShardSplit.ofChangelog(7, 0, 42);

    take(
        ShardBatch.of(events(), 0, false, start.inChangelog(60)),
        new ShardSplitState(start),
        9,
        ChangelogKinds.ALL_AS_APPEND_ONLY);

    assertEquals(List.of("+I(1)", "+I(1)", "+I(2)"), emitted);
  }

  @Test
  void aHeartbeatMovesThePosition() {
    ShardSplit start = ShardSplit.ofChangelog(7, 0, 42);
    ShardSplitState state = new ShardSplitState(start);

    take(ShardBatch.position(start.inChangelog(70)), state, 9, ChangelogKinds.ALL);

    assertEquals(List.of(), emitted);
    assertEquals(start.inChangelog(70), state.toSplit());
  }

  @Test
  void metadataColumnsFollowTheRow() {
    ShardSplit start = ShardSplit.ofChangelog(7, 2, 42);
    SourcePlan plan =
        new SourcePlan(
            TABLE,
            "localhost:1",
            read(ChangelogKinds.ALL),
            TABLE.rowType(),
            List.of(MetadataColumn.values()),
            List.of(),
            false);

    take(
        ShardBatch.of(events(), 0, false, start.inChangelog(60)),
        new ShardSplitState(start),
        1,
        plan);

    assertEquals(List.of("-U(1,50,3,5000,2,order_dw,orders)"), emitted);
  }

  private void take(ShardBatch batch, ShardSplitState state, int records, ChangelogKinds kinds) {
    SourcePlan plan =
        new SourcePlan(
            TABLE, "localhost:1", read(kinds), TABLE.rowType(), List.of(), List.of(), false);
    take(batch, state, records, plan);
  }

  private void take(ShardBatch batch, ShardSplitState state, int records, SourcePlan plan) {
    ShardEmitter emitter = new ShardEmitter(plan, left -> {});
    batch.nextSplit();
    for (int i = 0; i < records && batch.nextRecordFromSplit() != null; i++) {
      emitter.emitRecord(batch, new Output(plan), state);
    }
  }

  private static ReadOptions read(ChangelogKinds kinds) {
    return new ReadOptions(
        true, kinds, Startup.INITIAL, null, null, 8192, 8192, null, Retry.DEFAULT);
  }

  private RowBatch rows(long... ids) {
    try (BigIntVector id = longs("id", ids)) {
      return read(OwnColumns.NONE, ids.length, id);
    }
  }

  /** An update of 1 at LSNs 50 and 51, a delete of 2 at LSN 52. */
  private RowBatch events() {
    try (TinyIntVector event = new TinyIntVector("_event", allocator);
        BigIntVector lsn = longs("_lsn", 50, 51, 52);
        BigIntVector time = longs("_time", 5000, 5000, 5000);
        BigIntVector id = longs("id", 1, 1, 2)) {
      for (int i = 0; i < 3; i++) {
        event.setSafe(i, new int[] {3, 7, 2}[i]);
      }
      event.setValueCount(3);
      return read(OwnColumns.CHANGE, 3, event, lsn, time, id);
    }
  }

  private BigIntVector longs(String name, long... values) {
    BigIntVector vector = new BigIntVector(name, allocator);
    for (int i = 0; i < values.length; i++) {
      vector.setSafe(i, values[i]);
    }
    vector.setValueCount(values.length);
    return vector;
  }

  private static RowBatch read(OwnColumns own, int rows, FieldVector... vectors) {
    VectorSchemaRoot root = new VectorSchemaRoot(Arrays.asList(vectors));
    root.setRowCount(rows);
    return new RowBatchReader(TABLE.rowType(), own).read(root);
  }

  /** Writes down what is emitted. */
  private final class Output implements SourceOutput<RowData> {
    private final SourcePlan plan;

    Output(SourcePlan plan) {
      this.plan = plan;
    }

    @Override
    public void collect(RowData row) {
      List<String> values = new ArrayList<>();
      RowType physical = plan.physical();
      values.add(String.valueOf(row.getLong(0)));
      if (row.getArity() > physical.getFieldCount()) {
        values.add(String.valueOf(row.getLong(1)));
        values.add(String.valueOf(row.getLong(2)));
        values.add(String.valueOf(row.getLong(3)));
        values.add(String.valueOf(row.getInt(4)));
        values.add(row.getString(5).toString());
        values.add(row.getString(6).toString());
      }
      emitted.add(row.getRowKind().shortString() + "(" + String.join(",", values) + ")");
    }

    @Override
    public void collect(RowData row, long timestamp) {
      collect(row);
    }

    @Override
    public void emitWatermark(Watermark watermark) {}

    @Override
    public void markIdle() {}

    @Override
    public void markActive() {}
  }
}
