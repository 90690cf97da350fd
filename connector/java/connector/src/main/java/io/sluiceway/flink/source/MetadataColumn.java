package io.sluiceway.flink.source;

import io.sluiceway.flink.api.TableDefinition;
import io.sluiceway.flink.convert.EventKinds;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.types.DataType;
import org.apache.flink.table.types.logical.RowType;

/**
 * Columns that every table offers as {@code METADATA VIRTUAL}, with Hologres' names.
 *
 * <p>A row of a snapshot has event type 5, the snapshot's LSN and no time.
 */
enum MetadataColumn {
  LSN("hg_binlog_lsn", DataTypes.BIGINT()),
  EVENT_TYPE("hg_binlog_event_type", DataTypes.BIGINT()),
  TIMESTAMP_US("hg_binlog_timestamp_us", DataTypes.BIGINT()),
  SHARD_ID("hg_shard_id", DataTypes.INT()),
  DB_NAME("db_name", DataTypes.STRING()),
  TABLE_NAME("table_name", DataTypes.STRING());

  private final String key;
  private final DataType type;

  MetadataColumn(String key, DataType type) {
    this.key = key;
    this.type = type;
  }

  /** All columns by their names in SQL. */
  static Map<String, DataType> types() {
    return Arrays.stream(values())
        .collect(Collectors.toMap(c -> c.key, c -> c.type, (a, b) -> a, LinkedHashMap::new));
  }

  static MetadataColumn of(String key) {
    return Arrays.stream(values())
        .filter(column -> column.key.equals(key))
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("no metadata column " + key));
  }

  /** The column of a row type. */
  RowType.RowField field() {
    return new RowType.RowField(key, type.getLogicalType());
  }

  /** Reads the column of rows of one table. */
  Reader reader(TableDefinition table) {
    StringData databaseName = StringData.fromString(table.database());
    StringData tableName = StringData.fromString(table.name());
    return switch (this) {
      case LSN -> ShardBatch::lsn;
      case EVENT_TYPE -> (batch, row) -> (long) EventKinds.code(batch.kind(row));
      case TIMESTAMP_US -> ShardBatch::timeMicros;
      case SHARD_ID -> (batch, row) -> batch.split().shard();
      case DB_NAME -> (batch, row) -> databaseName;
      case TABLE_NAME -> (batch, row) -> tableName;
    };
  }

  /** Answers a column's value of a row in Flink's internal form. */
  interface Reader {
    Object value(ShardBatch batch, int row);
  }
}
