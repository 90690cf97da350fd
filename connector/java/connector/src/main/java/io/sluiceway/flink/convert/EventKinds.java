package io.sluiceway.flink.convert;

import org.apache.flink.types.RowKind;

/** Event codes of the changelog and Flink's kinds of rows. */
public final class EventKinds {
  private EventKinds() {}

  /** The kind of row that an event code stands for. */
  public static RowKind kind(int event) {
    return switch (event) {
      case 5 -> RowKind.INSERT;
      case 3 -> RowKind.UPDATE_BEFORE;
      case 7 -> RowKind.UPDATE_AFTER;
      case 2 -> RowKind.DELETE;
      default -> throw new IllegalArgumentException("unknown event code " + event);
    };
  }

  /** The event code of a kind of row, as {@code hg_binlog_event_type} shows it. */
  public static int code(RowKind kind) {
    return switch (kind) {
      case INSERT -> 5;
      case UPDATE_BEFORE -> 3;
      case UPDATE_AFTER -> 7;
      case DELETE -> 2;
    };
  }
}
