package io.sluiceway.flink.sink;

import org.apache.flink.api.dag.Transformation;
import org.apache.flink.streaming.api.operators.SimpleOperatorFactory;
import org.apache.flink.streaming.api.operators.StreamOperator;
import org.apache.flink.streaming.api.transformations.OneInputTransformation;
import org.apache.flink.streaming.api.transformations.PartitionTransformation;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.runtime.operators.sink.SinkUpsertMaterializer;
import org.apache.flink.table.runtime.operators.sink.constraint.ConstraintEnforcer;

/**
 * The operators that the planner puts between a query and its sink: the check of NOT NULL and
 * lengths, a shuffle by key, the materialiser of late updates, timestamps. They are found by their
 * classes; whatever else stands there is the query's, and left alone.
 */
final class SinkInput {
  private static final String SINK_OPERATORS = SinkUpsertMaterializer.class.getPackageName();

  private SinkInput() {}

  /** Whether updates come as −D and +I, since a materialiser, the one with state, has made them. */
  static boolean isMaterialized(Transformation<?> input) {
    if (!isOfSink(input, operator(input))) {
      return false;
    }
    return input instanceof OneInputTransformation<?, ?> one && one.getStateKeySelector() != null
        || isMaterialized(input.getInputs().get(0));
  }

  /**
   * The same operators, the check of constraints replaced.
   *
   * @param check the new check
   */
  static Transformation<RowData> withCheck(
      Transformation<RowData> input, ConstraintEnforcer check) {
    StreamOperator<?> operator = operator(input);
    if (operator instanceof ConstraintEnforcer) {
      return copy((OneInputTransformation<?, RowData>) input, before(input), check);
    }
    if (!isOfSink(input, operator)) {
      return input;
    }
    Transformation<RowData> before = before(input);
    Transformation<RowData> changed = withCheck(before, check);
    if (changed == before) {
      return input;
    }
    return on(changed, input);
  }

  /** The operator or shuffle {@code input} on other rows. */
  static Transformation<RowData> on(Transformation<RowData> before, Transformation<RowData> input) {
    return input instanceof PartitionTransformation<RowData> shuffle
        ? copy(shuffle, before)
        : copy((OneInputTransformation<?, RowData>) input, before, null);
  }

  private static boolean isOfSink(Transformation<?> input, StreamOperator<?> operator) {
    return input instanceof PartitionTransformation<?>
        || operator != null && operator.getClass().getPackageName().equals(SINK_OPERATORS);
  }

  static StreamOperator<?> operator(Transformation<?> input) {
    return input instanceof OneInputTransformation<?, ?> one
            && one.getOperatorFactory() instanceof SimpleOperatorFactory<?> simple
        ? simple.getOperator()
        : null;
  }

  @SuppressWarnings("unchecked") // operators of a sink take rows and give rows
  static Transformation<RowData> before(Transformation<RowData> input) {
    return (Transformation<RowData>) input.getInputs().get(0);
  }

  private static Transformation<RowData> copy(
      PartitionTransformation<RowData> shuffle, Transformation<RowData> before) {
    return named(
        shuffle,
        new PartitionTransformation<>(before, shuffle.getPartitioner(), shuffle.getExchangeMode()));
  }

  @SuppressWarnings("unchecked") // as above
  private static Transformation<RowData> copy(
      OneInputTransformation<?, RowData> from,
      Transformation<RowData> before,
      ConstraintEnforcer check) {
    OneInputTransformation<RowData, RowData> old = (OneInputTransformation<RowData, RowData>) from;
    OneInputTransformation<RowData, RowData> made =
        new OneInputTransformation<>(
            before,
            old.getName(),
            check == null ? old.getOperatorFactory() : SimpleOperatorFactory.of(check),
            old.getOutputType(),
            old.getParallelism(),
            old.isParallelismConfigured());
    if (old.getStateKeySelector() != null) {
      made.setStateKeySelector(old.getStateKeySelector());
      made.setStateKeyType(old.getStateKeyType());
    }
    return named(old, made);
  }

  private static Transformation<RowData> named(
      Transformation<RowData> old, Transformation<RowData> made) {
    made.setName(old.getName());
    made.setDescription(old.getDescription());
    made.setParallelism(old.getParallelism(), old.isParallelismConfigured());
    if (old.getUid() != null) {
      made.setUid(old.getUid());
    }
    return made;
  }
}
