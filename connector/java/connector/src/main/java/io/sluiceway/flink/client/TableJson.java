package io.sluiceway.flink.client;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sluiceway.flink.api.ColumnDefinition;
import io.sluiceway.flink.api.SchemaChange;
import io.sluiceway.flink.api.TableDefinition;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.utils.LogicalTypeParser;

/** Tables and changes as docs/wire.md, "Catalog JSON" writes them. */
final class TableJson {
  private TableJson() {}

  static TableDefinition table(JsonNode json) {
    List<ColumnDefinition> columns = new ArrayList<>();
    json.get("columns").forEach(column -> columns.add(column(column)));
    return new TableDefinition(
        json.get("id").asInt(),
        json.get("generation").asLong(),
        json.get("schema_version").asInt(),
        json.get("database").asText(),
        json.get("name").asText(),
        Json.textOrNull(json.get("comment")),
        columns,
        Json.stringList(json.get("primary_key")),
        Json.stringList(json.get("distribution_key")),
        Json.stringList(json.get("partition_by")),
        json.get("shards").asInt(),
        Json.stringMap(json.get("options")));
  }

  private static ColumnDefinition column(JsonNode json) {
    LogicalType type =
        LogicalTypeParser.parse(json.get("type").asText(), TableJson.class.getClassLoader());
    return new ColumnDefinition(
        json.get("id").asInt(),
        json.get("name").asText(),
        type.copy(json.get("nullable").asBoolean()),
        Json.textOrNull(json.get("comment")),
        Json.textOrNull(json.get("default")));
  }

  static ObjectNode createTable(TableDefinition table, boolean ifNotExists) {
    ObjectNode json = Json.object();
    json.put("database", table.database());
    json.put("name", table.name());
    json.put("comment", table.comment());
    ArrayNode columns = json.putArray("columns");
    table.columns().forEach(column -> columns.add(column(column)));
    json.set("primary_key", Json.strings(table.primaryKey()));
    json.set("distribution_key", Json.strings(table.distributionKey()));
    json.set("partition_by", Json.strings(table.partitionKeys()));
    json.put("shards", table.shards());
    json.set("options", Json.strings(table.options()));
    ObjectNode change = Json.object().put("kind", "create_table");
    change.set("table", json);
    return change.put("if_not_exists", ifNotExists);
  }

  static ObjectNode change(String database, String table, SchemaChange change) {
    if (change instanceof SchemaChange.AddColumn add) {
      ObjectNode json = change("add_column", database, table);
      json.set("column", column(add.column()));
      return position(json, add.first(), add.after()).put("if_not_exists", add.ifNotExists());
    }
    if (change instanceof SchemaChange.RenameColumn rename) {
      return change("rename_column", database, table)
          .put("column", rename.column())
          .put("to", rename.to());
    }
    if (change instanceof SchemaChange.DropColumn drop) {
      return change("drop_column", database, table)
          .put("column", drop.column())
          .put("if_exists", drop.ifExists());
    }
    if (change instanceof SchemaChange.MoveColumn move) {
      ObjectNode json = change("move_column", database, table).put("column", move.column());
      return position(json, move.first(), move.after());
    }
    if (change instanceof SchemaChange.SetType type) {
      return change("set_type", database, table)
          .put("column", type.column())
          .put("type", type.type().copy(true).asSerializableString());
    }
    if (change instanceof SchemaChange.SetNullable nullable) {
      return change("set_nullable", database, table)
          .put("column", nullable.column())
          .put("nullable", nullable.nullable());
    }
    if (change instanceof SchemaChange.SetComment comment) {
      return change("set_comment", database, table)
          .put("column", comment.column())
          .put("comment", comment.comment());
    }
    SchemaChange.SetOptions options = (SchemaChange.SetOptions) change;
    ObjectNode json = change("set_options", database, table);
    json.set("set", Json.strings(options.set()));
    json.set("reset", Json.strings(options.reset()));
    return json;
  }

  static ObjectNode change(String kind, String database, String table) {
    return Json.object().put("kind", kind).put("database", database).put("table", table);
  }

  private static ObjectNode position(ObjectNode json, boolean first, String after) {
    if (first) {
      return json.put("position", "first");
    }
    if (after == null) {
      return json.putNull("position");
    }
    json.putObject("position").put("after", after);
    return json;
  }

  private static ObjectNode column(ColumnDefinition column) {
    return Json.object()
        .put("name", column.name())
        .put("type", column.type().copy(true).asSerializableString())
        .put("nullable", column.type().isNullable())
        .put("comment", column.comment())
        .put("default", column.defaultValue());
  }
}
