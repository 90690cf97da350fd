package io.sluiceway.flink.api;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;

/**
 * A connection to a running warehouse. Thread-safe; nothing is cached that another session could
 * change.
 */
public interface Warehouse extends AutoCloseable {

  /**
   * Connects.
   *
   * @param endpoint {@code host:port}
   * @throws WarehouseException 08006 with the endpoint's name when no server answers
   */
  static Warehouse connect(String endpoint, Retry retry) throws IOException {
    return ServiceLoader.load(Provider.class, Warehouse.class.getClassLoader())
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalStateException(
                    "the Sluiceway connector jar is not beside this one: `sluiceway jar` prints its path"))
        .connect(endpoint, retry);
  }

  /** Names of the databases, sorted. */
  List<String> databases() throws IOException;

  /** Creates a database; does nothing when it exists and {@code ifNotExists}. */
  void createDatabase(String database, String comment, boolean ifNotExists) throws IOException;

  /** Drops a database. */
  void dropDatabase(String database, boolean ifExists, boolean cascade) throws IOException;

  /** Tables of a database. */
  List<TableDefinition> tables(String database) throws IOException;

  /** A table, or empty when it or its database does not exist. */
  Optional<TableDefinition> table(String database, String table) throws IOException;

  /**
   * Creates a table and answers it as the server made it; an existing one when {@code ifNotExists}.
   */
  TableDefinition createTable(TableDefinition table, boolean ifNotExists) throws IOException;

  void dropTable(String database, String table, boolean ifExists) throws IOException;

  void renameTable(String database, String table, String to, boolean ifExists) throws IOException;

  /**
   * Applies all changes or none.
   *
   * @param changeId names the change: one that the server has seen is answered, not repeated; or
   *     null
   * @return the table afterwards
   */
  TableDefinition alterTable(
      String database, String table, List<SchemaChange> changes, String changeId)
      throws IOException;

  /** Opens a writer; the connection is its own. */
  RowWriter writer(TableDefinition table, WriteOptions options) throws IOException;

  /** Rows in each table of a database as the server counts them now, by table name. */
  Map<String, Long> rowCounts(String database) throws IOException;

  @Override
  void close();

  /** Implemented by the connector jar. */
  interface Provider {
    Warehouse connect(String endpoint, Retry retry) throws IOException;
  }
}
