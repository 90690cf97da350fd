package io.sluiceway.flink.source;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The bytes in checkpoints: those of version 1 stay readable for ever. */
class StateFormatTest {
  private static final ShardSplit IN_SNAPSHOT =
      new ShardSplit(
          7,
          3,
          ShardSplit.Phase.SNAPSHOT,
          "flink/job/order_dw.orders/1",
          4_000_000_001L,
          8192,
          17,
          4_000_000_002L);
  private static final ShardSplit IN_CHANGELOG = ShardSplit.ofChangelog(7, 2, 99);
  private static final EnumeratorState ENUMERATOR =
      new EnumeratorState(
          4, "flink/job/order_dw.orders/1", 4_000_000_001L, List.of(IN_SNAPSHOT, IN_CHANGELOG));
  private static final EnumeratorState NOTHING_KNOWN = new EnumeratorState(0, null, 0, List.of());

  @Test
  void splitsOfVersion1AreRead() throws IOException {
    assertSplit(IN_SNAPSHOT, "split-snapshot-v1.hex");
    assertSplit(IN_CHANGELOG, "split-changelog-v1.hex");
  }

  @Test
  void enumeratorsOfVersion1AreRead() throws IOException {
    assertEnumerator(ENUMERATOR, "enumerator-v1.hex");
    assertEnumerator(NOTHING_KNOWN, "enumerator-empty-v1.hex");
  }

  @Test
  void anotherVersionIsRefusedWithTheCure() {
    IOException failure =
        assertThrows(
            IOException.class, () -> ShardSplitSerializer.INSTANCE.deserialize(2, new byte[0]));
    assertTrue(failure.getMessage().contains("restore it with the connector that wrote it"));
  }

  private static void assertSplit(ShardSplit expected, String fixture) throws IOException {
    byte[] bytes = fixture(fixture);
    assertEquals(expected, ShardSplitSerializer.INSTANCE.deserialize(1, bytes));
    assertArrayEquals(bytes, ShardSplitSerializer.INSTANCE.serialize(expected));
  }

  private static void assertEnumerator(EnumeratorState expected, String fixture)
      throws IOException {
    byte[] bytes = fixture(fixture);
    assertEquals(expected, EnumeratorStateSerializer.INSTANCE.deserialize(1, bytes));
    assertArrayEquals(bytes, EnumeratorStateSerializer.INSTANCE.serialize(expected));
  }

  private static byte[] fixture(String name) throws IOException {
    try (InputStream in = StateFormatTest.class.getResourceAsStream("/state/" + name)) {
      return HexFormat.of().parseHex(new String(in.readAllBytes()).strip());
    }
  }
}
