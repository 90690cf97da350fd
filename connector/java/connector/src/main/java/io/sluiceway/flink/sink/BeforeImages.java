package io.sluiceway.flink.sink;

import io.sluiceway.flink.source.SluicewaySource;
import org.apache.flink.api.common.functions.Function;
import org.apache.flink.api.dag.Transformation;
import org.apache.flink.streaming.api.operators.AbstractUdfStreamOperator;
import org.apache.flink.streaming.api.transformations.OneInputTransformation;
import org.apache.flink.streaming.api.transformations.PartitionTransformation;
import org.apache.flink.streaming.api.transformations.SourceTransformation;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.runtime.operators.misc.DropUpdateBeforeFunction;

/**
 * Brings back before images that the planner drops before an inner look-up join.
 *
 * <p>Such a join gives nothing for a new image that finds no partner, and the sink can learn only
 * from the old image that the row is to go. The planner thinks that a sink which takes upserts
 * needs no old images, also where such a join lies between, so the operator that drops them is left
 * out here. It is looked for behind operators without state alone, which hand on each row's kind.
 */
final class BeforeImages {
  private BeforeImages() {}

  /**
   * The same operators, without the one that drops before images if an inner look-up join follows.
   *
   * @throws ValidationException when a table is read without before images and one follows
   */
  static Transformation<RowData> kept(Transformation<RowData> input) {
    return kept(input, false);
  }

  /**
   * Whether no before image can come: the sink needs no state then, and a plan that changes (since
   * a column was widened) can be restored.
   */
  static boolean areDropped(Transformation<RowData> input) {
    return function(input) instanceof DropUpdateBeforeFunction
        || isStateless(input) && areDropped(SinkInput.before(input));
  }

  private static Transformation<RowData> kept(Transformation<RowData> input, boolean joined) {
    if (joined && function(input) instanceof DropUpdateBeforeFunction) {
      return SinkInput.before(input);
    }
    if (joined && input instanceof SourceTransformation<?, ?, ?> source) {
      check(source);
    }
    if (!isStateless(input)) {
      return input;
    }
    Transformation<RowData> before = SinkInput.before(input);
    Transformation<RowData> changed = kept(before, joined || isInnerLookup(input));
    return changed == before ? input : SinkInput.on(changed, input);
  }

  private static void check(SourceTransformation<?, ?, ?> read) {
    if (read.getSource() instanceof SluicewaySource source && source.leavesOutBeforeImages()) {
      throw new ValidationException(
          ("[0A000] %s is read without before images, and through an inner look-up join: a row that"
                  + " finds no partner any more would stay for ever. Read it with"
                  + " 'source.binlog.change-log-mode' = 'ALL'")
              .formatted(source.tableName()));
    }
  }

  private static boolean isStateless(Transformation<?> input) {
    return input instanceof PartitionTransformation<?>
        || input instanceof OneInputTransformation<?, ?> one && one.getStateKeySelector() == null;
  }

  /** The operator of an asynchronous look-up hides its function, so the plan's own words count. */
  private static boolean isInnerLookup(Transformation<?> input) {
    String plan = String.valueOf(input.getDescription());
    return plan.contains("LookupJoin(") && plan.contains("joinType=[InnerJoin]");
  }

  private static Function function(Transformation<?> input) {
    return SinkInput.operator(input) instanceof AbstractUdfStreamOperator<?, ?> operator
        ? operator.getUserFunction()
        : null;
  }
}
