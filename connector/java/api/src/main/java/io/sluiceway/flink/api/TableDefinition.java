package io.sluiceway.flink.api;

import java.io.Serializable;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.apache.flink.table.types.logical.RowType;

/**
 * A table as the server describes it (docs/wire.md, "Catalog JSON").
 *
 * @param id the server's id; 0 before it exists. Another id behind the same name is another table
 * @param generation the storage generation
 * @param schemaVersion rises with each schema change
 * @param database the database
 * @param name the table's name; outside schema {@code public} it is {@code schema.table}
 * @param comment the comment, or null
 * @param columns the columns in order
 * @param primaryKey names of the key columns; empty for an append-only table
 * @param distributionKey names of the columns that choose the shard
 * @param partitionKeys names of the columns whose values the table is partitioned by, or none
 * @param shards how many shards; 0 asks the server for its default
 * @param options what the user wrote in WITH, validated
 */
public record TableDefinition(
    int id,
    long generation,
    int schemaVersion,
    String database,
    String name,
    String comment,
    List<ColumnDefinition> columns,
    List<String> primaryKey,
    List<String> distributionKey,
    List<String> partitionKeys,
    int shards,
    Map<String, String> options)
    implements Serializable {

  public TableDefinition {
    Objects.requireNonNull(database, "database");
    Objects.requireNonNull(name, "name");
    columns = List.copyOf(columns);
    primaryKey = List.copyOf(primaryKey);
    distributionKey = List.copyOf(distributionKey);
    partitionKeys = List.copyOf(partitionKeys);
    options = Map.copyOf(options);
  }

  /** A table to be created. */
  public static TableDefinition of(
      String database,
      String name,
      String comment,
      List<ColumnDefinition> columns,
      List<String> primaryKey,
      Map<String, String> options) {
    return new TableDefinition(
        0, 0, 0, database, name, comment, columns, primaryKey, List.of(), List.of(), 0, options);
  }

  /** The row type of all columns, in order. */
  public RowType rowType() {
    return new RowType(
        columns.stream().map(c -> new RowType.RowField(c.name(), c.type(), c.comment())).toList());
  }

  /** Position of a column, or -1. */
  public int indexOf(String column) {
    for (int i = 0; i < columns.size(); i++) {
      if (columns.get(i).name().equals(column)) {
        return i;
      }
    }
    return -1;
  }
}
