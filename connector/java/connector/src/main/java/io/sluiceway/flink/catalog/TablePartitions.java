package io.sluiceway.flink.catalog;

import static io.sluiceway.flink.catalog.Failures.failure;
import static io.sluiceway.flink.catalog.Failures.hasState;
import static io.sluiceway.flink.catalog.Failures.isExists;
import static io.sluiceway.flink.catalog.Failures.isNotFound;
import static io.sluiceway.flink.catalog.Failures.ofTable;

import io.sluiceway.flink.api.TableDefinition;
import io.sluiceway.flink.client.FlightWarehouse;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.flink.table.catalog.CatalogPartitionSpec;
import org.apache.flink.table.catalog.ObjectPath;
import org.apache.flink.table.catalog.exceptions.PartitionAlreadyExistsException;
import org.apache.flink.table.catalog.exceptions.PartitionNotExistException;
import org.apache.flink.table.catalog.exceptions.PartitionSpecInvalidException;
import org.apache.flink.table.catalog.exceptions.TableNotExistException;
import org.apache.flink.table.catalog.exceptions.TableNotPartitionedException;

/** The partitions of the tables of one warehouse. */
final class TablePartitions {
  private static final String INVALID = "42P16";

  private final String catalog;
  private final FlightWarehouse warehouse;

  TablePartitions(String catalog, FlightWarehouse warehouse) {
    this.catalog = catalog;
    this.warehouse = warehouse;
  }

  List<CatalogPartitionSpec> all(ObjectPath path)
      throws TableNotExistException, TableNotPartitionedException {
    keys(path);
    try {
      return warehouse.partitions(path.getDatabaseName(), path.getObjectName()).stream()
          .map(CatalogPartitionSpec::new)
          .toList();
    } catch (IOException e) {
      throw ofTable(catalog, path, e);
    }
  }

  /** Those that have the values that {@code spec} names, perhaps not of all columns. */
  List<CatalogPartitionSpec> matching(ObjectPath path, CatalogPartitionSpec spec)
      throws TableNotExistException, TableNotPartitionedException, PartitionSpecInvalidException {
    List<String> keys = keys(path);
    Map<String, String> wanted = spec.getPartitionSpec();
    if (!keys.containsAll(wanted.keySet())) {
      throw new PartitionSpecInvalidException(catalog, keys, path, spec);
    }
    return all(path).stream()
        .filter(found -> found.getPartitionSpec().entrySet().containsAll(wanted.entrySet()))
        .toList();
  }

  boolean exists(ObjectPath path, CatalogPartitionSpec spec) {
    try {
      return all(path).contains(spec);
    } catch (TableNotExistException | TableNotPartitionedException e) {
      return false;
    }
  }

  void create(ObjectPath path, CatalogPartitionSpec spec, boolean ignoreIfExists)
      throws TableNotExistException,
          TableNotPartitionedException,
          PartitionSpecInvalidException,
          PartitionAlreadyExistsException {
    List<String> keys = keys(path);
    try {
      warehouse.createPartition(
          path.getDatabaseName(), path.getObjectName(), spec.getPartitionSpec(), ignoreIfExists);
    } catch (IOException e) {
      if (isExists(e)) {
        throw new PartitionAlreadyExistsException(catalog, path, spec, e);
      }
      if (hasState(e, INVALID)) {
        throw new PartitionSpecInvalidException(catalog, keys, path, spec, e);
      }
      throw ofTable(catalog, path, e);
    }
  }

  void drop(ObjectPath path, CatalogPartitionSpec spec, boolean ignoreIfNotExists)
      throws PartitionNotExistException {
    try {
      warehouse.dropPartition(
          path.getDatabaseName(), path.getObjectName(), spec.getPartitionSpec(), ignoreIfNotExists);
    } catch (IOException e) {
      if (isNotFound(e)) {
        throw new PartitionNotExistException(catalog, path, spec, e);
      }
      throw failure(e);
    }
  }

  /** The columns that a table is partitioned by: at least one. */
  private List<String> keys(ObjectPath path)
      throws TableNotExistException, TableNotPartitionedException {
    try {
      Optional<TableDefinition> table =
          warehouse.table(path.getDatabaseName(), path.getObjectName());
      List<String> keys =
          table.orElseThrow(() -> new TableNotExistException(catalog, path)).partitionKeys();
      if (keys.isEmpty()) {
        throw new TableNotPartitionedException(catalog, path);
      }
      return keys;
    } catch (IOException e) {
      throw failure(e);
    }
  }
}
