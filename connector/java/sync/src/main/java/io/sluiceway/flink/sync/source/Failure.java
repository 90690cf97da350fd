package io.sluiceway.flink.sync.source;

/**
 * What a failure of Debezium means. It tells kinds apart by their texts alone, so these are
 * compared; tests make each of them.
 */
final class Failure {
  private static final String PURGED_AT_START = "no longer available on the server";
  private static final String PURGED_CODE = "Error code: 1236";
  private static final String UNKNOWN_TABLE = "schema isn't known to this connector";

  private Failure() {}

  /** The binlog at the position that is wanted has been deleted. */
  static boolean isPurged(Throwable failure) {
    return says(failure, PURGED_AT_START) || says(failure, PURGED_CODE);
  }

  /** Rows came of a table that no statement and no checkpoint told of. */
  static boolean isUnknownTable(Throwable failure) {
    return says(failure, UNKNOWN_TABLE);
  }

  static Throwable root(Throwable failure) {
    Throwable root = failure;
    while (root.getCause() != null) {
      root = root.getCause();
    }
    return root;
  }

  private static boolean says(Throwable failure, String text) {
    for (Throwable each = failure; each != null; each = each.getCause()) {
      if (String.valueOf(each.getMessage()).contains(text)) {
        return true;
      }
    }
    return false;
  }
}
