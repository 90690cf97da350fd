package io.sluiceway.flink.sync.source;

import io.sluiceway.flink.sync.mysql.Structures;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.Map;
import java.util.TreeMap;
import org.apache.flink.core.memory.DataOutputSerializer;

/**
 * Writes the values of the source's state. {@link StateInput} reads them back.
 *
 * <p>Numbers are big-endian. Text is an int length, -1 for null, and UTF-8. A collection is an int
 * count and its elements. A value of an offset is a byte, 0 text, 1 long, 2 int, 3 boolean, and the
 * value.
 */
final class StateOutput {
  static final byte TEXT = 0;
  static final byte LONG = 1;
  static final byte INT = 2;
  static final byte BOOLEAN = 3;

  private final DataOutputSerializer out = new DataOutputSerializer(512);

  byte[] bytes() {
    return out.getCopyOfBuffer();
  }

  void writeByte(int value) throws IOException {
    out.writeByte(value);
  }

  void writeInt(int value) throws IOException {
    out.writeInt(value);
  }

  void writeText(String text) throws IOException {
    if (text == null) {
      out.writeInt(-1);
      return;
    }
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    out.writeInt(utf8.length);
    out.write(utf8);
  }

  void writeTexts(Collection<String> texts) throws IOException {
    out.writeInt(texts.size());
    for (String text : texts) {
      writeText(text);
    }
  }

  void writeStructures(Structures structures) throws IOException {
    writeTexts(structures.settings());
    Map<String, String> tables = new TreeMap<>(structures.tables());
    out.writeInt(tables.size());
    for (Map.Entry<String, String> table : tables.entrySet()) {
      writeText(table.getKey());
      writeText(table.getValue());
    }
  }

  void writeOffset(Map<String, Object> offset) throws IOException {
    out.writeInt(offset.size());
    for (Map.Entry<String, Object> entry : new TreeMap<>(offset).entrySet()) {
      writeText(entry.getKey());
      writeValue(entry.getValue());
    }
  }

  private void writeValue(Object value) throws IOException {
    if (value instanceof Long number) {
      out.writeByte(LONG);
      out.writeLong(number);
    } else if (value instanceof Integer number) {
      out.writeByte(INT);
      out.writeInt(number);
    } else if (value instanceof Boolean flag) {
      out.writeByte(BOOLEAN);
      out.writeBoolean(flag);
    } else {
      out.writeByte(TEXT);
      writeText((String) value);
    }
  }
}
