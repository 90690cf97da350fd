package io.sluiceway.flink.catalog;

import static io.sluiceway.flink.catalog.Failures.failure;
import static io.sluiceway.flink.catalog.Failures.hasState;
import static io.sluiceway.flink.catalog.Failures.isExists;
import static io.sluiceway.flink.catalog.Failures.isNotFound;
import static io.sluiceway.flink.catalog.Failures.ofTable;

import io.sluiceway.flink.api.CatalogContext;
import io.sluiceway.flink.api.SchemaChange;
import io.sluiceway.flink.api.TableDefinition;
import io.sluiceway.flink.client.FlightWarehouse;
import io.sluiceway.flink.client.PastTable;
import io.sluiceway.flink.options.CatalogOptions;
import io.sluiceway.flink.table.SluicewayTableFactory;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.flink.table.catalog.CatalogBaseTable;
import org.apache.flink.table.catalog.CatalogDatabase;
import org.apache.flink.table.catalog.CatalogDatabaseImpl;
import org.apache.flink.table.catalog.CatalogPartition;
import org.apache.flink.table.catalog.CatalogPartitionImpl;
import org.apache.flink.table.catalog.CatalogPartitionSpec;
import org.apache.flink.table.catalog.ObjectPath;
import org.apache.flink.table.catalog.ResolvedCatalogTable;
import org.apache.flink.table.catalog.TableChange;
import org.apache.flink.table.catalog.exceptions.CatalogException;
import org.apache.flink.table.catalog.exceptions.DatabaseAlreadyExistException;
import org.apache.flink.table.catalog.exceptions.DatabaseNotEmptyException;
import org.apache.flink.table.catalog.exceptions.DatabaseNotExistException;
import org.apache.flink.table.catalog.exceptions.PartitionAlreadyExistsException;
import org.apache.flink.table.catalog.exceptions.PartitionNotExistException;
import org.apache.flink.table.catalog.exceptions.PartitionSpecInvalidException;
import org.apache.flink.table.catalog.exceptions.ProcedureNotExistException;
import org.apache.flink.table.catalog.exceptions.TableAlreadyExistException;
import org.apache.flink.table.catalog.exceptions.TableNotExistException;
import org.apache.flink.table.catalog.exceptions.TableNotPartitionedException;
import org.apache.flink.table.factories.Factory;
import org.apache.flink.table.procedures.Procedure;

/**
 * Databases and tables of one warehouse.
 *
 * <p>A table carries in its options what CREATE CATALOG gave as defaults and where the warehouse
 * is, so that it needs no WITH of its own; neither is stored with the table.
 */
public final class SluicewayCatalog extends TablesOnlyCatalog {
  private static final String NOT_EMPTY = "2BP01";
  private static final String NO_DATABASE = "3D000";

  private final String connector;
  private final CatalogOptions options;
  private final Procedures procedures;
  private FlightWarehouse warehouse;

  SluicewayCatalog(String connector, CatalogContext context, CatalogOptions options) {
    super(context.catalog(), options.database());
    this.connector = connector;
    this.options = options;
    this.procedures = new Procedures(context);
  }

