package io.sluiceway.flink.source;

import io.sluiceway.flink.api.TableDefinition;
import io.sluiceway.flink.client.PartitionRange;
import io.sluiceway.flink.lookup.Lookups;
import io.sluiceway.flink.options.LookupOptions;
import io.sluiceway.flink.options.ReadOptions;
import java.util.List;
import java.util.Map;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.table.connector.ChangelogMode;
import org.apache.flink.table.connector.Projection;
import org.apache.flink.table.connector.source.DynamicTableSource;
import org.apache.flink.table.connector.source.LookupTableSource;
import org.apache.flink.table.connector.source.ScanTableSource;
import org.apache.flink.table.connector.source.SourceProvider;
import org.apache.flink.table.connector.source.abilities.SupportsProjectionPushDown;
import org.apache.flink.table.connector.source.abilities.SupportsReadingMetadata;
import org.apache.flink.table.connector.source.abilities.SupportsSourceWatermark;
import org.apache.flink.table.connector.source.abilities.SupportsWatermarkPushDown;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.types.DataType;
import org.apache.flink.table.types.logical.RowType;

/**
 * A table as the planner sees it: scanned as a changelog or as one snapshot, or looked up by its
 * primary key.
 *
 * <p>A bounded read, which is every read in batch mode, any with {@code binlog=false} and any of
 * the past, has inserts only. A changelog brings before images, so that the planner adds no state
 * to make them.
 */
public class SluicewayTableSource
    implements ScanTableSource,
        LookupTableSource,
        SupportsProjectionPushDown,
        SupportsReadingMetadata,
        SupportsSourceWatermark,
        SupportsWatermarkPushDown {
  private final TableDefinition table;
  private final String endpoint;
  private final ReadOptions read;
  private final LookupOptions lookup;
  private final boolean batch;
  private RowType physical;
  private List<MetadataColumn> metadata = List.of();
  private WatermarkStrategy<RowData> watermarks;

  /**
   * A source of all columns.
   *
   * @param endpoint {@code host:port} of the warehouse
   * @param batch whether the session runs in batch mode
   */
  public SluicewayTableSource(
      TableDefinition table,
      String endpoint,
      ReadOptions read,
      LookupOptions lookup,
      boolean batch) {
    this.table = table;
    this.endpoint = endpoint;
    this.read = read;
    this.lookup = lookup;
    this.batch = batch;
    this.physical = table.rowType();
  }

  private boolean isBounded() {
    return batch || !read.binlog() || read.snapshotLsn() != null;
  }

  @Override
  public ChangelogMode getChangelogMode() {
    if (isBounded() || table.primaryKey().isEmpty()) {
      return ChangelogMode.insertOnly();
    }
    return switch (read.changelogKinds()) {
      case ALL -> ChangelogMode.all();
      case UPSERT -> ChangelogMode.upsert(false);
      case ALL_AS_APPEND_ONLY -> ChangelogMode.insertOnly();
    };
  }

  @Override
  public ScanRuntimeProvider getScanRuntimeProvider(ScanContext context) {
    SourcePlan plan =
        new SourcePlan(table, endpoint, read, physical, metadata, partitions(), isBounded());
    SluicewaySource source = new SluicewaySource(plan);
    return watermarks == null
        ? SourceProvider.of(source, read.parallelism())
        : new SplitWatermarks(
            source, watermarks, context.createTypeInformation(plan.produced()), read.parallelism());
  }

  @Override
  public LookupRuntimeProvider getLookupRuntimeProvider(LookupContext context) {
    if (read.snapshotLsn() != null) {
      throw new ValidationException(
          "table \"%s.%s\" is looked up as it is, not at LSN %d: join it as it was at one moment by"
                  .formatted(table.database(), table.name(), read.snapshotLsn())
              + " FOR SYSTEM_TIME AS OF TIMESTAMP '…' without a look-up");
    }
    return Lookups.provider(table, endpoint, lookup, physical, context.getKeys());
  }

  @Override
  public boolean supportsNestedProjection() {
    return false;
  }

  @Override
  public void applyProjection(int[][] projectedFields, DataType producedDataType) {
    physical = (RowType) Projection.of(projectedFields).project(table.rowType());
  }

  @Override
  public Map<String, DataType> listReadableMetadata() {
    return MetadataColumn.types();
  }

  @Override
  public void applyReadableMetadata(List<String> keys, DataType producedDataType) {
    metadata = keys.stream().map(MetadataColumn::of).toList();
  }

  @Override
  public void applyWatermark(WatermarkStrategy<RowData> strategy) {
    watermarks = strategy;
  }

  /** Refuses {@code SOURCE_WATERMARK()}: without this it is found only when the job runs. */
  @Override
  public void applySourceWatermark() {
    throw new ValidationException(
        ("[0A000] table \"%s.%s\" makes no watermarks of its own: declare WATERMARK FOR column AS"
                + " column - INTERVAL '5' SECOND instead of SOURCE_WATERMARK()")
            .formatted(table.database(), table.name()));
  }

  /** Which partitions a snapshot is read from: of a table without, all there is. */
  List<PartitionRange> partitions() {
    return List.of();
  }

  @Override
  public DynamicTableSource copy() {
    return copyTo(new SluicewayTableSource(table, endpoint, read, lookup, batch));
  }

  final SluicewayTableSource copyTo(SluicewayTableSource copy) {
    copy.physical = physical;
    copy.metadata = metadata;
    copy.watermarks = watermarks;
    return copy;
  }

  @Override
  public String asSummaryString() {
    return "Sluiceway[%s.%s]".formatted(table.database(), table.name());
  }
}
