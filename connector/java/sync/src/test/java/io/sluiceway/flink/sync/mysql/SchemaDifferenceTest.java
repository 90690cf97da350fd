package io.sluiceway.flink.sync.mysql;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sluiceway.flink.api.ColumnDefinition;
import io.sluiceway.flink.api.SchemaChange;
import java.util.List;
import org.apache.flink.table.types.logical.DecimalType;
import org.apache.flink.table.types.logical.IntType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.VarCharType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SchemaDifferenceTest {
  private static final String CREATE =
      "CREATE TABLE t (id INT PRIMARY KEY, name VARCHAR(10) COMMENT 'n', at TIMESTAMP NULL)";

  @Test
  void addedColumnsKeepTheirPlaces() throws Exception {
    assertEquals(
        List.of(
            added("a", new DecimalType(5, 1), "1.5", true, null),
            added("b", new IntType(false), "0", false, "id"),
            added("c", new VarCharType(VarCharType.MAX_LENGTH), null, false, "at")),
        changes(
            "ALTER TABLE t ADD a DECIMAL(5,1) DEFAULT 1.5 FIRST, ADD b INT NOT NULL AFTER id,"
                + " ADD c TEXT"));
  }

  @Test
  void commentsAreChanges() throws Exception {
    assertEquals(
        List.of(
            new SchemaChange.SetComment("name", null), new SchemaChange.SetComment(null, "all")),
        changes("ALTER TABLE t MODIFY name VARCHAR(10), COMMENT 'all'"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "ALTER TABLE t ADD INDEX ix (name)",
        "ALTER TABLE t MODIFY name VARCHAR(500) COMMENT 'n' FIRST",
        "ALTER TABLE t ALTER COLUMN name SET DEFAULT 'x'",
        "ALTER TABLE t ENGINE=InnoDB"
      })
  void whatChangesNoStoredTypeIsNoChange(String statement) throws Exception {
    assertTrue(changes(statement).isEmpty());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "ALTER TABLE t DROP COLUMN name|column name is dropped",
        "ALTER TABLE t CHANGE name label VARCHAR(10)|column name is dropped or renamed",
        "ALTER TABLE t MODIFY name INT|column name changes from",
        "ALTER TABLE t MODIFY name VARCHAR(10) NOT NULL|column name changes from",
        "ALTER TABLE t DROP PRIMARY KEY, ADD PRIMARY KEY (id, name)|primary key changes",
        "ALTER TABLE t ADD x DATETIME DEFAULT NOW()|not in the binlog",
        "ALTER TABLE t ADD x GEOMETRY|no counterpart",
      })
  void whatCannotBeFollowedIsNamed(String statement, String reason) {
    SyncStoppedException stopped =
        assertThrows(SyncStoppedException.class, () -> changes(statement));
    assertTrue(stopped.getMessage().contains(reason), stopped.getMessage());
  }

  private static List<SchemaChange> changes(String statement) throws SyncStoppedException {
    return new SchemaDifference(
            Definitions.targets(), Definitions.table(CREATE), Definitions.table(CREATE, statement))
        .changes();
  }

  private static SchemaChange added(
      String name, LogicalType type, String value, boolean first, String after) {
    return new SchemaChange.AddColumn(
        new ColumnDefinition(0, name, type, null, value), first, after, false);
  }
}
