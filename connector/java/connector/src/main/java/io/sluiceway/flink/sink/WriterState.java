package io.sluiceway.flink.sink;

import java.util.List;
import org.apache.flink.table.data.binary.BinaryRowData;

/**
 * What a writer leaves in a checkpoint: the before images that still wait. All else is durable.
 *
 * @param parallelism that of the sink; the writer of another one may not get the rows that would
 *     end the waits
 * @param held keys, the longest wait first
 */
record WriterState(int parallelism, List<BinaryRowData> held) {
  WriterState {
    held = List.copyOf(held);
  }
}
