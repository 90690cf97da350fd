package io.sluiceway.flink.client;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.Serializable;
import java.util.List;

/**
 * Values of a partition column; a scan leaves out the partitions of others.
 *
 * @param column the column
 * @param values the values as texts, or null for those from {@code low} to {@code high}
 * @param low the least value, or null
 * @param high the greatest value, or null
 */
public record PartitionRange(String column, List<String> values, String low, String high)
    implements Serializable {

  public PartitionRange {
    values = values == null ? null : List.copyOf(values);
  }

  ObjectNode json() {
    ObjectNode json = Json.object().put("column", column);
    json.set("values", values == null ? null : Json.strings(values));
    return json.put("low", low).put("high", high);
  }
}
