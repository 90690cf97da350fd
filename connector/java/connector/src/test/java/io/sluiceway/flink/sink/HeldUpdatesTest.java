package io.sluiceway.flink.sink;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sluiceway.flink.api.ColumnDefinition;
import io.sluiceway.flink.api.TableDefinition;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.binary.BinaryRowData;
import org.apache.flink.table.types.logical.BigIntType;
import org.apache.flink.table.types.logical.VarCharType;
import org.apache.flink.types.RowKind;
import org.junit.jupiter.api.Test;

class HeldUpdatesTest {
  private static final TableDefinition TABLE =
      TableDefinition.of(
          "dw",
          "t",
          null,
          List.of(
              ColumnDefinition.of("v", new BigIntType(), null),
              ColumnDefinition.of("name", new VarCharType(false, 20), null),
              ColumnDefinition.of("id", new BigIntType(false), null)),
          List.of("id", "name"),
          Map.of());
  private final RowKeys keys = new RowKeys(TABLE, List.of("v", "name", "id"));

  @Test
  void aKeyIsTheSameWhateverTheKindAndTheOtherColumns() {
    BinaryRowData one = keys.of(row(RowKind.UPDATE_BEFORE, 1L, 7)).copy();
    assertEquals(one, keys.of(row(RowKind.UPDATE_AFTER, 2L, 7)));
    assertTrue(!one.equals(keys.of(row(RowKind.UPDATE_AFTER, 1L, 8))));
  }

  @Test
  void aDeletionHasTheKeyAlone() {
    RowData deletion = keys.deletion(keys.of(row(RowKind.UPDATE_BEFORE, 1L, 7)));
    assertEquals(RowKind.DELETE, deletion.getRowKind());
    assertTrue(deletion.isNullAt(0));
    assertEquals("n7", deletion.getString(1).toString());
    assertEquals(7, deletion.getLong(2));
  }

  @Test
  void aBeforeImageWaitsWholeTicks() {
    HeldUpdates held = new HeldUpdates(2, false);
    held.hold(key(1));
    assertEquals(List.of(), held.tick());
    assertEquals(List.of(), held.tick());
    assertEquals(List.of(key(1)), held.tick());
    assertTrue(held.isEmpty());
  }

  @Test
  void afterAChangeOfParallelismNothingIsWaitedFor() {
    HeldUpdates held = new HeldUpdates(1000, false);
    held.holdNoLonger(key(1));
    assertEquals(List.of(key(1)), held.tick());
  }

  @Test
  void tooManyAreLetGoOldestFirst() {
    HeldUpdates held = new HeldUpdates(1000, false);
    for (int i = 0; i < HeldUpdates.MOST + 2; i++) {
      held.hold(key(i));
    }
    assertEquals(List.of(key(0), key(1)), held.tick());
    assertEquals(HeldUpdates.MOST, held.keys().size());
  }

  /** Random rows against a plain list: what is let go is what has been alone for long enough. */
  @Test
  void itLetsGoWhatAListWould() {
    for (long seed = 0; seed < 200; seed++) {
      Random random = new Random(seed);
      long wait = random.nextInt(4);
      HeldUpdates held = new HeldUpdates(wait, false);
      List<long[]> model = new ArrayList<>(); // key, tick
      for (long tick = 0; tick < 30; tick++) {
        for (int i = random.nextInt(6); i > 0; i--) {
          long id = random.nextInt(5);
          model.removeIf(entry -> entry[0] == id);
          if (random.nextBoolean()) {
            held.hold(key(id));
            model.add(new long[] {id, tick});
          } else {
            held.settle(key(id));
          }
        }
        Set<BinaryRowData> wanted = new LinkedHashSet<>();
        long now = tick + 1;
        model.stream().filter(e -> now - e[1] > wait).forEach(e -> wanted.add(key(e[0])));
        model.removeIf(entry -> now - entry[1] > wait);
        assertEquals(List.copyOf(wanted), held.tick(), "seed " + seed);
        assertEquals(model.stream().map(e -> key(e[0])).toList(), held.keys(), "seed " + seed);
      }
      assertEquals(model.size(), held.drain().size());
      assertTrue(held.isEmpty());
    }
  }

  @Test
  void stateComesBack() throws Exception {
    WriterState state = new WriterState(3, List.of(key(1), key(200)));
    byte[] bytes = WriterStateSerializer.INSTANCE.serialize(state);
    assertEquals(state, WriterStateSerializer.INSTANCE.deserialize(1, bytes));
    WriterState none = new WriterState(1, List.of());
    bytes = WriterStateSerializer.INSTANCE.serialize(none);
    assertEquals(none, WriterStateSerializer.INSTANCE.deserialize(1, bytes));
  }

  private BinaryRowData key(long id) {
    return keys.of(row(RowKind.INSERT, null, id)).copy();
  }

  private static RowData row(RowKind kind, Long v, long id) {
    return GenericRowData.ofKind(kind, v, StringData.fromString("n" + id), id);
  }
}
