package io.sluiceway.flink.sink;

import io.sluiceway.flink.source.StateBytes;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.core.io.SimpleVersionedSerializer;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.core.memory.DataOutputSerializer;
import org.apache.flink.core.memory.MemorySegmentFactory;
import org.apache.flink.table.data.binary.BinaryRowData;

/**
 * Writes a writer's state into checkpoints.
 *
 * <p>Version 1, big-endian: int parallelism, int fields of a key, int keys; a key is an int size
 * and the bytes of Flink's binary row.
 */
final class WriterStateSerializer implements SimpleVersionedSerializer<WriterState> {
  static final WriterStateSerializer INSTANCE = new WriterStateSerializer();
  private static final int VERSION = 1;

  private WriterStateSerializer() {}

  @Override
  public int getVersion() {
    return VERSION;
  }

  @Override
  public byte[] serialize(WriterState state) throws IOException {
    List<BinaryRowData> keys = state.held();
    DataOutputSerializer out = new DataOutputSerializer(64);
    out.writeInt(state.parallelism());
    out.writeInt(keys.isEmpty() ? 0 : keys.get(0).getArity());
    out.writeInt(keys.size());
    for (BinaryRowData key : keys) {
      byte[] bytes = new byte[key.getSizeInBytes()];
      key.getSegments()[0].get(key.getOffset(), bytes);
      out.writeInt(bytes.length);
      out.write(bytes);
    }
    return out.getCopyOfBuffer();
  }

  @Override
  public WriterState deserialize(int version, byte[] state) throws IOException {
    StateBytes.checkVersion("sink", version, VERSION);
    DataInputDeserializer in = new DataInputDeserializer(state);
    int parallelism = in.readInt();
    int fields = in.readInt();
    int count = in.readInt();
    List<BinaryRowData> keys = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      byte[] bytes = new byte[in.readInt()];
      in.readFully(bytes);
      BinaryRowData key = new BinaryRowData(fields);
      key.pointTo(MemorySegmentFactory.wrap(bytes), 0, bytes.length);
      keys.add(key);
    }
    return new WriterState(parallelism, keys);
  }
}
