package io.sluiceway.flink.sync.source;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.sluiceway.flink.sync.mysql.Structures;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Checkpoints are kept for long: what a version wrote must stay readable byte by byte. */
class StateTest {
  private static final Structures STRUCTURES =
      new Structures(List.of("SET x=1"), Map.of("b", "{\"é\":1}", "a", "{}"));
  private static final SyncSplit.Chunk CHUNK =
      new SyncSplit.Chunk("t", 3, STRUCTURES, null, "42", true);
  private static final SyncSplit.Binlog BINLOG =
      new SyncSplit.Binlog(
          Map.of("file", "b.1", "pos", 4L, "row", 1, "snapshot", false), STRUCTURES);

  @Test
  void splitsAreReadAsVersion1WroteThem() throws IOException {
    assertFixture("chunk.v1", new SyncSplitSerializer().serialize(CHUNK));
    assertFixture("binlog.v1", new SyncSplitSerializer().serialize(BINLOG));
    assertEquals(CHUNK, new SyncSplitSerializer().deserialize(1, fixture("chunk.v1")));
    assertEquals(BINLOG, new SyncSplitSerializer().deserialize(1, fixture("binlog.v1")));
  }

  @Test
  void theEnumeratorsStateIsReadAsVersion1WroteIt() throws IOException {
    SyncState state = new SyncState(List.of("u"), List.of(CHUNK), List.of("t#1"), BINLOG);
    SyncState streaming = new SyncState(List.of(), List.of(), List.of(), null);
    SyncStateSerializer serializer = new SyncStateSerializer();
    assertFixture("state.v1", serializer.serialize(state));
    assertEquals(state, serializer.deserialize(1, fixture("state.v1")));
    assertEquals(streaming, serializer.deserialize(1, serializer.serialize(streaming)));
  }

  @Test
  void stateOfANewerSyncIsRefused() {
    assertThrows(IOException.class, () -> new SyncSplitSerializer().deserialize(2, new byte[8]));
  }

  private static void assertFixture(String name, byte[] bytes) throws IOException {
    assertArrayEquals(fixture(name), bytes, name);
  }

  private static byte[] fixture(String name) throws IOException {
    try (var in = StateTest.class.getResourceAsStream("/" + name)) {
      return in.readAllBytes();
    }
  }
}
