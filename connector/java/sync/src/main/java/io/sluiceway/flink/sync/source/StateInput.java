package io.sluiceway.flink.sync.source;

import io.sluiceway.flink.sync.mysql.Structures;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.flink.core.memory.DataInputDeserializer;

/** Reads what {@link StateOutput} wrote. */
final class StateInput {
  private final DataInputDeserializer in;

  StateInput(byte[] bytes) {
    in = new DataInputDeserializer(bytes);
  }

  byte readByte() throws IOException {
    return in.readByte();
  }

  int readInt() throws IOException {
    return in.readInt();
  }

  String readText() throws IOException {
    int length = in.readInt();
    if (length < 0) {
      return null;
    }
    byte[] utf8 = new byte[length];
    in.readFully(utf8);
    return new String(utf8, StandardCharsets.UTF_8);
  }

  List<String> readTexts() throws IOException {
    int count = in.readInt();
    List<String> texts = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      texts.add(readText());
    }
    return texts;
  }

  Structures readStructures() throws IOException {
    List<String> settings = readTexts();
    int count = in.readInt();
    Map<String, String> tables = new HashMap<>();
    for (int i = 0; i < count; i++) {
      tables.put(readText(), readText());
    }
    return new Structures(settings, tables);
  }

  Map<String, Object> readOffset() throws IOException {
    int count = in.readInt();
    Map<String, Object> offset = new HashMap<>();
    for (int i = 0; i < count; i++) {
      offset.put(readText(), readValue());
    }
    return offset;
  }

  private Object readValue() throws IOException {
    byte kind = in.readByte();
    return switch (kind) {
      case StateOutput.TEXT -> readText();
      case StateOutput.LONG -> in.readLong();
      case StateOutput.INT -> in.readInt();
      case StateOutput.BOOLEAN -> in.readBoolean();
      default -> throw new IOException("unknown kind of offset value " + kind);
    };
  }
}
