package io.sluiceway.flink.client;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sluiceway.flink.api.Retry;
import io.sluiceway.flink.api.RowWriter;
import io.sluiceway.flink.api.SchemaChange;
import io.sluiceway.flink.api.TableDefinition;
import io.sluiceway.flink.api.Warehouse;
import io.sluiceway.flink.api.WarehouseException;
import io.sluiceway.flink.api.WriteOptions;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A warehouse behind Arrow Flight.
 *
 * <p>Questions and changes that may be repeated are repeated while the server is away; a change
 * without {@code changeId} that is not idempotent is asked once.
 */
public final class FlightWarehouse implements Warehouse {
  /** The version of docs/wire.md that this client speaks. */
  static final int WIRE = 1;

  private final Connection connection;
  private final Retry retry;

  private FlightWarehouse(Connection connection, Retry retry) {
    this.connection = connection;
    this.retry = retry;
  }

  /** Connects and checks that both sides speak the same wire. */
  public static FlightWarehouse connect(String endpoint, Retry retry) throws IOException {
    Connection connection = Connection.to(endpoint);
    try {
      JsonNode hello = connection.call("hello", Json.object(), retry);
      int wire = hello.path("wire").asInt();
      if (wire != WIRE) {
        throw new WarehouseException(
            "08P01",
            ("[08P01] %s speaks wire %d (%s %s), this connector %d: use the connector of that"
                    + " version")
                .formatted(
                    endpoint,
                    wire,
                    hello.path("product").asText(),
                    hello.path("version").asText(),
                    WIRE),
            false,
            null);
      }
      return new FlightWarehouse(connection, retry);
    } catch (IOException | RuntimeException e) {
      connection.close();
      throw e;
    }
  }

  @Override
  public List<String> databases() throws IOException {
    List<String> names = new ArrayList<>();
    ask("databases", Json.object())
        .get("databases")
        .forEach(database -> names.add(database.get("name").asText()));
    names.sort(null);
    return names;
  }

  /** The comment of a database, or null; empty when the database does not exist. */
  public Optional<Map<String, String>> database(String database) throws IOException {
    for (JsonNode json : ask("databases", Json.object()).get("databases")) {
      if (json.get("name").asText().equals(database)) {
        String comment = Json.textOrNull(json.get("comment"));
        return Optional.of(comment == null ? Map.of() : Map.of("comment", comment));
      }
    }
    return Optional.empty();
  }

  @Override
  public void createDatabase(String database, String comment, boolean ifNotExists)
      throws IOException {
    ddl(
        Json.object()
            .put("kind", "create_database")
            .put("database", database)
            .put("comment", comment)
            .put("if_not_exists", ifNotExists),
        ifNotExists);
  }

  @Override
  public void dropDatabase(String database, boolean ifExists, boolean cascade) throws IOException {
    ddl(
        Json.object()
            .put("kind", "drop_database")
            .put("database", database)
            .put("if_exists", ifExists)
            .put("cascade", cascade),
        ifExists);
  }

  @Override
  public List<TableDefinition> tables(String database) throws IOException {
    List<TableDefinition> tables = new ArrayList<>();
    ask("tables", Json.object().put("database", database))
        .get("tables")
        .forEach(table -> tables.add(TableJson.table(table)));
    return tables;
  }

  @Override
  public Optional<TableDefinition> table(String database, String table) throws IOException {
    try {
      JsonNode answer = ask("table", tableName(database, table));
      return Optional.of(TableJson.table(answer.get("table")));
    } catch (WarehouseException e) {
      if (e.isNotFound()) {
        return Optional.empty();
      }
      throw e;
    }
  }

  /**
   * A table as it was at a time.
   *
   * @throws WarehouseException 42P01 or 3D000 when it was not there, 55000 when what was there is
   *     no longer kept
   */
  public PastTable tableAt(String database, String table, long timeMicros) throws IOException {
    JsonNode answer = ask("table", tableName(database, table).put("time_us", timeMicros));
    return new PastTable(TableJson.table(answer.get("table")), answer.get("lsn").asLong());
  }

  /** A table as it was at an LSN; failures are those of {@link #tableAt}. */
  public TableDefinition tableAtLsn(String database, String table, long lsn) throws IOException {
    return TableJson.table(ask("table", tableName(database, table).put("lsn", lsn)).get("table"));
  }

  private static ObjectNode tableName(String database, String table) {
    return Json.object().put("database", database).put("table", table);
  }

  @Override
  public TableDefinition createTable(TableDefinition table, boolean ifNotExists)
      throws IOException {
    return TableJson.table(ddl(TableJson.createTable(table, ifNotExists), ifNotExists));
  }

  @Override
  public void dropTable(String database, String table, boolean ifExists) throws IOException {
    ddl(TableJson.change("drop_table", database, table).put("if_exists", ifExists), ifExists);
  }

  @Override
  public void renameTable(String database, String table, String to, boolean ifExists)
      throws IOException {
    ddl(
        TableJson.change("rename_table", database, table).put("to", to).put("if_exists", ifExists),
        false);
  }

