package io.sluiceway.flink.source;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;

/** Pieces that the formats of the connector's states are made of. */
public final class StateBytes {
  private StateBytes() {}

  static void writeText(DataOutput out, String text) throws IOException {
    out.writeBoolean(text != null);
    if (text != null) {
      out.writeUTF(text);
    }
  }

  static String readText(DataInput in) throws IOException {
    return in.readBoolean() ? in.readUTF() : null;
  }

  /** Refuses state that another version of the connector wrote. */
  public static void checkVersion(String what, int version, int newest) throws IOException {
    if (version != newest) {
      throw new IOException(
          "checkpoint with a %s of version %d, not %d: restore it with the connector that wrote it"
              .formatted(what, version, newest));
    }
  }
}
