package io.sluiceway.flink.sink;

import io.sluiceway.flink.api.ColumnDefinition;
import io.sluiceway.flink.api.TableDefinition;
import java.util.List;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.binary.BinaryRowData;
import org.apache.flink.table.data.utils.ProjectedRowData;
import org.apache.flink.table.runtime.typeutils.RowDataSerializer;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.types.RowKind;

/**
 * Takes the primary key out of rows, and makes the rows that delete by it.
 *
 * <p>Two keys are the same if their bytes are. Used by one thread.
 */
final class RowKeys {
  private final int width;
  private final int[] positions;
  private final RowData.FieldGetter[] fields;
  private final ProjectedRowData projection;
  private final RowDataSerializer serializer;

  /**
   * Of the rows of a writer.
   *
   * @param columns names of the columns that a row has, the whole primary key among them
   */
  RowKeys(TableDefinition table, List<String> columns) {
    this.width = columns.size();
    this.positions = table.primaryKey().stream().mapToInt(columns::indexOf).toArray();
    LogicalType[] types =
        table.primaryKey().stream()
            .map(name -> table.columns().get(table.indexOf(name)))
            .map(ColumnDefinition::type)
            .toArray(LogicalType[]::new);
    this.fields = new RowData.FieldGetter[types.length];
    for (int i = 0; i < types.length; i++) {
      fields[i] = RowData.createFieldGetter(types[i], i);
    }
    this.projection = ProjectedRowData.from(positions);
    this.serializer = new RowDataSerializer(types);
  }

  /** The key of a row; the next call overwrites it. */
  BinaryRowData of(RowData row) {
    BinaryRowData key = serializer.toBinaryRow(projection.replaceRow(row));
    key.setRowKind(RowKind.INSERT); // a part of the bytes
    return key;
  }

  /** A row that deletes this key; all but the key is NULL. */
  RowData deletion(BinaryRowData key) {
    GenericRowData row = new GenericRowData(RowKind.DELETE, width);
    for (int i = 0; i < fields.length; i++) {
      row.setField(positions[i], fields[i].getFieldOrNull(key));
    }
    return row;
  }
}
