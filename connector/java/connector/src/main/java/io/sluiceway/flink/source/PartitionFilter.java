package io.sluiceway.flink.source;

import io.sluiceway.flink.api.TableDefinition;
import io.sluiceway.flink.client.PartitionRange;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.flink.table.expressions.CallExpression;
import org.apache.flink.table.expressions.FieldReferenceExpression;
import org.apache.flink.table.expressions.ResolvedExpression;
import org.apache.flink.table.expressions.ValueLiteralExpression;
import org.apache.flink.table.functions.BuiltInFunctionDefinitions;
import org.apache.flink.table.functions.FunctionDefinition;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.LogicalTypeFamily;
import org.apache.flink.table.types.logical.LogicalTypeRoot;

/** What a predicate surely says of one partition column; bounds may be wider than it says. */
final class PartitionFilter {
  private enum Sign {
    EQUAL,
    AT_LEAST,
    AT_MOST
  }

  private static final Map<FunctionDefinition, Sign> SIGNS =
      Map.of(
          BuiltInFunctionDefinitions.EQUALS, Sign.EQUAL,
          BuiltInFunctionDefinitions.GREATER_THAN, Sign.AT_LEAST,
          BuiltInFunctionDefinitions.GREATER_THAN_OR_EQUAL, Sign.AT_LEAST,
          BuiltInFunctionDefinitions.LESS_THAN, Sign.AT_MOST,
          BuiltInFunctionDefinitions.LESS_THAN_OR_EQUAL, Sign.AT_MOST);

  private PartitionFilter() {}

  /** The range; empty when the predicate excludes no partition for sure. */
  static Optional<PartitionRange> range(TableDefinition table, ResolvedExpression filter) {
    if (!(filter instanceof CallExpression call)) {
      return Optional.empty();
    }
    if (call.getFunctionDefinition() == BuiltInFunctionDefinitions.OR) {
      return either(table, call.getResolvedChildren());
    }
    if (call.getFunctionDefinition() == BuiltInFunctionDefinitions.IN) {
      return oneOf(table, call.getResolvedChildren());
    }
    Sign sign = SIGNS.get(call.getFunctionDefinition());
    return sign == null ? Optional.empty() : comparison(table, call.getResolvedChildren(), sign);
  }

  /** Several values of one column. */
  private static Optional<PartitionRange> either(
      TableDefinition table, List<ResolvedExpression> alternatives) {
    List<String> values = new ArrayList<>();
    String column = null;
    for (ResolvedExpression alternative : alternatives) {
      PartitionRange range = range(table, alternative).orElse(null);
      if (range == null || range.values() == null) {
        return Optional.empty();
      }
      if (column != null && !column.equals(range.column())) {
        return Optional.empty();
      }
      column = range.column();
      values.addAll(range.values());
    }
    return Optional.of(new PartitionRange(column, values, null, null));
  }

  private static Optional<PartitionRange> oneOf(
      TableDefinition table, List<ResolvedExpression> operands) {
    List<String> values = new ArrayList<>();
    String column = column(table, operands.get(0));
    for (ResolvedExpression operand : operands.subList(1, operands.size())) {
      String text = column == null ? null : text(table, column, operand);
      if (text == null) {
        return Optional.empty();
      }
      values.add(text);
    }
    return Optional.of(new PartitionRange(column, values, null, null));
  }

  private static Optional<PartitionRange> comparison(
      TableDefinition table, List<ResolvedExpression> operands, Sign sign) {
    String column = column(table, operands.get(0));
    Sign turned = sign;
    ResolvedExpression other = operands.get(1);
    if (column == null) {
      column = column(table, operands.get(1));
      other = operands.get(0);
      turned =
          switch (sign) {
            case EQUAL -> Sign.EQUAL;
            case AT_LEAST -> Sign.AT_MOST;
            case AT_MOST -> Sign.AT_LEAST;
          };
    }
    String text = column == null ? null : text(table, column, other);
    if (text == null) {
      return Optional.empty();
    }
    return Optional.of(
        switch (turned) {
          case EQUAL -> new PartitionRange(column, List.of(text), null, null);
          case AT_LEAST -> new PartitionRange(column, null, text, null);
          case AT_MOST -> new PartitionRange(column, null, null, text);
        });
  }

  private static String column(TableDefinition table, ResolvedExpression expression) {
    return expression instanceof FieldReferenceExpression field
            && table.partitionKeys().contains(field.getName())
        ? field.getName()
        : null;
  }

  /** A literal of the column's kind as the server reads it; null for anything else. */
  private static String text(TableDefinition table, String column, ResolvedExpression expression) {
    if (!(expression instanceof ValueLiteralExpression literal) || literal.isNull()) {
      return null;
    }
    LogicalType wanted = table.columns().get(table.indexOf(column)).type();
    LogicalType given = literal.getOutputDataType().getLogicalType();
    if (wanted.is(LogicalTypeFamily.CHARACTER_STRING)) {
      return given.is(LogicalTypeFamily.CHARACTER_STRING)
          ? literal.getValueAs(String.class).orElse(null)
          : null;
    }
    if (wanted.is(LogicalTypeRoot.DATE)) {
      return given.is(LogicalTypeRoot.DATE)
          ? literal.getValueAs(LocalDate.class).map(LocalDate::toString).orElse(null)
          : null;
    }
    return given.is(LogicalTypeFamily.INTEGER_NUMERIC)
        ? literal
            .getValueAs(Number.class)
            .map(number -> String.valueOf(number.longValue()))
            .orElse(null)
        : null;
  }
}
