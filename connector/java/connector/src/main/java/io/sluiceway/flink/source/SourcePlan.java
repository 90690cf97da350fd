package io.sluiceway.flink.source;

import io.sluiceway.flink.api.TableDefinition;
import io.sluiceway.flink.client.FlightWarehouse;
import io.sluiceway.flink.client.PartitionRange;
import io.sluiceway.flink.client.ShardList;
import io.sluiceway.flink.options.ReadOptions;
import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.table.types.logical.RowType;

/**
 * What the planner has decided about reading a table.
 *
 * @param table the table as it was when the job was planned
 * @param endpoint {@code host:port} of the warehouse
 * @param read how it is read
 * @param physical the table's columns that are produced, in order; may have none
 * @param metadata columns that follow them
 * @param partitions partitions outside of one of these hold no row of the snapshot that is wanted
 * @param bounded true to stop after the snapshot
 */
record SourcePlan(
    TableDefinition table,
    String endpoint,
    ReadOptions read,
    RowType physical,
    List<MetadataColumn> metadata,
    List<PartitionRange> partitions,
    boolean bounded)
    implements Serializable {

  SourcePlan {
    metadata = List.copyOf(metadata);
    partitions = List.copyOf(partitions);
  }

  /** The columns asked of the server: a batch counts its rows by at least one. */
  RowType wanted() {
    return readsNoColumns() ? new RowType(table.rowType().getFields().subList(0, 1)) : physical;
  }

  /** The rows produced: the table's columns, then those of its log. */
  RowType produced() {
    List<RowType.RowField> fields = new ArrayList<>(physical.getFields());
    metadata.forEach(column -> fields.add(column.field()));
    return new RowType(fields);
  }

  boolean readsNoColumns() {
    return physical.getFieldCount() == 0;
  }

  /**
   * Asks for the table's shards, by the name that it had at the LSN that is read.
   *
   * @param timeMicros the time whose position is wanted, in microseconds since 1970 UTC; or null
   */
  ShardList shards(FlightWarehouse warehouse, Long timeMicros) throws IOException {
    return warehouse.shards(table.database(), table.name(), timeMicros, read.snapshotLsn());
  }

  /** {@code database.table}, for messages. */
  String tableName() {
    return table.database() + "." + table.name();
  }
}
