package io.sluiceway.flink.lookup;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sluiceway.flink.api.ColumnDefinition;
import io.sluiceway.flink.api.Retry;
import io.sluiceway.flink.api.TableDefinition;
import io.sluiceway.flink.options.LookupOptions;
import java.util.List;
import java.util.Map;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.types.logical.BigIntType;
import org.apache.flink.table.types.logical.IntType;
import org.junit.jupiter.api.Test;

/** Which of a join's keys are sent, and in what order. */
class LookupPlanTest {
  private static final TableDefinition TABLE =
      TableDefinition.of(
          "dw",
          "prices",
          null,
          List.of(
              ColumnDefinition.of("day", new IntType(false), null),
              ColumnDefinition.of("id", new BigIntType(false), null),
              ColumnDefinition.of("kind", new IntType(), null)),
          List.of("id", "day"),
          Map.of());

  @Test
  void keysMayStandInAnyOrderBesideOtherColumns() {
    LookupPlan plan = plan(new int[][] {{2}, {0}, {1}});
    assertEquals(List.of("day", "id"), plan.keyType().getFieldNames());
    assertArrayEquals(new int[] {1, 2}, plan.primaryKeyPositions());
    assertArrayEquals(new int[] {0}, plan.comparedPositions());

    RowData key = new Answers(plan).primaryKey(GenericRowData.of(9, 20260101, 5L));
    assertEquals(20260101, key.getInt(0));
    assertEquals(5L, key.getLong(1));
  }

  @Test
  void partOfThePrimaryKeyIsRefusedByName() {
    ValidationException failure =
        assertThrows(ValidationException.class, () -> plan(new int[][] {{0}, {2}}));
    String message = failure.getMessage();
    assertTrue(message.contains("whole primary key [id, day]"), message);
    assertTrue(message.contains("no value for id BIGINT"), message);
    assertTrue(message.contains("CAST(… AS BIGINT) = id"), message);
  }

  @Test
  void nullMatchesNothing() {
    Answers answers = new Answers(plan(new int[][] {{0}, {1}}));
    assertTrue(answers.canMatch(GenericRowData.of(1, 2L)));
    assertFalse(answers.canMatch(GenericRowData.of(1, null)));
  }

  private static LookupPlan plan(int[][] keys) {
    LookupOptions options = new LookupOptions(true, 256, null, null, Retry.DEFAULT);
    return LookupPlan.of(TABLE, "localhost:1", options, TABLE.rowType(), keys);
  }
}
