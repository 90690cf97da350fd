package io.sluiceway.flink.api;

import java.io.Serializable;
import java.util.List;
import java.util.Map;
import org.apache.flink.table.types.logical.LogicalType;

/** One change of a table, as the server executes it (docs/wire.md, "change"). */
public sealed interface SchemaChange extends Serializable {

  /**
   * Adds a column, which must be nullable or have a default.
   *
   * @param column the column
   * @param first true to put it first
   * @param after the column that it follows, or null for the end
   */
  record AddColumn(ColumnDefinition column, boolean first, String after, boolean ifNotExists)
      implements SchemaChange {}

  /** Renames a column. */
  record RenameColumn(String column, String to) implements SchemaChange {}

  /** Drops a column that is in no key. */
  record DropColumn(String column, boolean ifExists) implements SchemaChange {}

  /**
   * Moves a column.
   *
   * @param first true to put it first
   * @param after the column that it follows, or null for the end
   */
  record MoveColumn(String column, boolean first, String after) implements SchemaChange {}

  /** Gives a column a type that holds all its values; the type's nullability is of no matter. */
  record SetType(String column, LogicalType type) implements SchemaChange {}

  /** Lets a column be NULL, or, if no row is, lets it no more. */
  record SetNullable(String column, boolean nullable) implements SchemaChange {}

  /** Sets the comment of a column, or of the table when {@code column} is null. */
  record SetComment(String column, String comment) implements SchemaChange {}

  /** Sets and resets options. */
  record SetOptions(Map<String, String> set, List<String> reset) implements SchemaChange {}
}
