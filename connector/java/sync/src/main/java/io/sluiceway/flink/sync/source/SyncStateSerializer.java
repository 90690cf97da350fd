package io.sluiceway.flink.sync.source;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.core.io.SimpleVersionedSerializer;

/**
 * The enumerator's state in checkpoints, version 1: texts unplanned, int count and chunks queued,
 * texts unfinished, byte whether the binlog follows, and that.
 */
final class SyncStateSerializer implements SimpleVersionedSerializer<SyncState> {

  @Override
  public int getVersion() {
    return 1;
  }

  @Override
  public byte[] serialize(SyncState state) throws IOException {
    StateOutput out = new StateOutput();
    out.writeTexts(state.unplanned());
    out.writeInt(state.queued().size());
    for (SyncSplit.Chunk chunk : state.queued()) {
      SyncSplitSerializer.write(chunk, out);
    }
    out.writeTexts(state.unfinished());
    out.writeByte(state.binlog() == null ? 0 : 1);
    if (state.binlog() != null) {
      SyncSplitSerializer.write(state.binlog(), out);
    }
    return out.bytes();
  }

  @Override
  public SyncState deserialize(int version, byte[] bytes) throws IOException {
    SyncSplitSerializer.checkVersion(version);
    StateInput in = new StateInput(bytes);
    List<String> unplanned = in.readTexts();
    int count = in.readInt();
    List<SyncSplit.Chunk> queued = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      queued.add((SyncSplit.Chunk) SyncSplitSerializer.read(in));
    }
    List<String> unfinished = in.readTexts();
    SyncSplit.Binlog binlog =
        in.readByte() == 0 ? null : (SyncSplit.Binlog) SyncSplitSerializer.read(in);
    return new SyncState(unplanned, queued, unfinished, binlog);
  }
}
