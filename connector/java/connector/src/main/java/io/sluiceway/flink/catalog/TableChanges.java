package io.sluiceway.flink.catalog;

import io.sluiceway.flink.api.SchemaChange;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.table.catalog.ObjectPath;
import org.apache.flink.table.catalog.TableChange;
import org.apache.flink.table.types.logical.LogicalType;

/** The changes of ALTER TABLE as the server executes them. */
final class TableChanges {
  private final ObjectPath path;
  private final List<SchemaChange> changes = new ArrayList<>();
  private final Map<String, String> set = new LinkedHashMap<>();
  private final List<String> reset = new ArrayList<>();

  private TableChanges(ObjectPath path) {
    this.path = path;
  }

  /**
   * Translates all changes, options last.
   *
   * @throws ValidationException that names the first change that is not possible
   */
  static List<SchemaChange> of(ObjectPath path, List<TableChange> changes) {
    TableChanges translated = new TableChanges(path);
    changes.forEach(translated::add);
    if (!translated.set.isEmpty() || !translated.reset.isEmpty()) {
      translated.changes.add(new SchemaChange.SetOptions(translated.set, translated.reset));
    }
    return translated.changes;
  }

  private void add(TableChange change) {
    if (change instanceof TableChange.AddColumn add) {
      addColumn(add);
    } else if (change instanceof TableChange.ModifyColumnName rename) {
      changes.add(
          new SchemaChange.RenameColumn(rename.getOldColumnName(), rename.getNewColumnName()));
    } else if (change instanceof TableChange.ModifyColumnComment comment) {
      changes.add(
          new SchemaChange.SetComment(
              comment.getOldColumn().getName(),
              CatalogTables.blankToNull(comment.getNewComment())));
    } else if (change instanceof TableChange.DropColumn drop) {
      changes.add(new SchemaChange.DropColumn(drop.getColumnName(), false));
    } else if (change instanceof TableChange.ModifyPhysicalColumnType modify) {
      modifyType(modify);
    } else if (change instanceof TableChange.ModifyColumnPosition move) {
      TableChange.ColumnPosition position = move.getNewPosition();
      changes.add(
          new SchemaChange.MoveColumn(
              move.getOldColumn().getName(), isFirst(position), after(position)));
    } else if (change instanceof TableChange.SetOption option) {
      set.put(option.getKey(), option.getValue());
    } else if (change instanceof TableChange.ResetOption option) {
      reset.add(option.getKey());
    } else {
      throw new ValidationException(
          ("ALTER TABLE %s: %s is not supported yet; possible are ADD, MODIFY, RENAME and DROP of"
                  + " columns, SET and RESET")
              .formatted(path, name(change)));
    }
  }

  private void addColumn(TableChange.AddColumn add) {
    if (!add.getColumn().isPhysical()) {
      throw new ValidationException(
          "ALTER TABLE %s: column \"%s\" is computed or metadata and cannot be stored"
              .formatted(path, add.getColumn().getName()));
    }
    TableChange.ColumnPosition position = add.getPosition();
    changes.add(
        new SchemaChange.AddColumn(
            CatalogTables.column(add.getColumn()), isFirst(position), after(position), false));
  }

  /** MODIFY gives the column's type anew, of which only the nullability may differ. */
  private void modifyType(TableChange.ModifyPhysicalColumnType modify) {
    String column = modify.getOldColumn().getName();
    LogicalType before = modify.getOldColumn().getDataType().getLogicalType();
    LogicalType after = modify.getNewType().getLogicalType();
    if (!before.copy(true).equals(after.copy(true))) {
      changes.add(new SchemaChange.SetType(column, after));
    }
    if (before.isNullable() != after.isNullable()) {
      changes.add(new SchemaChange.SetNullable(column, after.isNullable()));
    }
  }

  private static boolean isFirst(TableChange.ColumnPosition position) {
    return position instanceof TableChange.First;
  }

  private static String after(TableChange.ColumnPosition position) {
    return position instanceof TableChange.After after ? after.column() : null;
  }

  /** {@code DropWatermark} as DROP WATERMARK. */
  private static String name(TableChange change) {
    String words = change.getClass().getSimpleName().replaceAll("(?<=.)(?=[A-Z])", " ");
    return words.toUpperCase(Locale.ROOT);
  }
}
