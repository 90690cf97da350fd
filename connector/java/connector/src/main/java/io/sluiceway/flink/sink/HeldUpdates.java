package io.sluiceway.flink.sink;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.flink.table.data.binary.BinaryRowData;
import org.apache.flink.types.RowKind;

/**
 * Keys whose newest row was a before image, until it is known what became of it.
 *
 * <p>Of an update that passes a filter before and after, Flink gives −U and +U; of one that leaves
 * it, −U alone: then the row is to go. The two of a pair come in their order, but rows of other
 * keys may lie between them, and a network buffer, a look-up under way or a checkpoint. So a before
 * image waits. What ends the wait is a row of the same key, or time: ticks of the task, so that a
 * task that is stopped, or waits for its server, does not use it up.
 *
 * <p>Invariant: keys are held in the order of their last before image, each at most once. Used by
 * the task's thread alone.
 */
final class HeldUpdates {
  /** Keys held at most; then the oldest count as alone before their time. */
  static final int MOST = 1 << 18;

  private final long waitTicks;
  private final boolean deletesToo;
  private final LinkedHashMap<BinaryRowData, Long> heldAt = new LinkedHashMap<>();
  private long ticks;

  /**
   * Holds nothing yet.
   *
   * @param waitTicks whole ticks that a before image waits
   * @param deletesToo whether a delete waits too: a materialiser gives −D and +I for an update
   */
  HeldUpdates(long waitTicks, boolean deletesToo) {
    this.waitTicks = waitTicks;
    this.deletesToo = deletesToo;
  }

  /** Whether a row of this kind waits. */
  boolean takes(RowKind kind) {
    return kind == RowKind.UPDATE_BEFORE || deletesToo && kind == RowKind.DELETE;
  }

  /** Takes a row by its key, which is copied. */
  void hold(BinaryRowData key) {
    heldAt.remove(key);
    heldAt.put(key.copy(), ticks);
  }

  /** Takes a key from a checkpoint whose wait is over: the rows that would end it go elsewhere. */
  void holdNoLonger(BinaryRowData key) {
    heldAt.put(key, ticks - waitTicks - 1);
  }

  /** Another row of this key has come. */
  void settle(BinaryRowData key) {
    heldAt.remove(key);
  }

  boolean isEmpty() {
    return heldAt.isEmpty();
  }

  /** The keys held, oldest first, for a checkpoint. */
  List<BinaryRowData> keys() {
    return List.copyOf(heldAt.keySet());
  }

  /** Counts a tick, and lets go the keys that have waited long enough or are too many. */
  List<BinaryRowData> tick() {
    ticks++;
    List<BinaryRowData> alone = new ArrayList<>();
    Iterator<Map.Entry<BinaryRowData, Long>> oldest = heldAt.entrySet().iterator();
    while (oldest.hasNext()) {
      Map.Entry<BinaryRowData, Long> next = oldest.next();
      if (ticks - next.getValue() <= waitTicks && heldAt.size() <= MOST) {
        break;
      }
      alone.add(next.getKey());
      oldest.remove();
    }
    return alone;
  }

  /** Lets go all keys. */
  List<BinaryRowData> drain() {
    List<BinaryRowData> alone = new ArrayList<>(heldAt.keySet());
    heldAt.clear();
    return alone;
  }
}
