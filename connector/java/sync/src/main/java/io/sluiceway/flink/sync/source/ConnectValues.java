package io.sluiceway.flink.sync.source;

import io.sluiceway.flink.sync.mysql.SqlText;
import io.sluiceway.flink.sync.mysql.SyncStoppedException;
import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneId;
import java.util.Set;
import org.apache.flink.table.data.DecimalData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.types.logical.DecimalType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.kafka.connect.data.Field;

/**
 * Flink's value of one field of a Debezium record. {@link JdbcValues} must give the same for the
 * same row.
 */
final class ConnectValues {
  private static final String MICROS = "io.debezium.time.MicroTimestamp";
  private static final String YEAR = "io.debezium.time.Year";
  private static final String BITS = "io.debezium.data.Bits";
  private static final Set<String> OPTIONS =
      Set.of("io.debezium.data.Enum", "io.debezium.data.EnumSet");

  private final ZoneId timeZone;

  /** {@code timeZone}: in which TIMESTAMP becomes a local time, or null. */
  ConnectValues(ZoneId timeZone) {
    this.timeZone = timeZone;
  }

  Object convert(Object value, Field field, LogicalType type) throws SyncStoppedException {
    if (value == null) {
      return null;
    }
    return switch (type.getTypeRoot()) {
      case SMALLINT -> number(value).shortValue();
      case INTEGER -> year(number(value).intValue(), field);
      case BIGINT -> number(value).longValue();
      case FLOAT -> number(value).floatValue();
      case DOUBLE -> number(value).doubleValue();
      case DECIMAL -> decimal(value, (DecimalType) type);
      case BOOLEAN -> value instanceof Boolean b ? b : number(value).intValue() != 0;
      case VARCHAR -> StringData.fromString(text(value, field));
      case VARBINARY -> bytes(value, field);
      case DATE -> number(value).intValue();
      case TIME_WITHOUT_TIME_ZONE -> Times.millisOfDay(number(value).longValue(), field.name());
      case TIMESTAMP_WITHOUT_TIME_ZONE, TIMESTAMP_WITH_LOCAL_TIME_ZONE -> timestamp(value, field);
      default -> throw new SyncStoppedException("no conversion to " + type);
    };
  }

  /** A binlog counts years from 1900, and 0 for year 0; MySQL has no year 1900. */
  private static int year(int number, Field field) {
    return YEAR.equals(field.schema().name()) && number == 1900 ? 0 : number;
  }

  private static Number number(Object value) {
    return value instanceof Boolean b ? (Number) (b ? 1 : 0) : (Number) value;
  }

  private static DecimalData decimal(Object value, DecimalType type) {
    BigDecimal number = value instanceof BigDecimal d ? d : new BigDecimal(value.toString());
    return DecimalData.fromBigDecimal(number, type.getPrecision(), type.getScale());
  }

  /**
   * The value of an ENUM or SET is made of its options, which Debezium keeps as they were written.
   */
  private static String text(Object value, Field field) {
    if (value instanceof BigDecimal d) {
      return d.toPlainString();
    }
    String text = value.toString();
    return field.schema().name() != null && OPTIONS.contains(field.schema().name())
        ? SqlText.value(text)
        : text;
  }

  /** The bytes of a value that Debezium gives in one of two ways. */
  static byte[] bytes(Object value) {
    if (!(value instanceof ByteBuffer buffer)) {
      return (byte[]) value;
    }
    byte[] bytes = new byte[buffer.remaining()];
    buffer.duplicate().get(bytes);
    return bytes;
  }

  private static byte[] bytes(Object value, Field field) {
    byte[] bytes = bytes(value);
    return BITS.equals(field.schema().name()) ? Times.reversed(bytes) : bytes;
  }

  private TimestampData timestamp(Object value, Field field) {
    if (value instanceof String text) {
      Instant instant = OffsetDateTime.parse(text).toInstant();
      return timeZone == null
          ? TimestampData.fromInstant(instant)
          : TimestampData.fromLocalDateTime(LocalDateTime.ofInstant(instant, timeZone));
    }
    long number = ((Number) value).longValue();
    return MICROS.equals(field.schema().name())
        ? TimestampData.fromEpochMillis(
            Math.floorDiv(number, 1000), (int) Math.floorMod(number, 1000L) * 1000)
        : TimestampData.fromEpochMillis(number);
  }
}
