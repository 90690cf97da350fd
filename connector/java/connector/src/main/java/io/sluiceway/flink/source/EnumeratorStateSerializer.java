package io.sluiceway.flink.source;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.core.io.SimpleVersionedSerializer;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.core.memory.DataOutputSerializer;

/**
 * Writes the enumerator's state into checkpoints.
 *
 * <p>Version 1, big-endian: int shards, byte 1 and a modified UTF-8 hold or byte 0, long snapshot
 * LSN, int version of the splits, int count, then for each split int length and its bytes.
 */
final class EnumeratorStateSerializer implements SimpleVersionedSerializer<EnumeratorState> {
  static final EnumeratorStateSerializer INSTANCE = new EnumeratorStateSerializer();
  private static final int VERSION = 1;

  private EnumeratorStateSerializer() {}

  @Override
  public int getVersion() {
    return VERSION;
  }

  @Override
  public byte[] serialize(EnumeratorState state) throws IOException {
    DataOutputSerializer out = new DataOutputSerializer(128);
    out.writeInt(state.shards());
    StateBytes.writeText(out, state.hold());
    out.writeLong(state.snapshotLsn());
    out.writeInt(ShardSplitSerializer.INSTANCE.getVersion());
    out.writeInt(state.pending().size());
    for (ShardSplit split : state.pending()) {
      byte[] bytes = ShardSplitSerializer.INSTANCE.serialize(split);
      out.writeInt(bytes.length);
      out.write(bytes);
    }
    return out.getCopyOfBuffer();
  }

  @Override
  public EnumeratorState deserialize(int version, byte[] bytes) throws IOException {
    StateBytes.checkVersion("enumerator", version, VERSION);
    DataInputDeserializer in = new DataInputDeserializer(bytes);
    int shards = in.readInt();
    String hold = StateBytes.readText(in);
    long snapshotLsn = in.readLong();
    int splitVersion = in.readInt();
    List<ShardSplit> pending = new ArrayList<>();
    for (int left = in.readInt(); left > 0; left--) {
      byte[] split = new byte[in.readInt()];
      in.readFully(split);
      pending.add(ShardSplitSerializer.INSTANCE.deserialize(splitVersion, split));
    }
    return new EnumeratorState(shards, hold, snapshotLsn, pending);
  }
}
