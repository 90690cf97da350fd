package io.sluiceway.flink.sync.source;

import io.sluiceway.flink.sync.event.SyncEvent;
import io.sluiceway.flink.sync.mysql.MySqlServer;
import io.sluiceway.flink.sync.mysql.StartPoint;
import io.sluiceway.flink.sync.mysql.TargetTables;
import io.sluiceway.flink.sync.mysql.TypeMapping;
import io.sluiceway.flink.sync.sink.LoadMarks;
import java.util.List;
import java.util.TreeSet;
import org.apache.flink.api.connector.source.Boundedness;
import org.apache.flink.api.connector.source.Source;
import org.apache.flink.api.connector.source.SourceReader;
import org.apache.flink.api.connector.source.SourceReaderContext;
import org.apache.flink.api.connector.source.SplitEnumerator;
import org.apache.flink.api.connector.source.SplitEnumeratorContext;
import org.apache.flink.core.io.SimpleVersionedSerializer;
import org.apache.flink.util.FlinkRuntimeException;

/**
 * A MySQL or MariaDB database as a stream: all rows, then all changes since the start point.
 *
 * <p>Rows may come more than once, as after a restart; the last event of a key is right.
 */
public final class SyncSource implements Source<SyncEvent, SyncSplit, SyncState> {
  private static final long serialVersionUID = 1;

  private final MySqlServer server;
  private final String target;
  private final StartPoint start;
  private final LoadMarks marks;

  /**
   * A source.
   *
   * @param target the target database, named in the events
   * @param start where a fresh job starts; null when the job is always restored
   * @param marks told of each table that is loaded
   */
  public SyncSource(MySqlServer server, String target, StartPoint start, LoadMarks marks) {
    this.server = server;
    this.target = target;
    this.start = start;
    this.marks = marks;
  }

  @Override
  public Boundedness getBoundedness() {
    return Boundedness.CONTINUOUS_UNBOUNDED;
  }

  @Override
  public SourceReader<SyncEvent, SyncSplit> createReader(SourceReaderContext context) {
    TargetTables targets = new TargetTables(target, new TypeMapping(server.timeZone()));
    return new SyncReader(server, targets, context);
  }

  @Override
  public SplitEnumerator<SyncSplit, SyncState> createEnumerator(
      SplitEnumeratorContext<SyncSplit> context) {
    if (start == null) {
      throw new FlinkRuntimeException("the savepoint holds no state of the sync");
    }
    SyncSplit.Binlog binlog = new SyncSplit.Binlog(start.offset(), start.structures());
    SyncState state =
        new SyncState(
            new TreeSet<>(start.structures().tables().keySet()), List.of(), List.of(), binlog);
    return restoreEnumerator(context, state);
  }

  @Override
  public SplitEnumerator<SyncSplit, SyncState> restoreEnumerator(
      SplitEnumeratorContext<SyncSplit> context, SyncState state) {
    return new SyncEnumerator(server, marks, state, context);
  }

  @Override
  public SimpleVersionedSerializer<SyncSplit> getSplitSerializer() {
    return new SyncSplitSerializer();
  }

  @Override
  public SimpleVersionedSerializer<SyncState> getEnumeratorCheckpointSerializer() {
    return new SyncStateSerializer();
  }
}
