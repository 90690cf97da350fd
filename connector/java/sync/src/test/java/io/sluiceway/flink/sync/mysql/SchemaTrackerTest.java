package io.sluiceway.flink.sync.mysql;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sluiceway.flink.sync.event.SyncEvent;
import io.sluiceway.flink.sync.mysql.DdlStatement.Kind;
import io.sluiceway.flink.sync.mysql.DdlStatement.TableChange;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SchemaTrackerTest {
  private static final Structures NONE =
      new Structures(List.of("SET character_set_server=utf8mb4"), Map.of());

  private SchemaTracker tracker =
      new SchemaTracker(Definitions.server(), Definitions.targets(), NONE);

  @Test
  void aNewTableIsCreatedAndItsChangesAreNamedByPosition() throws Exception {
    List<SyncEvent> created = create("orders");
    SyncEvent.Create create = assertInstanceOf(SyncEvent.Create.class, created.get(0));
    assertEquals("dw", create.table().database());
    assertEquals(List.of("id"), create.table().primaryKey());
    List<SyncEvent> altered = alter("ALTER TABLE orders ADD n INT");
    SyncEvent.Alter alter = assertInstanceOf(SyncEvent.Alter.class, altered.get(0));
    assertEquals("sync h:3306/shop.orders at binlog.1:4", alter.changeId());
    assertEquals(List.of("id", "n"), tracker.shape("orders").columns());
  }

  @Test
  void structuresSurviveACheckpoint() throws Exception {
    create("orders");
    Structures saved = tracker.structures();
    tracker = new SchemaTracker(Definitions.server(), Definitions.targets(), saved);
    assertEquals(saved, tracker.structures());
    assertEquals(1, alter("ALTER TABLE orders ADD n INT").size());
  }

  @Test
  void theDatabasesCharacterSetIsKept() throws Exception {
    String statement = "ALTER DATABASE shop CHARACTER SET latin1";
    assertTrue(tracker.apply(statement("shop", statement)).isEmpty());
    assertTrue(tracker.structures().settings().contains(statement));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "CREATE TABLE x (a INET6 WITH NONSENSE)",
        "CREATE USER u IDENTIFIED VIA unix_socket",
        "DROP DATABASE other",
        "DROP DATABASE IF EXISTS shop_old"
      })
  void statementsOfOtherDatabasesAreSteppedOver(String statement) throws Exception {
    assertTrue(tracker.apply(statement("other", statement)).isEmpty());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/* c */ ALTER TABLE orders WITH NONSENSE",
        "create or replace table orders (a NONSENSE WITH NONSENSE)",
        "DROP DATABASE IF EXISTS `shop`"
      })
  void whatCannotBeReadStopsTheSyncWithTheStatementAndTheCure(String statement) {
    SyncStoppedException stopped =
        assertThrows(SyncStoppedException.class, () -> tracker.apply(statement("shop", statement)));
    assertTrue(stopped.getMessage().contains(statement), stopped.getMessage());
    assertTrue(stopped.getMessage().contains("replace => true"), stopped.getMessage());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "(1 + 2)",
        "uuid()",
        "CURRENT_TIMESTAMP",
        "X'41'",
        "0x41",
        "_latin1'ab'",
        "N'ab'",
        "'a' 'b'"
      })
  void aComputedDefaultOfAnAddedColumnStopsTheSync(String value) throws Exception {
    create("orders");
    SyncStoppedException stopped =
        assertThrows(
            SyncStoppedException.class,
            () -> alter("ALTER TABLE orders ADD x VARCHAR(40) DEFAULT " + value));
    assertTrue(stopped.getMessage().contains("computed default"), stopped.getMessage());
  }

  @ParameterizedTest
  @ValueSource(strings = {"''", "'it''s'", "'X\\'41'", "'DEFAULT (1)'", "NULL"})
  void aConstantDefaultIsFollowed(String value) throws Exception {
    create("orders");
    assertEquals(1, alter("ALTER TABLE orders ADD x VARCHAR(40) DEFAULT " + value).size());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "ALTER TABLE orders ADD COLUMN IF NOT EXISTS ID TEXT|0",
        "/* c */ ALTER TABLE `shop`.`orders` ADD IF NOT EXISTS id TEXT, DROP IF EXISTS y|0",
        "ALTER TABLE orders MODIFY COLUMN IF EXISTS y INT, ADD z INT COMMENT 'a, (b'|1",
        "ALTER TABLE IF EXISTS orders ADD COLUMN IF NOT EXISTS y DECIMAL(5,2)|1"
      })
  void clausesWithoutEffectAreTakenOut(String statement, int changes) throws Exception {
    create("orders");
    assertEquals(changes, alter(statement).size());
    assertTrue(tracker.differs());
    assertEquals("INT", tracker.table("orders").columnWithName("id").typeName());
  }

  @Test
  void aConditionOnATableOfAnotherDatabaseIsNotOurs() throws Exception {
    create("orders");
    String change = "ALTER TABLE other.orders ADD COLUMN IF NOT EXISTS x INT";
    assertTrue(tracker.apply(statement("shop", change)).isEmpty());
    String unnamed = "ALTER TABLE orders ADD COLUMN IF NOT EXISTS x INT COMMENT 'as shop'";
    assertTrue(tracker.apply(statement("other", unnamed)).isEmpty());
    assertEquals(List.of("id"), tracker.shape("orders").columns());
  }

  @Test
  void tablesThatAreLeftOutMayChangeAsTheyLike() throws Exception {
    TableChange drop = new TableChange(Kind.DROP, "shop", "orders_old");
    DdlStatement statement =
        new DdlStatement("shop", "DROP TABLE orders_old", List.of(drop), "binlog.1:4");
    assertTrue(tracker.apply(statement).isEmpty());
  }

  private List<SyncEvent> create(String table) throws SyncStoppedException {
    return tracker.apply(
        new DdlStatement(
            "shop",
            "CREATE TABLE " + table + " (id INT PRIMARY KEY)",
            List.of(new TableChange(Kind.CREATE, "shop", table)),
            "binlog.1:3"));
  }

  private List<SyncEvent> alter(String statement) throws SyncStoppedException {
    return tracker.apply(
        new DdlStatement(
            "shop",
            statement,
            List.of(new TableChange(Kind.ALTER, "shop", "orders")),
            "binlog.1:4"));
  }

  private static DdlStatement statement(String database, String text) {
    return new DdlStatement(database, text, List.of(), "binlog.1:9");
  }
}
