package io.sluiceway.flink.sync.source;

import io.debezium.spi.converter.CustomConverter;
import io.debezium.spi.converter.RelationalColumn;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Properties;
import java.util.UUID;
import org.apache.kafka.connect.data.SchemaBuilder;

/**
 * Reads MariaDB's UUID from the binlog.
 *
 * <p>A binlog cuts the zero bytes at the end of a value of fixed length. Debezium puts them back
 * for BINARY, but at the wrong end for UUID.
 */
public final class UuidConverter implements CustomConverter<SchemaBuilder, RelationalColumn> {
  private static final int BYTES = 16;

  @Override
  public void configure(Properties properties) {}

  @Override
  public void converterFor(
      RelationalColumn column, ConverterRegistration<SchemaBuilder> registration) {
    if (column.typeName().equalsIgnoreCase("UUID")) {
      registration.register(SchemaBuilder.string().optional(), UuidConverter::text);
    }
  }

  private static Object text(Object value) {
    if (value == null || value instanceof String) {
      return value;
    }
    ByteBuffer whole = ByteBuffer.wrap(Arrays.copyOf(ConnectValues.bytes(value), BYTES));
    return new UUID(whole.getLong(), whole.getLong()).toString();
  }
}
