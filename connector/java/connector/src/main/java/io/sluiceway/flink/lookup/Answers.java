package io.sluiceway.flink.lookup;

import io.sluiceway.flink.convert.RowBatch;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.RowData.FieldGetter;
import org.apache.flink.table.data.utils.ProjectedRowData;
import org.apache.flink.table.runtime.typeutils.RowDataSerializer;
import org.apache.flink.table.types.logical.LogicalType;

/** Turns look-up rows into the keys that are sent, and what comes back into the rows of each. */
final class Answers {
  private final int[] keyPositions;
  private final Comparison[] comparisons;
  private final RowDataSerializer copier;

  /** A field of the look-up row that the row found must have too. */
  private record Comparison(FieldGetter wanted, FieldGetter found) implements Serializable {
    boolean holds(RowData key, RowData row) {
      Object value = wanted.getFieldOrNull(key);
      return value != null && Objects.deepEquals(value, found.getFieldOrNull(row));
    }
  }

  Answers(LookupPlan plan) {
    keyPositions = plan.primaryKeyPositions();
    int[] compared = plan.comparedPositions();
    comparisons = new Comparison[compared.length];
    for (int i = 0; i < compared.length; i++) {
      int field = plan.keyFields().get(compared[i]);
      LogicalType type = plan.rowType().getTypeAt(field);
      comparisons[i] =
          new Comparison(
              RowData.createFieldGetter(type.copy(true), compared[i]),
              RowData.createFieldGetter(type.copy(true), field));
    }
    copier = plan.options().cache() == null ? null : new RowDataSerializer(plan.rowType());
  }

  /** False when a NULL among the keys says that nothing can be found. */
  boolean canMatch(RowData keyRow) {
    for (int i = 0; i < keyRow.getArity(); i++) {
      if (keyRow.isNullAt(i)) {
        return false;
      }
    }
    return true;
  }

  /** The primary key in a look-up row. */
  RowData primaryKey(RowData keyRow) {
    return ProjectedRowData.from(keyPositions).replaceRow(keyRow);
  }

  /**
   * The rows found for each of the keys.
   *
   * <p>Rows are views of the answer; where a cache keeps them, they are copies.
   */
  List<Collection<RowData>> sort(RowBatch rows, List<RowData> keyRows) {
    List<Collection<RowData>> found = new ArrayList<>(keyRows.size());
    int row = 0;
    for (int key = 0; key < keyRows.size(); key++) {
      Collection<RowData> match = List.of();
      if (row < rows.rows() && rows.position(row) == key) {
        RowData candidate = rows.ownRow(row++);
        if (holds(keyRows.get(key), candidate)) {
          match = List.of(copier == null ? candidate : copier.copy(candidate));
        }
      }
      found.add(match);
    }
    return found;
  }

  private boolean holds(RowData key, RowData row) {
    for (Comparison comparison : comparisons) {
      if (!comparison.holds(key, row)) {
        return false;
      }
    }
    return true;
  }
}