  /**
   * Connects. The database {@code default} is created when it is the default; others must exist.
   */
  @Override
  public void open() {
    try {
      warehouse = FlightWarehouse.connect(options.endpoint(), options.retry());
      openDatabase(getDefaultDatabase());
    } catch (IOException e) {
      close();
      throw failure(e);
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  private void openDatabase(String database) throws IOException {
    if (database.equals(CatalogOptions.DEFAULT_DATABASE)) {
      warehouse.createDatabase(database, null, true);
    } else if (warehouse.database(database).isEmpty()) {
      throw new CatalogException(
          ("[%s] database \"%s\" does not exist on %s: create the catalog without dbname, then"
                  + " CREATE DATABASE %s.%s")
              .formatted(NO_DATABASE, database, options.endpoint(), getName(), database));
    }
  }

  @Override
  public void close() {
    if (warehouse != null) {
      warehouse.close();
      warehouse = null;
    }
  }

  /** Makes sources and sinks of this catalog's tables: they need no option {@code connector}. */
  @Override
  public Optional<Factory> getFactory() {
    return Optional.of(new SluicewayTableFactory(warehouse));
  }

  // Databases

  @Override
  public List<String> listDatabases() {
    try {
      return warehouse.databases();
    } catch (IOException e) {
      throw failure(e);
    }
  }

  @Override
  public CatalogDatabase getDatabase(String name) throws DatabaseNotExistException {
    Map<String, String> properties =
        database(name).orElseThrow(() -> new DatabaseNotExistException(getName(), name));
    return new CatalogDatabaseImpl(Map.of(), properties.get("comment"));
  }

  @Override
  public boolean databaseExists(String name) {
    return database(name).isPresent();
  }

  private Optional<Map<String, String>> database(String name) {
    try {
      return warehouse.database(name);
    } catch (IOException e) {
      throw failure(e);
    }
  }

  @Override
  public void createDatabase(String name, CatalogDatabase database, boolean ignoreIfExists)
      throws DatabaseAlreadyExistException {
    if (!database.getProperties().isEmpty()) {
      throw unsupported("CREATE DATABASE … WITH", "leave the options out");
    }
    try {
      String comment = CatalogTables.blankToNull(database.getComment());
      warehouse.createDatabase(name, comment, ignoreIfExists);
    } catch (IOException e) {
      if (isExists(e)) {
        throw new DatabaseAlreadyExistException(getName(), name, e);
      }
      throw failure(e);
    }
  }

  @Override
  public void dropDatabase(String name, boolean ignoreIfNotExists, boolean cascade)
      throws DatabaseNotExistException, DatabaseNotEmptyException {
    try {
      warehouse.dropDatabase(name, ignoreIfNotExists, cascade);
    } catch (IOException e) {
      if (isNotFound(e)) {
        throw new DatabaseNotExistException(getName(), name, e);
      }
      if (hasState(e, NOT_EMPTY)) {
        throw new DatabaseNotEmptyException(getName(), name, e);
      }
      throw failure(e);
    }
  }

  @Override
  public void alterDatabase(String name, CatalogDatabase database, boolean ignoreIfNotExists) {
    throw unsupported("ALTER DATABASE", "drop and create it");
  }

  // Tables

  @Override
  public List<String> listTables(String database) throws DatabaseNotExistException {
    try {
      return warehouse.tables(database).stream().map(TableDefinition::name).sorted().toList();
    } catch (IOException e) {
      if (isNotFound(e)) {
        throw new DatabaseNotExistException(getName(), database, e);
      }
      throw failure(e);
    }
  }

  @Override
  public CatalogBaseTable getTable(ObjectPath path) throws TableNotExistException {
    TableDefinition table =
        table(path).orElseThrow(() -> new TableNotExistException(getName(), path));
    return CatalogTables.toFlink(table, options.shown(table, connector), null);
  }

  /** The table as it was at a time, in milliseconds since 1970 UTC: FOR SYSTEM_TIME AS OF. */
  @Override
  public CatalogBaseTable getTable(ObjectPath path, long timestamp) throws TableNotExistException {
    try {
      PastTable past =
          warehouse.tableAt(path.getDatabaseName(), path.getObjectName(), timestamp * 1000);
      return CatalogTables.toFlink(
          past.table(), options.shownAt(past.lsn(), past.table(), connector), past.lsn());
    } catch (IOException e) {
      throw ofTable(getName(), path, e);
    }
  }

  @Override
  public boolean tableExists(ObjectPath path) {
    return table(path).isPresent();
  }

  private Optional<TableDefinition> table(ObjectPath path) {
    try {
      return warehouse.table(path.getDatabaseName(), path.getObjectName());
    } catch (IOException e) {
      throw failure(e);
    }
  }

  @Override
  public void createTable(ObjectPath path, CatalogBaseTable table, boolean ignoreIfExists)
      throws TableAlreadyExistException, DatabaseNotExistException {
    if (!(table instanceof ResolvedCatalogTable resolved)) {
      throw unsupported(
          "CREATE " + table.getTableKind().name().replace('_', ' '),
          "use CREATE TABLE, or CREATE TEMPORARY VIEW for a query");
    }
    try {
      warehouse.createTable(CatalogTables.toDefinition(path, resolved, options), ignoreIfExists);
    } catch (IOException e) {
      if (isExists(e)) {
        throw new TableAlreadyExistException(getName(), path, e);
      }
      if (hasState(e, NO_DATABASE)) {
        throw new DatabaseNotExistException(getName(), path.getDatabaseName(), e);
      }
      throw failure(e);
    }
  }

  @Override
  public void dropTable(ObjectPath path, boolean ignoreIfNotExists) throws TableNotExistException {
    try {
      warehouse.dropTable(path.getDatabaseName(), path.getObjectName(), ignoreIfNotExists);
    } catch (IOException e) {
      throw ofTable(getName(), path, e);
    }
  }

  @Override
  public void renameTable(ObjectPath path, String to, boolean ignoreIfNotExists)
      throws TableNotExistException, TableAlreadyExistException {
    try {
      warehouse.renameTable(path.getDatabaseName(), path.getObjectName(), to, ignoreIfNotExists);
    } catch (IOException e) {
      if (isExists(e)) {
        throw new TableAlreadyExistException(
            getName(), new ObjectPath(path.getDatabaseName(), to), e);
      }
      throw ofTable(getName(), path, e);
    }
  }

  @Override
  public void alterTable(ObjectPath path, CatalogBaseTable table, boolean ignoreIfNotExists) {
    throw unsupported("ALTER TABLE without a list of changes", "use ALTER TABLE … ADD or SET");
  }

  @Override
  public void alterTable(
      ObjectPath path, CatalogBaseTable table, List<TableChange> changes, boolean ignoreIfNotExists)
      throws TableNotExistException {
    List<SchemaChange> translated = TableChanges.of(path, changes);
    if (translated.isEmpty() || ignoreIfNotExists && !tableExists(path)) {
      return;
    }
    try {
      warehouse.alterTable(path.getDatabaseName(), path.getObjectName(), translated, null);
    } catch (IOException e) {
      if (hasState(e, "42703")) {
        throw failure(e);
      }
      throw ofTable(getName(), path, e);
    }
  }

  // Partitions

  @Override
  public List<CatalogPartitionSpec> listPartitions(ObjectPath path)
      throws TableNotExistException, TableNotPartitionedException {
    return partitions().all(path);
  }

  @Override
  public List<CatalogPartitionSpec> listPartitions(ObjectPath path, CatalogPartitionSpec spec)
      throws TableNotExistException, TableNotPartitionedException, PartitionSpecInvalidException {
    return partitions().matching(path, spec);
  }

  @Override
  public CatalogPartition getPartition(ObjectPath path, CatalogPartitionSpec spec)
      throws PartitionNotExistException {
    if (!partitions().exists(path, spec)) {
      throw new PartitionNotExistException(getName(), path, spec);
    }
    return new CatalogPartitionImpl(Map.of(), null);
  }

  @Override
  public boolean partitionExists(ObjectPath path, CatalogPartitionSpec spec) {
    return partitions().exists(path, spec);
  }

  @Override
  public void createPartition(
      ObjectPath path,
      CatalogPartitionSpec spec,
      CatalogPartition partition,
      boolean ignoreIfExists)
      throws TableNotExistException,
          TableNotPartitionedException,
          PartitionSpecInvalidException,
          PartitionAlreadyExistsException {
    if (!partition.getProperties().isEmpty()) {
      throw unsupported("ADD PARTITION … WITH", "leave the properties out");
    }
    partitions().create(path, spec, ignoreIfExists);
  }

  @Override
  public void dropPartition(ObjectPath path, CatalogPartitionSpec spec, boolean ignoreIfNotExists)
      throws PartitionNotExistException {
    partitions().drop(path, spec, ignoreIfNotExists);
  }

  private TablePartitions partitions() {
    return new TablePartitions(getName(), warehouse);
  }

  // Procedures

  @Override
  public List<String> listProcedures(String database) {
    return database.equals(Procedures.DATABASE) ? procedures.names() : List.of();
  }

  @Override
  public Procedure getProcedure(ObjectPath path) throws ProcedureNotExistException {
    if (path.getDatabaseName().equals(Procedures.DATABASE)) {
      Optional<Procedure> found = procedures.find(path.getObjectName());
      if (found.isPresent()) {
        return found.get();
      }
    }
    throw new ProcedureNotExistException(getName(), path);
  }
}
