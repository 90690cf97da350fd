package io.sluiceway.flink.sync.source;

import io.sluiceway.flink.sync.mysql.Structures;
import java.io.IOException;
import java.util.Map;
import org.apache.flink.core.io.SimpleVersionedSerializer;

/**
 * Splits in checkpoints, version 1.
 *
 * <pre>
 * byte 0, chunk:  text table, int number, structures, text lower, text upper, byte finished
 * byte 1, binlog: offset, structures
 * </pre>
 */
final class SyncSplitSerializer implements SimpleVersionedSerializer<SyncSplit> {
  private static final int VERSION = 1;
  private static final byte CHUNK = 0;
  private static final byte BINLOG = 1;

  @Override
  public int getVersion() {
    return VERSION;
  }

  @Override
  public byte[] serialize(SyncSplit split) throws IOException {
    StateOutput out = new StateOutput();
    write(split, out);
    return out.bytes();
  }

  @Override
  public SyncSplit deserialize(int version, byte[] bytes) throws IOException {
    checkVersion(version);
    return read(new StateInput(bytes));
  }

  static void checkVersion(int version) throws IOException {
    if (version != VERSION) {
      throw new IOException("state of version " + version + " was written by a newer sync");
    }
  }

  static void write(SyncSplit split, StateOutput out) throws IOException {
    if (split instanceof SyncSplit.Chunk chunk) {
      out.writeByte(CHUNK);
      out.writeText(chunk.table());
      out.writeInt(chunk.number());
      out.writeStructures(chunk.structure());
      out.writeText(chunk.lower());
      out.writeText(chunk.upper());
      out.writeByte(chunk.finished() ? 1 : 0);
    } else {
      SyncSplit.Binlog binlog = (SyncSplit.Binlog) split;
      out.writeByte(BINLOG);
      out.writeOffset(binlog.offset());
      out.writeStructures(binlog.structures());
    }
  }

  static SyncSplit read(StateInput in) throws IOException {
    byte kind = in.readByte();
    if (kind == CHUNK) {
      String table = in.readText();
      int number = in.readInt();
      Structures structure = in.readStructures();
      String lower = in.readText();
      String upper = in.readText();
      return new SyncSplit.Chunk(table, number, structure, lower, upper, in.readByte() == 1);
    }
    if (kind == BINLOG) {
      Map<String, Object> offset = in.readOffset();
      return new SyncSplit.Binlog(offset, in.readStructures());
    }
    throw new IOException("unknown kind of split " + kind);
  }
}
