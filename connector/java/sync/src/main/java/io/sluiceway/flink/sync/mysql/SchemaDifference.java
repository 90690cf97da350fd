package io.sluiceway.flink.sync.mysql;

import io.debezium.relational.Column;
import io.debezium.relational.Table;
import io.sluiceway.flink.api.ColumnDefinition;
import io.sluiceway.flink.api.SchemaChange;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.apache.flink.table.types.logical.LogicalType;

/**
 * The changes that turn one structure of a table into another.
 *
 * <p>Columns may be added anywhere and comments changed. A column that goes, changes its type, its
 * nullability or its place in the key cannot be followed. The order of old columns, defaults,
 * indexes and whatever does not change the stored type (VARCHAR made longer) are of no consequence.
 */
final class SchemaDifference {
  private final TargetTables targets;
  private final Table before;
  private final Table after;

  SchemaDifference(TargetTables targets, Table before, Table after) {
    this.targets = targets;
    this.before = before;
    this.after = after;
  }

  List<SchemaChange> changes() throws SyncStoppedException {
    if (!before.primaryKeyColumnNames().equals(after.primaryKeyColumnNames())) {
      throw new SyncStoppedException("the primary key changes");
    }
    for (Column column : before.columns()) {
      checkKept(column, after.columnWithName(column.name()));
    }
    List<SchemaChange> changes = new ArrayList<>(additions());
    changes.addAll(comments());
    return changes;
  }

  private void checkKept(Column old, Column now) throws SyncStoppedException {
    if (now == null) {
      throw new SyncStoppedException("column " + old.name() + " is dropped or renamed");
    }
    LogicalType oldType = targets.type(before, old);
    LogicalType type = targets.type(after, now);
    if (!oldType.equals(type)) {
      throw new SyncStoppedException(
          "column %s changes from %s to %s".formatted(old.name(), oldType, type));
    }
  }

  private List<SchemaChange> additions() throws SyncStoppedException {
    List<SchemaChange> changes = new ArrayList<>();
    String previous = null;
    for (Column column : after.columns()) {
      if (before.columnWithName(column.name()) == null) {
        changes.add(new SchemaChange.AddColumn(added(column), previous == null, previous, false));
      }
      previous = column.name();
    }
    return changes;
  }

  private ColumnDefinition added(Column column) throws SyncStoppedException {
    LogicalType type = targets.type(after, column);
    return new ColumnDefinition(
        0, column.name(), type, TargetTables.comment(column), Defaults.text(column, type));
  }

  private List<SchemaChange> comments() {
    List<SchemaChange> changes = new ArrayList<>();
    for (Column old : before.columns()) {
      String comment = TargetTables.comment(after.columnWithName(old.name()));
      if (!Objects.equals(TargetTables.comment(old), comment)) {
        changes.add(new SchemaChange.SetComment(old.name(), comment));
      }
    }
    String comment = TargetTables.blankToNull(after.comment());
    if (!Objects.equals(TargetTables.blankToNull(before.comment()), comment)) {
      changes.add(new SchemaChange.SetComment(null, comment));
    }
    return changes;
  }
}
