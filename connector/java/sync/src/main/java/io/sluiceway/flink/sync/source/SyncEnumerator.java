package io.sluiceway.flink.sync.source;

import static java.util.stream.Collectors.toSet;

import io.sluiceway.flink.sync.mysql.MySqlServer;
import io.sluiceway.flink.sync.sink.LoadMarks;
import io.sluiceway.flink.sync.source.SyncReader.ChunksAcknowledged;
import io.sluiceway.flink.sync.source.SyncReader.ChunksDurable;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.flink.api.connector.source.SourceEvent;
import org.apache.flink.api.connector.source.SplitEnumerator;
import org.apache.flink.api.connector.source.SplitEnumeratorContext;
import org.apache.flink.util.FlinkRuntimeException;

/**
 * Hands out the chunks of all tables, then the binlog.
 *
 * <p>A row of a chunk may be newer than the binlog's start, but must never overwrite a row of the
 * binlog. So the binlog is given to a reader only when a completed checkpoint covers every chunk:
 * by then the writers have flushed them.
 */
final class SyncEnumerator implements SplitEnumerator<SyncSplit, SyncState> {
  private final SplitEnumeratorContext<SyncSplit> context;
  private final ChunkPlanner planner;
  private final LoadMarks marks;
  private final Deque<String> unplanned;
  private final Deque<SyncSplit.Chunk> queued;
  private final Set<String> unfinished;
  private final Deque<Integer> waiting = new ArrayDeque<>();
  private SyncSplit.Binlog binlog;
  private int openMarks;

  SyncEnumerator(
      MySqlServer server,
      LoadMarks marks,
      SyncState state,
      SplitEnumeratorContext<SyncSplit> context) {
    this.context = context;
    this.planner = new ChunkPlanner(server);
    this.marks = marks;
    this.unplanned = new ArrayDeque<>(state.unplanned());
    this.queued = new ArrayDeque<>(state.queued());
    this.unfinished = new LinkedHashSet<>(state.unfinished());
    this.binlog = state.binlog();
  }

  @Override
  public void start() {
    planNext();
    if (binlog != null) {
      markLoaded(binlog.structures().tables().keySet());
    }
  }

  private void planNext() {
    String table = unplanned.peek();
    if (table != null) {
      context.callAsync(
          () -> planner.plan(table, binlog.structures()),
          (chunks, failure) -> {
            rethrow("cannot cut table " + table, failure);
            unplanned.remove();
            queued.addAll(chunks);
            assign();
            planNext();
          });
    }
  }

  @Override
  public void handleSplitRequest(int subtask, String host) {
    waiting.add(subtask);
    assign();
  }

  @Override
  public void addReader(int subtask) {}

  @Override
  public void addSplitsBack(List<SyncSplit> splits, int subtask) {
    waiting.removeIf(reader -> reader == subtask);
    for (SyncSplit split : splits) {
      if (split instanceof SyncSplit.Chunk chunk) {
        unfinished.remove(chunk.splitId());
        queued.addFirst(chunk);
      } else {
        binlog = (SyncSplit.Binlog) split;
      }
    }
    assign();
  }

  @Override
  public void handleSourceEvent(int subtask, SourceEvent event) {
    if (event instanceof ChunksDurable durable) {
      unfinished.removeAll(durable.chunks());
      context.sendEventToSourceReader(subtask, new ChunksAcknowledged(durable.chunks()));
      markLoaded(durable.chunks().stream().map(SyncSplit::tableOf).collect(toSet()));
    }
  }

  /** Tells the warehouse which tables are loaded; the binlog waits for that. */
  private void markLoaded(Set<String> tables) {
    List<String> loaded = tables.stream().filter(this::isLoaded).toList();
    openMarks++;
    context.callAsync(
        () -> {
          marks.add(loaded);
          return loaded;
        },
        (done, failure) -> {
          rethrow("cannot note the loaded tables", failure);
          openMarks--;
          assign();
        });
  }

  private boolean isLoaded(String table) {
    Stream<String> open =
        Stream.concat(queued.stream().map(SyncSplit.Chunk::splitId), unfinished.stream());
    return !unplanned.contains(table) && open.map(SyncSplit::tableOf).noneMatch(table::equals);
  }

  private void assign() {
    while (!waiting.isEmpty() && !queued.isEmpty()) {
      SyncSplit.Chunk chunk = queued.poll();
      unfinished.add(chunk.splitId());
      context.assignSplit(chunk, waiting.poll());
    }
    boolean isLoaded = unplanned.isEmpty() && queued.isEmpty() && unfinished.isEmpty();
    if (isLoaded && openMarks == 0 && binlog != null && !waiting.isEmpty()) {
      context.assignSplit(binlog, waiting.poll());
      binlog = null;
    }
  }

  @Override
  public SyncState snapshotState(long checkpoint) {
    return new SyncState(unplanned, queued, unfinished, binlog);
  }

  private static void rethrow(String what, Throwable failure) {
    if (failure != null) {
      throw new FlinkRuntimeException(what + ": " + failure.getMessage(), failure);
    }
  }

  @Override
  public void close() {}
}
