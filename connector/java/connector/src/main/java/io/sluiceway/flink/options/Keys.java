package io.sluiceway.flink.options;

import io.sluiceway.flink.api.Retry;
import java.time.Duration;

/** Keys of the options that every use of a warehouse shares. */
final class Keys {
  static final String CONNECTOR = "connector";
  static final String ENDPOINT = "endpoint";
  static final String DATABASE = "dbname";
  static final String TABLE = "tablename";
  static final String SNAPSHOT_LSN = "source.snapshot-lsn";

  private static final Duration FIRST_PAUSE = Duration.ofMillis(200);

  private Keys() {}

  static Retry retry(Options options) {
    Duration most = Duration.ofMillis(options.number("retry-sleep-step-ms"));
    Duration step = most.compareTo(FIRST_PAUSE) < 0 ? most : FIRST_PAUSE;
    return new Retry(1 + options.integer("retry-count"), step, most);
  }

  /** {@code order_dw} of {@code order_dw@init_warehouse}: the suffix names a group of machines. */
  static String database(String text) {
    int at = text.indexOf('@');
    return at < 0 ? text : text.substring(0, at);
  }
}
