package io.sluiceway.flink.client;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sluiceway.flink.api.TableDefinition;
import io.sluiceway.flink.api.WriteOptions;
import java.util.Locale;

/** What a DoPut stream says about its batches. */
record WriteRequest(
    String database,
    String table,
    int tableId,
    WriteOptions.Conflict conflict,
    boolean partial,
    String writer) {

  static WriteRequest of(TableDefinition table, WriteOptions options) {
    return new WriteRequest(
        table.database(),
        table.name(),
        table.id(),
        options.conflict(),
        options.partial(),
        options.name());
  }

  byte[] command() {
    ObjectNode json = Json.object();
    json.putObject("write")
        .put("database", database)
        .put("table", table)
        .put("table_id", tableId)
        .put("conflict", conflict.name().toLowerCase(Locale.ROOT))
        .put("partial", partial)
        .put("writer", writer);
    return Json.bytes(json);
  }
}
