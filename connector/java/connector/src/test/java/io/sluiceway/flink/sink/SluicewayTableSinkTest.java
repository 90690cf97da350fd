package io.sluiceway.flink.sink;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sluiceway.flink.api.ColumnDefinition;
import io.sluiceway.flink.api.Retry;
import io.sluiceway.flink.api.TableDefinition;
import io.sluiceway.flink.api.WriteOptions.Conflict;
import io.sluiceway.flink.api.WriteOptions.Deletes;
import io.sluiceway.flink.options.WriteConfig;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.table.connector.ChangelogMode;
import org.apache.flink.table.types.logical.BigIntType;
import org.apache.flink.types.RowKind;
import org.junit.jupiter.api.Test;

/** What the planner is told of writing. */
class SluicewayTableSinkTest {

  @Test
  void itAsksForWhatTheInputHasLessBeforeImages() {
    ChangelogMode mode = sink(List.of("id"), Deletes.APPLY).getChangelogMode(ChangelogMode.all());
    assertFalse(mode.contains(RowKind.UPDATE_BEFORE));
    assertTrue(mode.contains(RowKind.DELETE));
    assertTrue(mode.keyOnlyDeletes());
    assertEquals(
        ChangelogMode.insertOnly().getContainedKinds(),
        sink(List.of("id"), Deletes.APPLY)
            .getChangelogMode(ChangelogMode.insertOnly())
            .getContainedKinds());
  }

  @Test
  void ignoringDeletesTakesEverything() {
    assertEquals(
        ChangelogMode.all(),
        sink(List.of("id"), Deletes.IGNORE).getChangelogMode(ChangelogMode.all()));
  }

  @Test
  void aTableWithoutKeyTakesInsertsOnly() {
    assertEquals(
        ChangelogMode.insertOnly(),
        sink(List.of(), Deletes.IGNORE).getChangelogMode(ChangelogMode.all()));
  }

  @Test
  void aColumnListIsAPartialInsertUnlessTheRowIsReplaced() {
    assertTrue(sink(Conflict.UPDATE, true).applyTargetColumns(new int[][] {{0}}));
    assertFalse(sink(Conflict.UPDATE, false).applyTargetColumns(new int[][] {{0}}));
    assertFalse(sink(Conflict.REPLACE, true).applyTargetColumns(new int[][] {{0}}));
  }

  private static SluicewayTableSink sink(List<String> key, Deletes deletes) {
    return sink(key, Conflict.UPDATE, deletes, true);
  }

  private static SluicewayTableSink sink(Conflict conflict, boolean partialInsert) {
    return sink(List.of("id"), conflict, Deletes.APPLY, partialInsert);
  }

  private static SluicewayTableSink sink(
      List<String> key, Conflict conflict, Deletes deletes, boolean partialInsert) {
    TableDefinition table =
        TableDefinition.of(
            "dw",
            "t",
            null,
            List.of(
                ColumnDefinition.of("id", new BigIntType(false), null),
                ColumnDefinition.of("v", new BigIntType(), null)),
            key,
            Map.of());
    WriteConfig write =
        new WriteConfig(
            conflict,
            deletes,
            partialInsert,
            10,
            1000,
            Duration.ofMillis(50),
            null,
            null,
            Retry.DEFAULT);
    return new SluicewayTableSink(table, "localhost:1", write, new Configuration());
  }
}
