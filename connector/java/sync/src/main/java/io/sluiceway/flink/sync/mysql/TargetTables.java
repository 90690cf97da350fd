package io.sluiceway.flink.sync.mysql;

import io.debezium.relational.Column;
import io.debezium.relational.Table;
import io.sluiceway.flink.api.ColumnDefinition;
import io.sluiceway.flink.api.TableDefinition;
import io.sluiceway.flink.sync.event.TableShape;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.flink.table.types.logical.LogicalType;

/** What the warehouse's tables look like for given source tables: same names, mapped types. */
public final class TargetTables {
  private final String database;
  private final TypeMapping types;

  public TargetTables(String database, TypeMapping types) {
    this.database = database;
    this.types = types;
  }

  public String database() {
    return database;
  }

  /** Everything that keeps a table from being synced, each with its cure; empty when nothing. */
  public List<String> problems(Table table) {
    List<String> problems = new ArrayList<>();
    String name = table.id().table();
    if (table.primaryKeyColumnNames().isEmpty()) {
      problems.add(
          "table %s has no primary key: add one, or leave it out with excluding_tables => '%s'"
              .formatted(name, name));
    }
    for (Column column : table.columns()) {
      if (types.type(column).isEmpty()) {
        problems.add(
            ("column %s.%s has type %s, which has no counterpart: "
                    + "leave the table out with excluding_tables => '%s'")
                .formatted(name, column.name(), column.typeName(), name));
      }
    }
    return problems;
  }

  /** The table to create. */
  public TableDefinition definition(Table table) throws SyncStoppedException {
    List<ColumnDefinition> columns = new ArrayList<>();
    for (Column column : table.columns()) {
      columns.add(ColumnDefinition.of(column.name(), type(table, column), comment(column)));
    }
    return TableDefinition.of(
        database,
        table.id().table(),
        blankToNull(table.comment()),
        columns,
        table.primaryKeyColumnNames(),
        Map.of());
  }

  /** The shape of the rows of a table. */
  public TableShape shape(Table table) throws SyncStoppedException {
    List<LogicalType> columnTypes = new ArrayList<>();
    for (Column column : table.columns()) {
      columnTypes.add(type(table, column));
    }
    return new TableShape(database, table.id().table(), table.retrieveColumnNames(), columnTypes);
  }

  /** The type of a column; stops the sync when it has none. */
  LogicalType type(Table table, Column column) throws SyncStoppedException {
    Optional<LogicalType> type = types.type(column);
    if (type.isEmpty() || table.primaryKeyColumnNames().isEmpty()) {
      throw new SyncStoppedException(String.join("; ", problems(table)));
    }
    return type.get();
  }

  static String comment(Column column) {
    return blankToNull(column.comment());
  }

  static String blankToNull(String text) {
    return text == null || text.isBlank() ? null : text;
  }
}
