package io.sluiceway.flink.source;

import java.io.IOException;
import org.apache.flink.core.io.SimpleVersionedSerializer;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.core.memory.DataOutputSerializer;

/**
 * Writes splits into checkpoints.
 *
 * <p>Version 1, big-endian: int table id, int shard, byte phase (0 snapshot, 1 changelog), byte 1
 * and a modified UTF-8 hold or byte 0, long snapshot LSN, long birth ordinal, int emitted, long
 * next LSN.
 */
final class ShardSplitSerializer implements SimpleVersionedSerializer<ShardSplit> {
  static final ShardSplitSerializer INSTANCE = new ShardSplitSerializer();
  private static final int VERSION = 1;

  private ShardSplitSerializer() {}

  @Override
  public int getVersion() {
    return VERSION;
  }

  @Override
  public byte[] serialize(ShardSplit split) throws IOException {
    DataOutputSerializer out = new DataOutputSerializer(64);
    out.writeInt(split.tableId());
    out.writeInt(split.shard());
    out.writeByte(split.phase().ordinal());
    StateBytes.writeText(out, split.hold());
    out.writeLong(split.snapshotLsn());
    out.writeLong(split.from());
    out.writeInt(split.emitted());
    out.writeLong(split.next());
    return out.getCopyOfBuffer();
  }

  @Override
  public ShardSplit deserialize(int version, byte[] bytes) throws IOException {
    StateBytes.checkVersion("split", version, VERSION);
    DataInputDeserializer in = new DataInputDeserializer(bytes);
    return new ShardSplit(
        in.readInt(),
        in.readInt(),
        ShardSplit.Phase.values()[in.readByte()],
        StateBytes.readText(in),
        in.readLong(),
        in.readLong(),
        in.readInt(),
        in.readLong());
  }
}
