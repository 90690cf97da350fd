package io.sluiceway.flink.sink;

import static org.apache.flink.table.api.config.ExecutionConfigOptions.TABLE_EXEC_SINK_NESTED_CONSTRAINT_ENFORCER;
import static org.apache.flink.table.api.config.ExecutionConfigOptions.TABLE_EXEC_SINK_NOT_NULL_ENFORCER;
import static org.apache.flink.table.api.config.ExecutionConfigOptions.TABLE_EXEC_SINK_TYPE_LENGTH_ENFORCER;

import io.sluiceway.flink.api.TableDefinition;
import io.sluiceway.flink.api.WarehouseException;
import java.util.Optional;
import org.apache.flink.configuration.ReadableConfig;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.runtime.operators.sink.constraint.ConstraintEnforcer;
import org.apache.flink.table.runtime.operators.sink.constraint.ConstraintEnforcerExecutor;
import org.apache.flink.table.runtime.operators.sink.constraint.EnforcerException;

/**
 * Flink's check of NOT NULL and lengths, whose failures end the job: with Flink's own a job that
 * has checkpoints starts again for ever, at the same row.
 */
final class RefusingEnforcer extends ConstraintEnforcer {
  private static final long serialVersionUID = 1;

  private final TableDefinition table;

  RefusingEnforcer(TableDefinition table, ConstraintEnforcerExecutor constraints) {
    super(constraints, "constraints of " + table.name());
    this.table = table;
  }

  /** What a session wants of the columns of a table, if there is anything to check. */
  static Optional<RefusingEnforcer> of(TableDefinition table, ReadableConfig session) {
    return ConstraintEnforcerExecutor.create(
            table.rowType(),
            session.get(TABLE_EXEC_SINK_NOT_NULL_ENFORCER),
            session.get(TABLE_EXEC_SINK_TYPE_LENGTH_ENFORCER),
            session.get(TABLE_EXEC_SINK_NESTED_CONSTRAINT_ENFORCER))
        .map(constraints -> new RefusingEnforcer(table, constraints));
  }

  @Override
  public void processElement(StreamRecord<RowData> row) throws Exception {
    try {
      super.processElement(row);
    } catch (EnforcerException e) {
      int column = table.indexOf(e.getColumnName());
      boolean isNull = column >= 0 && row.getValue().isNullAt(column);
      String state = isNull ? "23502" : "22001";
      throw WarehouseException.answered(
          state,
          "[%s] table \"%s.%s\": %s"
              .formatted(state, table.database(), table.name(), e.getMessage()),
          false);
    }
  }
}
