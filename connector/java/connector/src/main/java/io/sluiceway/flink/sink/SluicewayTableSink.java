package io.sluiceway.flink.sink;

import io.sluiceway.flink.api.TableDefinition;
import io.sluiceway.flink.api.WriteOptions;
import io.sluiceway.flink.api.WriteOptions.Conflict;
import io.sluiceway.flink.api.WriteOptions.Deletes;
import io.sluiceway.flink.options.WriteConfig;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import org.apache.flink.api.dag.Transformation;
import org.apache.flink.configuration.ReadableConfig;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.DataStreamSink;
import org.apache.flink.table.connector.ChangelogMode;
import org.apache.flink.table.connector.ProviderContext;
import org.apache.flink.table.connector.sink.DataStreamSinkProvider;
import org.apache.flink.table.connector.sink.DynamicTableSink;
import org.apache.flink.table.connector.sink.abilities.SupportsPartitioning;
import org.apache.flink.table.connector.sink.abilities.SupportsTargetColumnWriting;
import org.apache.flink.table.data.RowData;
import org.apache.flink.types.RowKind;

/**
 * A table as the planner writes to it.
 *
 * <p>A statement with a column list writes those columns and keeps the others, unless {@code
 * sink.partial-insert.enabled} is false: then the others become NULL.
 */
public final class SluicewayTableSink
    implements DynamicTableSink, SupportsTargetColumnWriting, SupportsPartitioning {
  private final TableDefinition table;
  private final String endpoint;
  private final WriteConfig write;
  private final Optional<RefusingEnforcer> check;
  private int[] targets;
  private Set<String> staticColumns = Set.of();

  /**
   * A sink of all columns.
   *
   * @param endpoint {@code host:port} of the warehouse
   * @param session tells what becomes of rows that a column cannot hold
   */
  public SluicewayTableSink(
      TableDefinition table, String endpoint, WriteConfig write, ReadableConfig session) {
    this(table, endpoint, write, RefusingEnforcer.of(table, session));
  }

  private SluicewayTableSink(
      TableDefinition table, String endpoint, WriteConfig write, Optional<RefusingEnforcer> check) {
    this.table = table;
    this.endpoint = endpoint;
    this.write = write;
    this.check = check;
  }

  /**
   * Asks for what the input has, less before images, and for deletes by key.
   *
   * <p>Where deletes are ignored it takes everything and the writer drops before images: the
   * planner would otherwise put an operator with all rows as its state in front, to order updates
   * whose key is not the table's.
   */
  @Override
  public ChangelogMode getChangelogMode(ChangelogMode requested) {
    if (table.primaryKey().isEmpty()) {
      return ChangelogMode.insertOnly();
    }
    if (write.deletes() == Deletes.IGNORE) {
      return ChangelogMode.all();
    }
    ChangelogMode.Builder mode = ChangelogMode.newBuilder();
    requested.getContainedKinds().stream()
        .filter(kind -> kind != RowKind.UPDATE_BEFORE)
        .forEach(mode::addContainedKind);
    return mode.keyOnlyDeletes(true).build();
  }

  @Override
  public SinkRuntimeProvider getSinkRuntimeProvider(Context context) {
    int[] all = IntStream.range(0, table.columns().size()).toArray();
    int[] written = targets == null ? all : withStaticColumns(targets);
    return new Provider(written, written.length < all.length);
  }

  /** Makes the sink, which depends on what the planner has put before it. */
  private final class Provider implements DataStreamSinkProvider {
    private final int[] written;
    private final boolean partial;

    Provider(int[] written, boolean partial) {
      this.written = written;
      this.partial = partial;
    }

    @Override
    public Optional<Integer> getParallelism() {
      return Optional.ofNullable(write.parallelism());
    }

    @Override
    public DataStreamSink<?> consumeDataStream(ProviderContext context, DataStream<RowData> rows) {
      // Where a delete leaves the row, so does a before image.
      boolean means = !table.primaryKey().isEmpty() && write.deletes() != Deletes.IGNORE;
      Transformation<RowData> planned = rows.getTransformation();
      Transformation<RowData> input = means ? BeforeImages.kept(planned) : planned;
      Transformation<RowData> checked =
          check.map(enforcer -> SinkInput.withCheck(input, enforcer)).orElse(input);
      WriteOptions options = write.options(table, written, partial);
      SluicewaySink sink =
          means && !BeforeImages.areDropped(input)
              ? new SluicewaySink.Holding(
                  endpoint,
                  write.retry(),
                  table,
                  written,
                  options,
                  write.beforeWait(partial),
                  SinkInput.isMaterialized(input))
              : new SluicewaySink(endpoint, write.retry(), table, written, options);
      DataStreamSink<RowData> made =
          new DataStream<>(rows.getExecutionEnvironment(), checked)
              .sinkTo(sink)
              .name(asSummaryString())
              .setParallelism(getParallelism().orElse(input.getParallelism()));
      context.generateUid("sink").ifPresent(made::uid);
      return made;
    }
  }

  @Override
  public boolean applyTargetColumns(int[][] targetColumns) {
    if (!write.partialInsert() || write.conflict() == Conflict.REPLACE) {
      return false;
    }
    targets = Arrays.stream(targetColumns).mapToInt(path -> path[0]).sorted().toArray();
    return true;
  }

  /** Takes note of PARTITION (day = '…'): the planner fills the column, its list lacks it. */
  @Override
  public void applyStaticPartition(Map<String, String> partition) {
    staticColumns = Set.copyOf(partition.keySet());
  }

  private int[] withStaticColumns(int[] columns) {
    IntStream named = staticColumns.stream().mapToInt(table::indexOf);
    return IntStream.concat(Arrays.stream(columns), named).distinct().sorted().toArray();
  }

  @Override
  public DynamicTableSink copy() {
    SluicewayTableSink copy = new SluicewayTableSink(table, endpoint, write, check);
    copy.targets = targets;
    copy.staticColumns = staticColumns;
    return copy;
  }

  @Override
  public String asSummaryString() {
    return "Sluiceway[%s.%s]".formatted(table.database(), table.name());
  }
}
