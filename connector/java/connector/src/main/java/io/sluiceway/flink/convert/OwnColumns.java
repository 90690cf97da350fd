package io.sluiceway.flink.convert;

/**
 * What stands before a user's columns in the batches of a stream, found by position: a user's
 * columns may have the same names (docs/wire.md).
 */
public enum OwnColumns {
  /** Nothing: a scan. */
  NONE(0),
  /** Event, LSN and time: a changelog. */
  CHANGE(3),
  /** The row of the request: a look-up. */
  POSITION(1);

  private final int count;

  OwnColumns(int count) {
    this.count = count;
  }

  int count() {
    return count;
  }
}
