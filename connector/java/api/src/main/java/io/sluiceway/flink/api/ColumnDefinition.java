package io.sluiceway.flink.api;

import java.io.Serializable;
import java.util.Objects;
import org.apache.flink.table.types.logical.LogicalType;

/**
 * One column of a table.
 *
 * @param id the server's id, never reused inside a table; 0 before the server has given one
 * @param name the name, case-sensitive
 * @param type the Flink type; its nullability is the column's
 * @param comment the comment, or null
 * @param defaultValue the default as text that the server parses, or null
 */
public record ColumnDefinition(
    int id, String name, LogicalType type, String comment, String defaultValue)
    implements Serializable {

  public ColumnDefinition {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(type, "type");
  }

  /** A column that the server has not seen yet. */
  public static ColumnDefinition of(String name, LogicalType type, String comment) {
    return new ColumnDefinition(0, name, type, comment, null);
  }
}
