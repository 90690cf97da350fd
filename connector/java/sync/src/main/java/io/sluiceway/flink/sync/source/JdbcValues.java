package io.sluiceway.flink.sync.source;

import io.sluiceway.flink.sync.event.TableShape;
import io.sluiceway.flink.sync.mysql.SyncStoppedException;
import java.math.BigDecimal;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.ZoneOffset;
import org.apache.flink.table.data.DecimalData;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.types.logical.DecimalType;
import org.apache.flink.table.types.logical.LogicalType;

/**
 * Flink's rows of a JDBC result. {@link ConnectValues} must give the same for the same row.
 *
 * <p>Zero dates read as NULL, and as the epoch where the column does not allow it: so does
 * Debezium.
 */
final class JdbcValues {
  private final TableShape shape;
  private final boolean[] isInstant;
  private final ZoneId timeZone;

  /**
   * {@code isInstant} marks the TIMESTAMP columns, which the session reads in UTC; they become
   * local times of {@code timeZone} unless that is null.
   */
  JdbcValues(TableShape shape, boolean[] isInstant, ZoneId timeZone) {
    this.shape = shape;
    this.isInstant = isInstant;
    this.timeZone = timeZone;
  }

  GenericRowData row(ResultSet result) throws SQLException, SyncStoppedException {
    GenericRowData row = new GenericRowData(shape.types().size());
    for (int i = 0; i < row.getArity(); i++) {
      row.setField(i, value(result, i, shape.types().get(i)));
    }
    return row;
  }

  private Object value(ResultSet result, int field, LogicalType type)
      throws SQLException, SyncStoppedException {
    int column = field + 1;
    Object value =
        switch (type.getTypeRoot()) {
          case SMALLINT -> result.getShort(column);
          case INTEGER -> result.getInt(column);
          case BIGINT -> result.getLong(column);
          case FLOAT -> result.getFloat(column);
          case DOUBLE -> result.getDouble(column);
          case BOOLEAN -> result.getBoolean(column);
          case DECIMAL -> decimal(result.getBigDecimal(column), (DecimalType) type);
          case VARCHAR -> StringData.fromString(result.getString(column));
          case VARBINARY -> result.getBytes(column);
          case DATE -> date(result.getObject(column, LocalDate.class));
          case TIME_WITHOUT_TIME_ZONE -> time(result.getObject(column, Duration.class), field);
          case TIMESTAMP_WITHOUT_TIME_ZONE, TIMESTAMP_WITH_LOCAL_TIME_ZONE ->
              timestamp(result.getObject(column, LocalDateTime.class), field);
          default -> throw new SyncStoppedException("no conversion to " + type);
        };
    if (result.wasNull()) {
      return type.isNullable() ? null : epoch(type);
    }
    return value;
  }

  private static DecimalData decimal(BigDecimal value, DecimalType type) {
    return value == null
        ? null
        : DecimalData.fromBigDecimal(value, type.getPrecision(), type.getScale());
  }

  private static Integer date(LocalDate date) {
    return date == null ? null : (int) date.toEpochDay();
  }

  private Integer time(Duration time, int field) throws SyncStoppedException {
    return time == null
        ? null
        : Times.millisOfDay(time.toNanos() / 1000, shape.columns().get(field));
  }

  private TimestampData timestamp(LocalDateTime local, int field) {
    if (local == null) {
      return null;
    }
    if (isInstant[field] && timeZone != null) {
      return TimestampData.fromLocalDateTime(
          local.atOffset(ZoneOffset.UTC).atZoneSameInstant(timeZone).toLocalDateTime());
    }
    return TimestampData.fromLocalDateTime(local);
  }

  private static Object epoch(LogicalType type) {
    return switch (type.getTypeRoot()) {
      case DATE -> 0;
      case TIMESTAMP_WITHOUT_TIME_ZONE, TIMESTAMP_WITH_LOCAL_TIME_ZONE ->
          TimestampData.fromEpochMillis(0);
      default -> null;
    };
  }
}
