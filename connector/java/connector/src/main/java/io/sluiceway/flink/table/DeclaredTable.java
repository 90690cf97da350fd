package io.sluiceway.flink.table;

import io.sluiceway.flink.api.ColumnDefinition;
import io.sluiceway.flink.api.TableDefinition;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.table.catalog.Column;
import org.apache.flink.table.catalog.ResolvedSchema;
import org.apache.flink.table.types.logical.LogicalType;

/**
 * A stored table cut to the columns that a statement declares, in their order: a temporary table
 * may name some of them only. The planner's physical row is then the definition's row.
 */
final class DeclaredTable {
  private DeclaredTable() {}

  /**
   * The cut table.
   *
   * @throws ValidationException that names every column that does not fit
   */
  static TableDefinition of(TableDefinition stored, ResolvedSchema schema) {
    List<String> problems = new ArrayList<>();
    List<ColumnDefinition> columns = new ArrayList<>();
    for (Column declared : schema.getColumns()) {
      if (declared.isPhysical()) {
        int index = stored.indexOf(declared.getName());
        if (index < 0) {
          problems.add("there is no column \"%s\"".formatted(declared.getName()));
        } else {
          ColumnDefinition column = stored.columns().get(index);
          check(column, declared.getDataType().getLogicalType(), problems);
          columns.add(column);
        }
      }
    }
    checkKey(stored, schema, columns, problems);
    if (!problems.isEmpty()) {
      throw new ValidationException(
          "table \"%s.%s\": %s"
              .formatted(stored.database(), stored.name(), String.join("; ", problems)));
    }
    return new TableDefinition(
        stored.id(),
        stored.generation(),
        stored.schemaVersion(),
        stored.database(),
        stored.name(),
        stored.comment(),
        columns,
        stored.primaryKey(),
        stored.distributionKey(),
        stored.partitionKeys(),
        stored.shards(),
        stored.options());
  }

  private static void check(ColumnDefinition column, LogicalType declared, List<String> problems) {
    if (!column.type().copy(true).equals(declared.copy(true))) {
      problems.add(
          "column \"%s\" is %s, not %s"
              .formatted(
                  column.name(),
                  column.type().copy(true).asSummaryString(),
                  declared.copy(true).asSummaryString()));
    }
  }

  private static void checkKey(
      TableDefinition stored,
      ResolvedSchema schema,
      List<ColumnDefinition> columns,
      List<String> problems) {
    List<String> names = columns.stream().map(ColumnDefinition::name).toList();
    if (!names.containsAll(stored.primaryKey())) {
      problems.add("the primary key %s must be declared".formatted(stored.primaryKey()));
    }
    schema
        .getPrimaryKey()
        .filter(key -> !new HashSet<>(key.getColumns()).equals(new HashSet<>(stored.primaryKey())))
        .ifPresent(
            key ->
                problems.add(
                    "the primary key is %s, not %s"
                        .formatted(stored.primaryKey(), key.getColumns())));
  }
}
