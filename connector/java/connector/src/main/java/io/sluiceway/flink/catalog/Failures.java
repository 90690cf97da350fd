package io.sluiceway.flink.catalog;

import io.sluiceway.flink.api.WarehouseException;
import java.io.IOException;
import org.apache.flink.table.catalog.ObjectPath;
import org.apache.flink.table.catalog.exceptions.CatalogException;
import org.apache.flink.table.catalog.exceptions.TableNotExistException;

/** What the warehouse refused, as the exceptions that Flink knows. */
final class Failures {
  private Failures() {}

  static CatalogException failure(IOException failure) {
    return new CatalogException(failure.getMessage(), failure);
  }

  /** The failure of a call that names a table, which may be the one that is missing. */
  static TableNotExistException ofTable(String catalog, ObjectPath path, IOException failure) {
    if (isNotFound(failure)) {
      return new TableNotExistException(catalog, path, failure);
    }
    throw failure(failure);
  }

  static boolean isNotFound(IOException failure) {
    return failure instanceof WarehouseException known && known.isNotFound();
  }

  static boolean isExists(IOException failure) {
    return failure instanceof WarehouseException known && known.isExists();
  }

  static boolean hasState(IOException failure, String sqlState) {
    return failure instanceof WarehouseException known && known.sqlState().equals(sqlState);
  }
}
