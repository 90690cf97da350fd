package io.sluiceway.flink.sync.mysql;

import java.util.List;

/**
 * One statement of the binlog that is not rows.
 *
 * @param database the session's database, or empty
 * @param text the statement
 * @param tables what it does to tables, of any database
 * @param position where it stands in the binlog; the same each time it is read
 */
public record DdlStatement(
    String database, String text, List<TableChange> tables, String position) {

  /** What happens to one table. */
  public enum Kind {
    CREATE,
    ALTER,
    DROP
  }

  /** One table that a statement changes. */
  public record TableChange(Kind kind, String database, String table) {}
}
