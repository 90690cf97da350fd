package io.sluiceway.flink.client;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;

/**
 * What a DoExchange stream looks up.
 *
 * @param keys names of the primary key's columns, in the order in which keys are sent
 * @param columns names of the columns wanted
 */
public record LookupRequest(
    String database, String table, int tableId, List<String> keys, List<String> columns) {
  public LookupRequest {
    keys = List.copyOf(keys);
    columns = List.copyOf(columns);
  }

  byte[] command() {
    ObjectNode json = Json.object();
    ObjectNode lookup =
        json.putObject("lookup")
            .put("database", database)
            .put("table", table)
            .put("table_id", tableId);
    lookup.set("keys", Json.strings(keys));
    lookup.set("columns", Json.strings(columns));
    return Json.bytes(json);
  }
}
