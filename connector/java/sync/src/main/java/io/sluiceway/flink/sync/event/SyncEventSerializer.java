package io.sluiceway.flink.sync.event;

import java.io.IOException;
import org.apache.flink.api.common.typeutils.SimpleTypeSerializerSnapshot;
import org.apache.flink.api.common.typeutils.TypeSerializerSnapshot;
import org.apache.flink.api.common.typeutils.base.TypeSerializerSingleton;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;

/**
 * Passes events from the source to the writer chained to it.
 *
 * <p>The order of rows and schema changes is the sync's invariant, and one thread keeps it: source
 * and writer are one chain, events never travel and are never part of a checkpoint. Serialising one
 * is therefore an error of the job's set-up.
 */
final class SyncEventSerializer extends TypeSerializerSingleton<SyncEvent> {
  private static final long serialVersionUID = 1;
  static final SyncEventSerializer INSTANCE = new SyncEventSerializer();

  @Override
  public boolean isImmutableType() {
    return true;
  }

  @Override
  public SyncEvent createInstance() {
    return null;
  }

  @Override
  public SyncEvent copy(SyncEvent from) {
    return from;
  }

  @Override
  public SyncEvent copy(SyncEvent from, SyncEvent reuse) {
    return from;
  }

  @Override
  public int getLength() {
    return -1;
  }

  @Override
  public void serialize(SyncEvent event, DataOutputView target) throws IOException {
    throw broken();
  }

  @Override
  public SyncEvent deserialize(DataInputView source) throws IOException {
    throw broken();
  }

  @Override
  public SyncEvent deserialize(SyncEvent reuse, DataInputView source) throws IOException {
    throw broken();
  }

  @Override
  public void copy(DataInputView source, DataOutputView target) throws IOException {
    throw broken();
  }

  private static IOException broken() {
    return new IOException(
        "the sync's source and writer are not chained: set pipeline.operator-chaining.enabled");
  }

  @Override
  public TypeSerializerSnapshot<SyncEvent> snapshotConfiguration() {
    return new Snapshot();
  }

  /** Nothing to remember: events are in no state. */
  public static final class Snapshot extends SimpleTypeSerializerSnapshot<SyncEvent> {
    public Snapshot() {
      super(() -> INSTANCE);
    }
  }
}
