package io.sluiceway.flink.table;

import io.sluiceway.flink.api.TableDefinition;
import io.sluiceway.flink.client.FlightWarehouse;
import io.sluiceway.flink.options.ReadOptions;
import io.sluiceway.flink.options.TableOptions;
import io.sluiceway.flink.sink.SluicewayTableSink;
import io.sluiceway.flink.source.PartitionedTableSource;
import io.sluiceway.flink.source.SluicewayTableSource;
import java.io.IOException;
import java.time.ZoneId;
import java.util.Set;
import org.apache.flink.api.common.RuntimeExecutionMode;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ExecutionOptions;
import org.apache.flink.configuration.ReadableConfig;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.table.api.config.TableConfigOptions;
import org.apache.flink.table.connector.sink.DynamicTableSink;
import org.apache.flink.table.connector.source.DynamicTableSource;
import org.apache.flink.table.factories.DynamicTableSinkFactory;
import org.apache.flink.table.factories.DynamicTableSourceFactory;

/**
 * Makes sources and sinks of the tables of a catalog, and of {@code CREATE TEMPORARY TABLE … WITH
 * ('connector' = 'sluiceway', 'endpoint' = …, 'dbname' = …, 'tablename' = …)}.
 *
 * <p>A table is looked at on the server each time: what it is now, not when it was declared.
 */
public class SluicewayTableFactory implements DynamicTableSourceFactory, DynamicTableSinkFactory {
  public static final String IDENTIFIER = "sluiceway";

  private final FlightWarehouse warehouse;

  /** Found by ServiceLoader: connects for each table. */
  public SluicewayTableFactory() {
    this(null);
  }

  /** A catalog's: asks by the catalog's connection. */
  public SluicewayTableFactory(FlightWarehouse warehouse) {
    this.warehouse = warehouse;
  }

  @Override
  public String factoryIdentifier() {
    return IDENTIFIER;
  }

  /** Empty: options are declared once for both languages and validated by {@link TableOptions}. */
  @Override
  public Set<ConfigOption<?>> requiredOptions() {
    return Set.of();
  }

  @Override
  public Set<ConfigOption<?>> optionalOptions() {
    return Set.of();
  }

  @Override
  public DynamicTableSource createDynamicTableSource(Context context) {
    TableOptions options = TableOptions.of(context.getCatalogTable().getOptions());
    TableOptions.Location location = options.location();
    boolean batch =
        context.getConfiguration().get(ExecutionOptions.RUNTIME_MODE) == RuntimeExecutionMode.BATCH;
    TableDefinition table = define(context, location, options);
    String endpoint = location.endpoint();
    ReadOptions read = options.read(zone(context.getConfiguration()));
    return table.partitionKeys().isEmpty()
        ? new SluicewayTableSource(table, endpoint, read, options.lookup(), batch)
        : new PartitionedTableSource(table, endpoint, read, options.lookup(), batch);
  }

  @Override
  public DynamicTableSink createDynamicTableSink(Context context) {
    TableOptions options = TableOptions.of(context.getCatalogTable().getOptions());
    TableOptions.Location location = options.location();
    if (options.snapshotLsn() != null) {
      throw new ValidationException(
          "table \"%s.%s\" is seen at LSN %d, where nothing can be written: leave out"
                  .formatted(location.database(), location.table(), options.snapshotLsn())
              + " 'source.snapshot-lsn'");
    }
    return new SluicewayTableSink(
        define(context, location, options),
        location.endpoint(),
        options.write(),
        context.getConfiguration());
  }

  private TableDefinition define(
      Context context, TableOptions.Location location, TableOptions options) {
    try {
      TableDefinition stored =
          warehouse != null && warehouse.isAt(location.endpoint())
              ? load(warehouse, location, options.snapshotLsn())
              : connectAndLoad(location, options);
      return DeclaredTable.of(stored, context.getCatalogTable().getResolvedSchema());
    } catch (IOException e) {
      throw new ValidationException(e.getMessage(), e);
    }
  }

  private static TableDefinition connectAndLoad(
      TableOptions.Location location, TableOptions options) throws IOException {
    try (FlightWarehouse opened = FlightWarehouse.connect(location.endpoint(), options.retry())) {
      return load(opened, location, options.snapshotLsn());
    }
  }

  private static TableDefinition load(
      FlightWarehouse warehouse, TableOptions.Location location, Long lsn) throws IOException {
    if (lsn != null) {
      return warehouse.tableAtLsn(location.database(), location.table(), lsn);
    }
    return warehouse
        .table(location.database(), location.table())
        .orElseThrow(
            () ->
                new ValidationException(
                    "[42P01] table \"%s.%s\" does not exist on %s"
                        .formatted(location.database(), location.table(), location.endpoint())));
  }

  private static ZoneId zone(ReadableConfig configuration) {
    String zone = configuration.get(TableConfigOptions.LOCAL_TIME_ZONE);
    return zone.equals(TableConfigOptions.LOCAL_TIME_ZONE.defaultValue())
        ? ZoneId.systemDefault()
        : ZoneId.of(zone);
  }
}
