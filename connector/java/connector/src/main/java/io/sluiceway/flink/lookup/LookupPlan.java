package io.sluiceway.flink.lookup;

import static java.util.stream.Collectors.joining;

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
    if (table.primaryKey().isEmpty()) {
      throw new ValidationException(
          ("[0A000] %s.%s has no primary key, by which rows are looked up: create it with PRIMARY"
                  + " KEY (…) NOT ENFORCED, or join it as a stream, without FOR SYSTEM_TIME AS OF")
              .formatted(table.database(), table.name()));
    }
    if (!names.containsAll(table.primaryKey())) {
      throw new ValidationException(missing(table, names));
    }
    return plan;
  }

  private static String missing(TableDefinition table, List<String> names) {
    List<String> missing =
        table.primaryKey().stream().filter(name -> !names.contains(name)).toList();
    return ("[0A000] %s.%s is looked up by its whole primary key %s, and the join gives no value for"
            + " %s: join by = on each of them, with a value of exactly its type, such as"
            + " CAST(… AS %s) = %s")
        .formatted(
            table.database(),
            table.name(),
            table.primaryKey(),
            missing.stream().map(name -> name + " " + type(table, name)).collect(joining(", ")),
            type(table, missing.get(0)),
            missing.get(0));
  }

  private static String type(TableDefinition table, String name) {
    return table.columns().get(table.indexOf(name)).type().copy(true).asSummaryString();
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
