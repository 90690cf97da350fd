package io.sluiceway.flink.sync.event;

import org.apache.flink.api.common.serialization.SerializerConfig;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeutils.TypeSerializer;

/** The type of the stream between source and writer. */
public final class SyncEventTypeInfo extends TypeInformation<SyncEvent> {
  private static final long serialVersionUID = 1;

  @Override
  public boolean isBasicType() {
    return false;
  }

  @Override
  public boolean isTupleType() {
    return false;
  }

  @Override
  public int getArity() {
    return 1;
  }

  @Override
  public int getTotalFields() {
    return 1;
  }

  @Override
  public Class<SyncEvent> getTypeClass() {
    return SyncEvent.class;
  }

  @Override
  public boolean isKeyType() {
    return false;
  }

  @Override
  public TypeSerializer<SyncEvent> createSerializer(SerializerConfig config) {
    return SyncEventSerializer.INSTANCE;
  }

  @Override
  public String toString() {
    return "SyncEvent";
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof SyncEventTypeInfo;
  }

  @Override
  public int hashCode() {
    return SyncEventTypeInfo.class.hashCode();
  }

  @Override
  public boolean canEqual(Object other) {
    return other instanceof SyncEventTypeInfo;
  }
}
