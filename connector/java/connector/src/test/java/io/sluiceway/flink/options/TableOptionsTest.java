package io.sluiceway.flink.options;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sluiceway.flink.api.TableDefinition;
import io.sluiceway.flink.api.WriteOptions;
import io.sluiceway.flink.options.ReadOptions.ChangelogKinds;
import io.sluiceway.flink.options.ReadOptions.Startup;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.flink.table.api.ValidationException;
import org.junit.jupiter.api.Test;

class TableOptionsTest {

  @Test
  void defaultsFollowChangesAfterASnapshot() {
    ReadOptions read = TableOptions.of(Map.of()).read(ZoneOffset.UTC);
    assertTrue(read.binlog());
    assertEquals(ChangelogKinds.ALL, read.changelogKinds());
    assertEquals(Startup.INITIAL, read.startup());
    assertNull(read.startMicros());
    WriteConfig write = TableOptions.of(Map.of()).write();
    assertEquals(WriteOptions.Conflict.UPDATE, write.conflict());
    assertEquals(WriteOptions.Deletes.APPLY, write.deletes());
    assertTrue(write.partialInsert());
    LookupOptions lookup = TableOptions.of(Map.of()).lookup();
    assertTrue(lookup.async());
    assertNull(lookup.cache());
  }

  @Test
  void aTableOfThePastShowsItsLsn() {
    CatalogOptions catalog = CatalogOptions.of(Map.of("endpoint", "localhost:1"));
    TableDefinition table = TableDefinition.of("dw", "t", null, List.of(), List.of(), Map.of());
    assertNull(TableOptions.of(catalog.shown(table, "sluiceway")).snapshotLsn());
    long lsn = Long.MAX_VALUE;
    TableOptions then = TableOptions.of(catalog.shownAt(lsn, table, "sluiceway"));
    assertEquals(lsn, then.snapshotLsn());
    assertEquals(lsn, then.read(ZoneOffset.UTC).snapshotLsn());
    assertThrows(
        ValidationException.class, () -> TableOptions.of(Map.of("source.snapshot-lsn", "0")));
  }

  @Test
  void olderNamesAndAnyCaseAreUnderstood() {
    TableOptions options =
        TableOptions.of(
            Map.of(
                "BINLOG", "false",
                "cdcmode", "false",
                "IgnoreDelete", "true",
                "mutateType", "insertOrReplace",
                "cache", "LRU",
                "cacheTTLMs", "5000",
                "sdkMode", "jdbc"));
    ReadOptions read = options.read(ZoneOffset.UTC);
    assertFalse(read.binlog());
    assertEquals(ChangelogKinds.ALL_AS_APPEND_ONLY, read.changelogKinds());
    assertEquals(WriteOptions.Deletes.IGNORE, options.write().deletes());
    assertEquals(WriteOptions.Conflict.REPLACE, options.write().conflict());
    assertEquals(5000, options.lookup().cache().expireAfterWrite().toMillis());
  }

  @Test
  void aHintUnderAnOlderNameWinsOverTheTable() {
    Map<String, String> merged = Map.of("source.binlog", "true", "binlog", "false");
    assertFalse(TableOptions.of(merged).read(ZoneOffset.UTC).binlog());
  }

  @Test
  void startTimeIsReadInTheSessionsZone() {
    TableOptions options = TableOptions.of(Map.of("startTime", "2023-02-15 16:00:00"));
    ReadOptions read = options.read(ZoneId.of("Asia/Shanghai"));
    assertEquals(Startup.TIMESTAMP, read.startup());
    assertEquals(Instant.parse("2023-02-15T08:00:00Z").toEpochMilli() * 1000, read.startMicros());
  }