  @Override
  public TableDefinition alterTable(
      String database, String table, List<SchemaChange> changes, String changeId)
      throws IOException {
    ArrayNode json = Json.strings(List.of());
    changes.forEach(change -> json.add(TableJson.change(database, table, change)));
    JsonNode tables = ddl(json, changeId, changeId != null);
    return TableJson.table(tables.get(tables.size() - 1));
  }

  /** The partitions of a table, oldest first, each as its values by column; none of others. */
  public List<Map<String, String>> partitions(String database, String table) throws IOException {
    List<Map<String, String>> partitions = new ArrayList<>();
    ask("partitions", tableName(database, table))
        .get("partitions")
        .forEach(partition -> partitions.add(Json.stringMap(partition.get("values"))));
    return partitions;
  }

  /** Creates a partition. */
  public void createPartition(
      String database, String table, Map<String, String> values, boolean ifNotExists)
      throws IOException {
    ObjectNode change = TableJson.change("add_partition", database, table);
    change.set("values", Json.strings(values));
    ddl(change.put("if_not_exists", ifNotExists), ifNotExists);
  }

  /** Drops a partition with its rows. */
  public void dropPartition(
      String database, String table, Map<String, String> values, boolean ifExists)
      throws IOException {
    ObjectNode change = TableJson.change("drop_partition", database, table);
    change.set("values", Json.strings(values));
    ddl(change.put("if_exists", ifExists), ifExists);
  }

  @Override
  public RowWriter writer(TableDefinition table, WriteOptions options) throws IOException {
    return new FlightRowWriter(connection.endpoint(), retry, table, options);
  }

  @Override
  public Map<String, Long> rowCounts(String database) throws IOException {
    Map<String, Long> rows = new LinkedHashMap<>();
    for (JsonNode table : ask("status", Json.object()).get("tables")) {
      if (table.get("database").asText().equals(database)) {
        rows.put(table.get("name").asText(), table.get("rows").asLong());
      }
    }
    return rows;
  }

  /**
   * The shards of a table: where they are, and the positions to read from.
   *
   * @param timeMicros the time whose position is wanted, in microseconds since 1970 UTC; or null
   * @param lsn when the table had this name, or null for now
   */
  public ShardList shards(String database, String table, Long timeMicros, Long lsn)
      throws IOException {
    ObjectNode body = tableName(database, table).put("time_us", timeMicros).put("lsn", lsn);
    JsonNode answer = ask("shards", body);
    List<ShardPosition> shards = new ArrayList<>();
    answer.get("shards").forEach(shard -> shards.add(shard(shard)));
    return new ShardList(
        answer.get("table_id").asInt(),
        answer.get("generation").asLong(),
        answer.get("published").asLong(),
        shards);
  }

  /**
   * Takes or renews a durable snapshot lease.
   *
   * @param lsn the snapshot, or null for what is published now
   * @return the LSN held
   * @throws WarehouseException 55000 when the lease has expired
   */
  public long hold(String name, Long lsn, Duration timeToLive) throws IOException {
    ObjectNode body = Json.object().put("name", name).put("lsn", lsn);
    return ask("hold", body.put("ttl_ms", timeToLive.toMillis())).get("lsn").asLong();
  }

  /** Ends a lease. */
  public void release(String name) throws IOException {
    ask("release", Json.object().put("name", name));
  }

  /** Whether this is a connection to that endpoint, however it is written. */
  public boolean isAt(String endpoint) {
    return connection.endpoint().equals(Endpoint.parse(endpoint).toString());
  }

  private static ShardPosition shard(JsonNode json) {
    List<String> locations =
        Json.stringList(json.get("locations")).stream()
            .map(location -> Endpoint.parse(location).toString())
            .toList();
    return new ShardPosition(
        json.get("shard").asInt(),
        locations,
        json.get("oldest").asLong(),
        json.get("next").asLong(),
        json.get("at_time").asLong());
  }

  private JsonNode ask(String action, JsonNode body) throws IOException {
    return connection.call(action, body, retry);
  }

  private JsonNode ddl(ObjectNode change, boolean repeatable) throws IOException {
    return ddl(Json.strings(List.of()).add(change), null, repeatable).get(0);
  }

  private JsonNode ddl(ArrayNode changes, String changeId, boolean repeatable) throws IOException {
    ObjectNode body = Json.object();
    body.set("changes", changes);
    body.put("change_id", changeId);
    JsonNode answer =
        repeatable ? connection.call("ddl", body, retry) : connection.call("ddl", body);
    return answer.get("tables");
  }

  @Override
  public void close() {
    connection.close();
  }

  /** Found by ServiceLoader. */
  public static final class Provider implements Warehouse.Provider {
    @Override
    public Warehouse connect(String endpoint, Retry retry) throws IOException {
      return FlightWarehouse.connect(endpoint, retry);
    }
  }
}
