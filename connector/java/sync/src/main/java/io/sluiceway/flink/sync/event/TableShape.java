package io.sluiceway.flink.sync.event;

import java.util.List;
import org.apache.flink.table.types.logical.LogicalType;

/**
 * The columns of the rows of one table, in the rows' order.
 *
 * @param database the target database
 * @param table the table's name, the same on both sides
 */
public record TableShape(
    String database, String table, List<String> columns, List<LogicalType> types) {
  public TableShape {
    columns = List.copyOf(columns);
    types = List.copyOf(types);
  }
}
