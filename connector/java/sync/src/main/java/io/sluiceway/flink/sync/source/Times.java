package io.sluiceway.flink.sync.source;

import io.sluiceway.flink.sync.mysql.SyncStoppedException;

/** Conversions that both ways of reading share. */
final class Times {
  private static final long DAY_US = 86_400_000_000L;

  private Times() {}

  /** Milliseconds since midnight; a MySQL TIME may also be a span that no TIME of SQL can hold. */
  static int millisOfDay(long micros, String column) throws SyncStoppedException {
    if (micros < 0 || micros >= DAY_US) {
      throw new SyncStoppedException(
          ("column %s holds a TIME of %d microseconds, outside of one day; "
                  + "leave the table out with excluding_tables => …")
              .formatted(column, micros));
    }
    return (int) (micros / 1000);
  }

  static byte[] reversed(byte[] bytes) {
    byte[] reversed = new byte[bytes.length];
    for (int i = 0; i < bytes.length; i++) {
      reversed[i] = bytes[bytes.length - 1 - i];
    }
    return reversed;
  }
}
