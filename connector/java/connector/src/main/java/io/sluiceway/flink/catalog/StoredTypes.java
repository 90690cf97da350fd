package io.sluiceway.flink.catalog;

import io.sluiceway.flink.convert.ArrowTypes;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.table.types.logical.ArrayType;
import org.apache.flink.table.types.logical.LogicalType;

/** Which types of Flink a column can have, and what to use instead of the others. */
final class StoredTypes {
  private static final String OF_ELEMENTS = "an ARRAY holds values of one plain type";

  private StoredTypes() {}

  /**
   * Checks the type of a column.
   *
   * @throws ValidationException that names the column, the type and the cure
   */
  static void check(String column, LogicalType type) {
    if (type instanceof ArrayType array) {
      checkElement(column, type, array.getElementType());
    } else if (!ArrowTypes.isStored(type)) {
      throw refused(column, type, instead(type));
    }
  }

  private static void checkElement(String column, LogicalType type, LogicalType element) {
    if (!ArrowTypes.isStored(element)) {
      throw refused(column, type, OF_ELEMENTS + "; " + instead(element));
    }
    if (!element.isNullable()) {
      throw refused(
          column,
          type,
          "elements may always be NULL: declare ARRAY<%s>, or CAST a query's column to it"
              .formatted(element.copy(true).asSummaryString()));
    }
  }

  private static String instead(LogicalType type) {
    return switch (type.getTypeRoot()) {
      case ROW, STRUCTURED_TYPE -> "use a column for each field, or STRING with JSON_OBJECT(…)";
      case MAP, MULTISET -> "use an ARRAY for the keys and one for the values, or STRING with JSON";
      case ARRAY -> "use STRING with JSON for an array of arrays";
      case TIMESTAMP_WITH_TIME_ZONE -> "use TIMESTAMP_LTZ";
      case INTERVAL_DAY_TIME, INTERVAL_YEAR_MONTH -> "use BIGINT with a unit of its own";
      default -> "use " + ArrowTypes.STORED;
    };
  }

  private static ValidationException refused(String column, LogicalType type, String cure) {
    return new ValidationException(
        "[0A000] column \"%s\" of type %s cannot be stored: %s"
            .formatted(column, type.copy(true).asSummaryString(), cure));
  }
}
