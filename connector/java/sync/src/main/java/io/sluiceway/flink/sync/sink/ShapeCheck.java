package io.sluiceway.flink.sync.sink;

import io.sluiceway.flink.api.TableDefinition;
import io.sluiceway.flink.api.WarehouseException;
import io.sluiceway.flink.sync.event.TableShape;
import org.apache.flink.table.types.logical.LogicalType;

/** Whether rows of a shape fit into a table. */
public final class ShapeCheck {
  private ShapeCheck() {}

  /** Throws, naming the first column that the table lacks or has with another type. */
  public static void check(TableDefinition table, TableShape shape) throws WarehouseException {
    for (int i = 0; i < shape.columns().size(); i++) {
      String column = shape.columns().get(i);
      LogicalType wanted = shape.types().get(i).copy(true);
      int at = table.indexOf(column);
      LogicalType stored = at < 0 ? null : table.columns().get(at).type().copy(true);
      if (!wanted.equals(stored)) {
        throw WarehouseException.answered(
            "42804",
            ("column %s of table %s.%s is %s where the source has %s: "
                    + "load the table again with replace => true")
                .formatted(
                    column,
                    table.database(),
                    table.name(),
                    stored == null ? "missing" : stored,
                    wanted),
            false);
      }
    }
  }
}
