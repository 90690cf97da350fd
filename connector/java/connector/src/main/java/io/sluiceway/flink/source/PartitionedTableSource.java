package io.sluiceway.flink.source;

import io.sluiceway.flink.api.TableDefinition;
import io.sluiceway.flink.client.PartitionRange;
import io.sluiceway.flink.options.LookupOptions;
import io.sluiceway.flink.options.ReadOptions;
import java.util.List;
import java.util.Optional;
import org.apache.flink.table.connector.source.DynamicTableSource;
import org.apache.flink.table.connector.source.abilities.SupportsFilterPushDown;
import org.apache.flink.table.expressions.ResolvedExpression;

/**
 * A partitioned table: its snapshot is read without the partitions that the query excludes.
 *
 * <p>The filter stays in the plan. The planner's own way, a list of partitions made while it plans,
 * would miss those that come later: in a stream for ever, in a batch before it takes its snapshot.
 */
public final class PartitionedTableSource extends SluicewayTableSource
    implements SupportsFilterPushDown {
  private final TableDefinition table;
  private final String endpoint;
  private final ReadOptions read;
  private final LookupOptions lookup;
  private final boolean batch;
  private List<PartitionRange> partitions = List.of();

  /** A source of all columns; see {@link SluicewayTableSource}. */
  public PartitionedTableSource(
      TableDefinition table,
      String endpoint,
      ReadOptions read,
      LookupOptions lookup,
      boolean batch) {
    super(table, endpoint, read, lookup, batch);
    this.table = table;
    this.endpoint = endpoint;
    this.read = read;
    this.lookup = lookup;
    this.batch = batch;
  }

  @Override
  public Result applyFilters(List<ResolvedExpression> filters) {
    partitions =
        filters.stream()
            .map(filter -> PartitionFilter.range(table, filter))
            .flatMap(Optional::stream)
            .toList();
    return Result.of(List.of(), filters);
  }

  @Override
  List<PartitionRange> partitions() {
    return partitions;
  }

  @Override
  public DynamicTableSource copy() {
    PartitionedTableSource copy = new PartitionedTableSource(table, endpoint, read, lookup, batch);
    copy.partitions = partitions;
    return copyTo(copy);
  }
}
