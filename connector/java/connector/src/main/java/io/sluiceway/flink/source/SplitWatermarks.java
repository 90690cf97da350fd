package io.sluiceway.flink.source;

import java.util.Optional;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.DataStreamSource;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.table.connector.ProviderContext;
import org.apache.flink.table.connector.source.DataStreamScanProvider;
import org.apache.flink.table.data.RowData;

/**
 * A scan whose watermarks are made in the source, one for each shard.
 *
 * <p>A task's watermark is then the lowest of its shards'. Over shards that are mixed first, those
 * that are read faster would make the rows of the others late. {@code SourceProvider} cannot carry
 * a strategy: the planner gives it none.
 *
 * @param type the type of the rows produced
 * @param parallelism the source's parallelism, or null for the job's
 */
record SplitWatermarks(
    SluicewaySource source,
    WatermarkStrategy<RowData> strategy,
    TypeInformation<RowData> type,
    Integer parallelism)
    implements DataStreamScanProvider {

  private static final String UID = "sluiceway";

  @Override
  public DataStream<RowData> produceDataStream(
      ProviderContext context, StreamExecutionEnvironment environment) {
    DataStreamSource<RowData> stream = environment.fromSource(source, strategy, UID, type);
    context.generateUid(UID).ifPresent(stream::uid);
    return stream;
  }

  @Override
  public boolean isBounded() {
    return source.isBounded();
  }

  @Override
  public Optional<Integer> getParallelism() {
    return Optional.ofNullable(parallelism);
  }
}
