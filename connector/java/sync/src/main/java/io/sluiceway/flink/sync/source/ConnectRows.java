package io.sluiceway.flink.sync.source;

import io.sluiceway.flink.sync.event.TableShape;
import io.sluiceway.flink.sync.mysql.DdlStatement;
import io.sluiceway.flink.sync.mysql.DdlStatement.Kind;
import io.sluiceway.flink.sync.mysql.DdlStatement.TableChange;
import io.sluiceway.flink.sync.mysql.SyncStoppedException;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.table.data.GenericRowData;
import org.apache.kafka.connect.data.Field;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.Struct;

/** Reads what Debezium puts into its records. */
final class ConnectRows {
  private final ConnectValues values;
  private Schema lastSchema;
  private TableShape lastShape;
  private Field[] fields;

  ConnectRows(ZoneId timeZone) {
    values = new ConnectValues(timeZone);
  }

  /** A row image in the order of {@code shape}. */
  GenericRowData row(Struct image, TableShape shape) throws SyncStoppedException {
    if (image.schema() != lastSchema || shape != lastShape) {
      fields = fields(image.schema(), shape);
      lastSchema = image.schema();
      lastShape = shape;
    }
    GenericRowData row = new GenericRowData(fields.length);
    for (int i = 0; i < fields.length; i++) {
      Object value = image.getWithoutDefault(fields[i].name());
      row.setField(i, values.convert(value, fields[i], shape.types().get(i)));
    }
    return row;
  }

  private static Field[] fields(Schema schema, TableShape shape) throws SyncStoppedException {
    Field[] fields = new Field[shape.columns().size()];
    for (int i = 0; i < fields.length; i++) {
      fields[i] = schema.field(shape.columns().get(i));
      if (fields[i] == null) {
        throw new SyncStoppedException(
            "a row of %s has no column %s: set binlog_row_image to FULL"
                .formatted(shape.table(), shape.columns().get(i)));
      }
    }
    return fields;
  }

  /** The statement of a schema change record. */
  static DdlStatement statement(Struct value) {
    List<TableChange> changes = new ArrayList<>();
    for (Object each : value.getArray("tableChanges")) {
      Struct change = (Struct) each;
      String[] id = change.getString("id").replaceAll("^\"|\"$", "").split("\"\\.\"");
      Kind kind = Kind.valueOf(change.getString("type"));
      changes.add(new TableChange(kind, id[0], id[id.length - 1]));
    }
    Struct source = value.getStruct("source");
    String database = value.getString("databaseName");
    return new DdlStatement(
        database == null ? "" : database,
        value.getString("ddl"),
        changes,
        source.getString("file") + ":" + source.getInt64("pos"));
  }
}
