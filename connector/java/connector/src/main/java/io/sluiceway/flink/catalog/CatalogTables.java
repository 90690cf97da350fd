package io.sluiceway.flink.catalog;

import io.sluiceway.flink.api.ColumnDefinition;
import io.sluiceway.flink.api.TableDefinition;
import io.sluiceway.flink.options.CatalogOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.api.Schema;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.table.catalog.CatalogTable;
import org.apache.flink.table.catalog.Column;
import org.apache.flink.table.catalog.ObjectPath;
import org.apache.flink.table.catalog.ResolvedCatalogTable;
import org.apache.flink.table.catalog.ResolvedSchema;
import org.apache.flink.table.catalog.TableDistribution;
import org.apache.flink.table.catalog.UniqueConstraint;

/** Tables of Flink to tables of the server and back. */
final class CatalogTables {
  private CatalogTables() {}

  /**
   * The table as Flink sees it.
   *
   * @param options what its options show, the catalog's defaults among them
   * @param lsn where the table is seen, or null for now: two scans of one name are one scan to the
   *     planner unless this tells them apart
   */
  static CatalogTable toFlink(TableDefinition table, Map<String, String> options, Long lsn) {
    Schema.Builder schema = Schema.newBuilder();
    for (ColumnDefinition column : table.columns()) {
      schema.column(column.name(), DataTypes.of(column.type()));
      if (column.comment() != null) {
        schema.withComment(column.comment());
      }
    }
    if (!table.primaryKey().isEmpty()) {
      schema.primaryKey(table.primaryKey());
    }
    return CatalogTable.newBuilder()
        .schema(schema.build())
        .comment(table.comment() == null ? "" : table.comment())
        .partitionKeys(table.partitionKeys())
        .options(options)
        .snapshot(lsn)
        .build();
  }

  /**
   * The table that CREATE TABLE asks for.
   *
   * @throws ValidationException that names what a table cannot have here
   */
  static TableDefinition toDefinition(
      ObjectPath path, ResolvedCatalogTable table, CatalogOptions options) {
    ResolvedSchema schema = table.getResolvedSchema();
    refuseUnstored(path, schema);
    Map<String, String> kept = options.stored(table.getOptions());
    TableDistribution distribution = table.getDistribution().orElse(null);
    return new TableDefinition(
        0,
        0,
        0,
        path.getDatabaseName(),
        path.getObjectName(),
        blankToNull(table.getComment()),
        columns(schema),
        schema.getPrimaryKey().map(UniqueConstraint::getColumns).orElse(List.of()),
        distribution == null ? List.of() : distributionKey(path, distribution),
        table.getPartitionKeys(),
        distribution == null ? 0 : distribution.getBucketCount().orElse(0),
        kept);
  }

  /**
   * A column as it is stored.
   *
   * @throws ValidationException that names the column when its type cannot be stored as it is
   */
  static ColumnDefinition column(Column column) {
    StoredTypes.check(column.getName(), column.getDataType().getLogicalType());
    return ColumnDefinition.of(
        column.getName(),
        column.getDataType().getLogicalType(),
        column.getComment().map(CatalogTables::blankToNull).orElse(null));
  }

  static String blankToNull(String text) {
    return text == null || text.isEmpty() ? null : text;
  }

  private static List<ColumnDefinition> columns(ResolvedSchema schema) {
    List<ColumnDefinition> columns = new ArrayList<>();
    schema.getColumns().forEach(column -> columns.add(column(column)));
    return columns;
  }

  private static List<String> distributionKey(ObjectPath path, TableDistribution distribution) {
    return switch (distribution.getKind()) {
      case HASH, UNKNOWN -> distribution.getBucketKeys();
      case RANGE ->
          throw new ValidationException(
              "table %s: DISTRIBUTED BY RANGE is not supported, use HASH".formatted(path));
    };
  }

  private static void refuseUnstored(ObjectPath path, ResolvedSchema schema) {
    List<String> derived =
        schema.getColumns().stream()
            .filter(column -> !column.isPhysical())
            .map(column -> '"' + column.getName() + '"')
            .toList();
    if (!derived.isEmpty()) {
      throw new ValidationException(
          "table %s: column %s is computed or metadata and cannot be stored: declare it in a view"
                  .formatted(path, String.join(", ", derived))
              + " or in a CREATE TEMPORARY TABLE with 'connector' = 'sluiceway'");
    }
    if (!schema.getWatermarkSpecs().isEmpty()) {
      throw new ValidationException(
          "table %s: a watermark cannot be stored: declare it in a CREATE TEMPORARY TABLE with"
                  .formatted(path)
              + " 'connector' = 'sluiceway'");
    }
  }
}
