package io.sluiceway.flink.sync.source;

import io.sluiceway.flink.sync.mysql.SyncStoppedException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Collectors;

/** MariaDB's positions: for each domain the last transaction, {@code domain-server-number}. */
final class Gtids {
  private static final String KEY = "gtids";

  private Gtids() {}

  /**
   * The offset behind a transaction. That of a statement lies before it: Debezium reads it again.
   *
   * @param offset the offset of a record of the transaction
   * @param gtid the transaction's own id
   * @throws SyncStoppedException when the server gives none: the statement could not be passed
   */
  static Map<String, Object> behind(Map<String, Object> offset, String gtid)
      throws SyncStoppedException {
    if (gtid == null || gtid.isEmpty()) {
      throw new SyncStoppedException(
          "an ALTER TABLE with IF EXISTS or IF NOT EXISTS near %s has no GTID; %s"
              .formatted(offset, SyncStoppedException.LOAD_AGAIN));
    }
    String domain = gtid.substring(0, gtid.indexOf('-') + 1);
    String others =
        Arrays.stream(String.valueOf(offset.getOrDefault(KEY, "")).split(","))
            .filter(each -> !each.isBlank() && !each.startsWith(domain))
            .map(each -> "," + each)
            .collect(Collectors.joining());
    Map<String, Object> behind = new HashMap<>(offset);
    behind.put(KEY, gtid + others);
    behind.remove("event");
    behind.remove("row");
    return behind;
  }
}
