package io.sluiceway.flink.sync.mysql;

import io.debezium.relational.Table;
import io.debezium.relational.TableId;
import io.debezium.relational.Tables;
import io.debezium.relational.ddl.DdlParser;
import java.util.List;

/** Structures from DDL, as the server would send it. */
public final class Definitions {
  static final String DATABASE = "shop";

  private Definitions() {}

  static MySqlServer server() {
    return new MySqlServer(
        "h",
        3306,
        "u",
        "p",
        DATABASE,
        Dialect.MARIADB,
        1,
        "orders.*|big",
        "orders_old",
        false,
        null);
  }

  static TargetTables targets() {
    return new TargetTables("dw", new TypeMapping(null));
  }

  /** The structure of table {@code t} after the statements. */
  static Table table(String... statements) {
    DdlParser parser = Dialect.MARIADB.parser();
    Tables tables = new Tables();
    parser.setCurrentSchema(DATABASE);
    for (String statement : statements) {
      parser.parse(statement, tables);
    }
    return tables.forTable(new TableId(DATABASE, null, "t"));
  }

  /** Structures that hold {@code t}, under settings as the start point reads them. */
  public static Structures structures(String create) {
    return Structures.of(List.of("SET character_set_server=utf8mb4"), List.of(table(create)));
  }
}
