package io.sluiceway.flink.source;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sluiceway.flink.api.ColumnDefinition;
import io.sluiceway.flink.api.TableDefinition;
import io.sluiceway.flink.client.PartitionRange;
import java.time.LocalDate;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.expressions.CallExpression;
import org.apache.flink.table.expressions.FieldReferenceExpression;
import org.apache.flink.table.expressions.ResolvedExpression;
import org.apache.flink.table.expressions.ValueLiteralExpression;
import org.apache.flink.table.functions.BuiltInFunctionDefinition;
import org.apache.flink.table.functions.BuiltInFunctionDefinitions;
import org.apache.flink.table.types.DataType;
import org.junit.jupiter.api.Test;

/** Which partitions a predicate excludes. */
class PartitionFilterTest {
  private static final TableDefinition TABLE =
      new TableDefinition(
          1,
          1,
          1,
          "dw",
          "t",
          null,
          List.of(column("day", DataTypes.DATE()), column("hour", DataTypes.INT())),
          List.of(),
          List.of(),
          List.of("day", "hour"),
          1,
          Map.of());
  private static final ResolvedExpression DAY = field("day", DataTypes.DATE(), 0);
  private static final ResolvedExpression HOUR = field("hour", DataTypes.INT(), 1);
  private static final ResolvedExpression FIRST = literal(LocalDate.of(2024, 1, 1));
  private static final ResolvedExpression SECOND = literal(LocalDate.of(2024, 1, 2));

  @Test
  void comparisonsBoundAColumnFromEitherSide() {
    assertEquals(
        new PartitionRange("day", List.of("2024-01-01"), null, null),
        range(BuiltInFunctionDefinitions.EQUALS, FIRST, DAY));
    assertEquals(
        new PartitionRange("day", null, "2024-01-01", null),
        range(BuiltInFunctionDefinitions.GREATER_THAN, DAY, FIRST));
    assertEquals(
        new PartitionRange("day", null, null, "2024-01-01"),
        range(BuiltInFunctionDefinitions.GREATER_THAN, FIRST, DAY));
    assertEquals(
        new PartitionRange("hour", null, null, "7"),
        range(BuiltInFunctionDefinitions.LESS_THAN_OR_EQUAL, HOUR, literal(7)));
  }

  @Test
  void alternativesOfOneColumnAreItsValues() {
    PartitionRange both =
        new PartitionRange("day", List.of("2024-01-01", "2024-01-02"), null, null);
    ResolvedExpression first = call(BuiltInFunctionDefinitions.EQUALS, DAY, FIRST);
    ResolvedExpression second = call(BuiltInFunctionDefinitions.EQUALS, DAY, SECOND);
    assertEquals(both, range(BuiltInFunctionDefinitions.OR, first, second));
    assertEquals(both, range(BuiltInFunctionDefinitions.IN, DAY, FIRST, SECOND));
    ResolvedExpression other = call(BuiltInFunctionDefinitions.EQUALS, HOUR, literal(7));
    assertNothing(BuiltInFunctionDefinitions.OR, first, other);
    ResolvedExpression wide = call(BuiltInFunctionDefinitions.GREATER_THAN, DAY, SECOND);
    assertNothing(BuiltInFunctionDefinitions.OR, first, wide);
  }

  @Test
  void whatIsNotSurelySoExcludesNothing() {
    assertNothing(BuiltInFunctionDefinitions.NOT_EQUALS, DAY, FIRST);
    assertNothing(BuiltInFunctionDefinitions.EQUALS, DAY, literal("2024-01-01"));
    assertNothing(BuiltInFunctionDefinitions.EQUALS, DAY, HOUR);
    ResolvedExpression amount = field("amount", DataTypes.INT(), 2);
    assertNothing(BuiltInFunctionDefinitions.EQUALS, amount, literal(7));
  }

  private static void assertNothing(
      BuiltInFunctionDefinition function, ResolvedExpression... operands) {
    assertTrue(PartitionFilter.range(TABLE, call(function, operands)).isEmpty());
  }

  private static PartitionRange range(
      BuiltInFunctionDefinition function, ResolvedExpression... operands) {
    Optional<PartitionRange> found = PartitionFilter.range(TABLE, call(function, operands));
    return found.orElseThrow();
  }

  private static ResolvedExpression call(
      BuiltInFunctionDefinition function, ResolvedExpression... operands) {
    return CallExpression.permanent(function, Arrays.asList(operands), DataTypes.BOOLEAN());
  }

  private static ResolvedExpression field(String name, DataType type, int index) {
    return new FieldReferenceExpression(name, type, 0, index);
  }

  private static ResolvedExpression literal(Object value) {
    return new ValueLiteralExpression(value);
  }

  private static ColumnDefinition column(String name, DataType type) {
    return ColumnDefinition.of(name, type.getLogicalType(), null);
  }
}
