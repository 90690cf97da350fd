package io.sluiceway.flink.lookup;

import io.sluiceway.flink.api.TableDefinition;
import io.sluiceway.flink.client.LookupRequest;
import io.sluiceway.flink.options.LookupOptions;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.table.types.logical.RowType;

/**
 * What the planner has decided about looking a table up.
 *
 * @param table the table as it was when the job was planned
 * @param endpoint {@code host:port} of the warehouse
 * @param rowType the columns that are produced
 * @param keyFields positions in {@code rowType} of the join's keys, in the order of a look-up row
 */
record LookupPlan(
    TableDefinition table,
    String endpoint,
    LookupOptions options,
    RowType rowType,
    List<Integer> keyFields)
    implements Serializable {

  /**
   * A plan for the keys of a join.
   *
   * @throws ValidationException when they do not contain the whole primary key
   */
  static LookupPlan of(
      TableDefinition table,
      String endpoint,
      LookupOptions options,
      RowType rowType,
      int[][] keys) {
    List<Integer> fields = Arrays.stream(keys).map(path -> path[0]).toList();
    LookupPlan plan = new LookupPlan(table, endpoint, options, rowType, fields);
    List<String> names = fields.stream().map(rowType.getFieldNames()::get).toList();
    if (table.primaryKey().isEmpty() || !names.containsAll(table.primaryKey())) {
      throw new ValidationException(
          "%s.%s is looked up by %s: join on all columns of the whole primary key %s"
              .formatted(table.database(), table.name(), names, table.primaryKey()));
    }
    return plan;
  }

  /** Positions in a look-up row of the fields that are the primary key. */
  int[] primaryKeyPositions() {
    return positions(true);
  }

  /** Positions in a look-up row of the fields that are compared after the read. */
  int[] comparedPositions() {
    return positions(false);
  }

  private int[] positions(boolean inPrimaryKey) {
    List<Integer> positions = new ArrayList<>();
    for (int i = 0; i < keyFields.size(); i++) {
      if (table.primaryKey().contains(keyName(i)) == inPrimaryKey) {
        positions.add(i);
      }
    }
    return positions.stream().mapToInt(Integer::intValue).toArray();
  }

  private String keyName(int position) {
    return rowType.getFieldNames().get(keyFields.get(position));
  }

  /** Row type of the keys that are sent. */
  RowType keyType() {
    return new RowType(
        Arrays.stream(primaryKeyPositions())
            .mapToObj(position -> rowType.getFields().get(keyFields.get(position)))
            .toList());
  }

  LookupRequest request() {
    return new LookupRequest(
        table.database(),
        table.name(),
        table.id(),
        keyType().getFieldNames(),
        rowType.getFieldNames());
  }
}