  @Test
  void aStartTimeThatIsNoneIsRefusedWithItsForm() {
    for (String text : List.of("yesterday", "2024/01/01", "2023-02-30 00:00:00", "2024-01-01")) {
      TableOptions bad = TableOptions.of(Map.of("startTime", text));
      ValidationException failure =
          assertThrows(ValidationException.class, () -> bad.read(ZoneOffset.UTC));
      String message = failure.getMessage();
      assertTrue(message.startsWith("Option 'startTime' = '" + text + "'"), message);
      assertTrue(message.contains("yyyy-MM-dd HH:mm:ss"), message);
      assertNull(failure.getCause());
    }
  }

  @Test
  void allThatIsWrongIsNamedAtOnce() {
    Map<String, String> wrong =
        Map.of(
            "sink.delete-stratgy", "X",
            "sink.parallelism", "0",
            "binlog", "maybe",
            "sink.ignore-null-when-update.enabled", "true");
    String message =
        assertThrows(ValidationException.class, () -> TableOptions.of(wrong)).getMessage();
    assertTrue(message.contains("Did you mean 'sink.delete-strategy'?"), message);
    assertTrue(message.contains("'sink.parallelism' = '0'"), message);
    assertTrue(message.contains("it is true or false"), message);
    assertTrue(message.contains("it is supported only as false"), message);
    assertEquals(4, message.lines().count(), message);
  }

  @Test
  void whatATemporaryTableMissesIsNamed() {
    TableOptions options = TableOptions.of(Map.of("endpoint", "localhost:1"));
    String message = assertThrows(ValidationException.class, options::location).getMessage();
    assertTrue(message.contains("'dbname', 'tablename'"), message);
  }

  @Test
  void theTutorialsCatalogGivesDefaultsToItsTables() {
    CatalogOptions catalog = CatalogOptions.of(tutorial());
    assertEquals("order_dw", catalog.database());
    assertEquals("localhost:8815", catalog.endpoint());

    Map<String, String> shown = catalog.shown(table(Map.of()), "hologres");
    TableOptions options = TableOptions.of(shown);
    assertEquals(WriteOptions.Deletes.IGNORE, options.write().deletes());
    assertEquals("orders", options.location().table());

    Map<String, String> hinted = new HashMap<>(shown);
    hinted.put("ignoredelete", "false");
    assertEquals(WriteOptions.Deletes.APPLY, TableOptions.of(hinted).write().deletes());

    TableDefinition own = table(Map.of("sink.delete-strategy", "CHANGELOG_STANDARD"));
    assertEquals(
        WriteOptions.Deletes.APPLY,
        TableOptions.of(catalog.shown(own, "hologres")).write().deletes());
  }

  @Test
  void onlyWhatATableSaysItselfIsStored() {
    CatalogOptions catalog = CatalogOptions.of(tutorial());
    Map<String, String> like = new HashMap<>(catalog.shown(table(Map.of()), "sluiceway"));
    like.put("sink.parallelism", "2");
    like.put("table_property.shard_count", "4");
    assertEquals(
        Map.of(
            "sink.parallelism", "2",
            "table_property.shard_count", "4",
            "table_property.binlog.level", "replica",
            "table_property.binlog.ttl", "259200"),
        catalog.stored(like));
  }

  private static Map<String, String> tutorial() {
    Map<String, String> options = new HashMap<>();
    options.put("type", "hologres");
    options.put("endpoint", "localhost:8815");
    options.put("username", "BASIC$flinktest");
    options.put("password", "secret");
    options.put("dbname", "order_dw@init_warehouse");
    options.put("binlog", "true");
    options.put("sdkMode", "jdbc");
    options.put("cdcmode", "true");
    options.put("connectionpoolname", "the_conn_pool");
    options.put("ignoredelete", "true");
    options.put("partial-insert.enabled", "true");
    options.put("mutateType", "insertOrUpdate");
    options.put("table_property.binlog.level", "replica");
    options.put("table_property.binlog.ttl", "259200");
    return options;
  }

  private static TableDefinition table(Map<String, String> options) {
    return TableDefinition.of("order_dw", "orders", null, List.of(), List.of(), options);
  }
}
