package io.sluiceway.flink.client;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sluiceway.flink.convert.OwnColumns;
import java.util.List;

/** What a DoGet stream is asked for (docs/wire.md, "Reading"). */
public sealed interface StreamRequest {

  /** The JSON ticket. */
  byte[] ticket();

  /** What its batches have before the columns asked for. */
  OwnColumns own();

  /**
   * Rows visible at an LSN, in birth order.
   *
   * @param from the position to start at
   * @param hold name of the lease that keeps the snapshot, or null
   * @param partitions partitions outside of one of these are left out
   */
  record Scan(
      String database,
      String table,
      int tableId,
      int shard,
      long lsn,
      List<String> columns,
      long from,
      String hold,
      int batchRows,
      List<PartitionRange> partitions)
      implements StreamRequest {
    @Override
    public byte[] ticket() {
      ObjectNode json = Json.object();
      ObjectNode scan =
          json.putObject("scan")
              .put("database", database)
              .put("table", table)
              .put("table_id", tableId)
              .put("shard", shard)
              .put("lsn", lsn);
      scan.set("columns", Json.strings(columns));
      scan.put("from", from).put("hold", hold).put("batch_rows", batchRows);
      ArrayNode ranges = scan.putArray("partitions");
      partitions.forEach(range -> ranges.add(range.json()));
      return Json.bytes(json);
    }

    @Override
    public OwnColumns own() {
      return OwnColumns.NONE;
    }
  }

  /**
   * Events from an LSN on.
   *
   * @param until the LSN after which the stream ends, or null to wait for more for ever
   */
  record Changelog(
      String database,
      String table,
      int tableId,
      int shard,
      long from,
      Long until,
      List<String> columns,
      int batchRows,
      int heartbeatMs)
      implements StreamRequest {
    @Override
    public byte[] ticket() {
      ObjectNode json = Json.object();
      ObjectNode changelog =
          json.putObject("changelog")
              .put("database", database)
              .put("table", table)
              .put("table_id", tableId)
              .put("shard", shard)
              .put("from", from)
              .put("until", until);
      changelog.set("columns", Json.strings(columns));
      changelog.put("batch_rows", batchRows).put("heartbeat_ms", heartbeatMs);
      return Json.bytes(json);
    }

    @Override
    public OwnColumns own() {
      return OwnColumns.CHANGE;
    }
  }
}
