package io.sluiceway.flink.sync.source;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.debezium.relational.Table;
import io.sluiceway.flink.sync.mysql.Definitions;
import org.junit.jupiter.api.Test;

class ChunkSqlTest {
  private static final Table TABLE = table("a VARCHAR(9), `b``c` INT, PRIMARY KEY (`b``c`, a)");

  @Test
  void bothBoundsOneOrNone() {
    String select = "SELECT `a`, `b``c` FROM `shop`.`t`";
    assertEquals(select, ChunkSql.select(TABLE, null, null));
    assertEquals(select + " WHERE `b``c` <= 7", ChunkSql.select(TABLE, null, "7"));
    assertEquals(select + " WHERE `b``c` > 7", ChunkSql.select(TABLE, "7", null));
    assertEquals(select + " WHERE `b``c` > 7 AND `b``c` <= 9", ChunkSql.select(TABLE, "7", "9"));
  }

  @Test
  void theUpperBoundIsTheLastKeyOfTheChunk() {
    assertEquals(
        "SELECT `b``c` FROM `shop`.`t` WHERE `b``c` > 7 ORDER BY `b``c` LIMIT 1 OFFSET 99",
        ChunkSql.upperBound(TABLE, "7", 100));
  }

  @Test
  void keysThatTheServerSortsOtherwiseThanItComparesAreNotCut() {
    assertTrue(ChunkSql.isSplittable(table("a BIGINT UNSIGNED PRIMARY KEY")));
    assertTrue(ChunkSql.isSplittable(table("a CHAR(5) PRIMARY KEY")));
    assertTrue(ChunkSql.isSplittable(table("a BINARY(5) PRIMARY KEY")));
    assertFalse(ChunkSql.isSplittable(table("a ENUM('x','y') PRIMARY KEY")));
    assertFalse(ChunkSql.isSplittable(table("a DATETIME PRIMARY KEY")));
  }

  private static Table table(String columns) {
    return Definitions.structures("CREATE TABLE t (" + columns + ")").table("t");
  }
}
