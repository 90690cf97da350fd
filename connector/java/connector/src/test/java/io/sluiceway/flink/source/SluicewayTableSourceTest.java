package io.sluiceway.flink.source;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sluiceway.flink.api.ColumnDefinition;
import io.sluiceway.flink.api.Retry;
import io.sluiceway.flink.api.TableDefinition;
import io.sluiceway.flink.options.ReadOptions;
import io.sluiceway.flink.options.ReadOptions.ChangelogKinds;
import io.sluiceway.flink.options.ReadOptions.Startup;
import java.util.List;
import java.util.Map;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.table.connector.ChangelogMode;
import org.apache.flink.table.connector.source.ScanTableSource.ScanRuntimeProvider;
import org.apache.flink.table.connector.source.SourceProvider;
import org.apache.flink.table.runtime.connector.source.ScanRuntimeProviderContext;
import org.apache.flink.table.types.logical.BigIntType;
import org.junit.jupiter.api.Test;

/** What the planner is told of a table. */
class SluicewayTableSourceTest {

  @Test
  void aStreamBringsBeforeImages() {
    assertEquals(ChangelogMode.all(), mode(List.of("id"), true, ChangelogKinds.ALL, false));
    assertEquals(
        ChangelogMode.upsert(false), mode(List.of("id"), true, ChangelogKinds.UPSERT, false));
  }

  @Test
  void aSnapshotATableWithoutKeyAndAppendOnlyInsert() {
    ChangelogMode inserts = ChangelogMode.insertOnly();
    assertEquals(inserts, mode(List.of("id"), true, ChangelogKinds.ALL, true));
    assertEquals(inserts, mode(List.of("id"), false, ChangelogKinds.ALL, false));
    assertEquals(inserts, mode(List.of(), true, ChangelogKinds.ALL, false));
    assertEquals(inserts, mode(List.of("id"), true, ChangelogKinds.ALL_AS_APPEND_ONLY, false));
  }

  @Test
  void binlogFalseEndsInAStreamingSession() {
    ScanRuntimeProvider bounded =
        source(List.of("id"), false, ChangelogKinds.ALL, false)
            .getScanRuntimeProvider(ScanRuntimeProviderContext.INSTANCE);
    assertTrue(((SourceProvider) bounded).isBounded());
  }

  @Test
  void thePastEndsInAStreamingSessionAndIsNotLookedUp() {
    SluicewayTableSource past = source(List.of("id"), true, ChangelogKinds.ALL, false, 7L);
    assertEquals(ChangelogMode.insertOnly(), past.getChangelogMode());
    ScanRuntimeProvider scan = past.getScanRuntimeProvider(ScanRuntimeProviderContext.INSTANCE);
    assertTrue(((SourceProvider) scan).isBounded());
    ValidationException refused =
        assertThrows(ValidationException.class, () -> past.getLookupRuntimeProvider(null));
    assertTrue(refused.getMessage().contains("not at LSN 7"), refused.getMessage());
  }

  private static ChangelogMode mode(
      List<String> key, boolean binlog, ChangelogKinds kinds, boolean batch) {
    return source(key, binlog, kinds, batch).getChangelogMode();
  }

  private static SluicewayTableSource source(
      List<String> key, boolean binlog, ChangelogKinds kinds, boolean batch) {
    return source(key, binlog, kinds, batch, null);
  }

  private static SluicewayTableSource source(
      List<String> key, boolean binlog, ChangelogKinds kinds, boolean batch, Long snapshotLsn) {
    TableDefinition table =
        TableDefinition.of(
            "dw",
            "t",
            null,
            List.of(ColumnDefinition.of("id", new BigIntType(false), null)),
            key,
            Map.of());
    ReadOptions read =
        new ReadOptions(
            binlog, kinds, Startup.INITIAL, null, snapshotLsn, 10, 10, null, Retry.DEFAULT);
    return new SluicewayTableSource(table, "localhost:1", read, null, batch);
  }
}
