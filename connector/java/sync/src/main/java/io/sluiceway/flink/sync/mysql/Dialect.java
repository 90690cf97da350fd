package io.sluiceway.flink.sync.mysql;

import io.debezium.connector.mariadb.MariaDbConnector;
import io.debezium.connector.mariadb.MariaDbConnectorTask;
import io.debezium.connector.mariadb.antlr.MariaDbAntlrDdlParser;
import io.debezium.connector.mariadb.charset.MariaDbCharsetRegistry;
import io.debezium.connector.mysql.MySqlConnector;
import io.debezium.connector.mysql.MySqlConnectorTask;
import io.debezium.connector.mysql.antlr.MySqlAntlrDdlParser;
import io.debezium.connector.mysql.charset.MySqlCharsetRegistry;
import io.debezium.relational.Tables.TableFilter;
import io.debezium.relational.ddl.DdlParser;
import org.apache.kafka.connect.source.SourceTask;

/** The two servers that speak this protocol, and what differs between them. */
public enum Dialect {
  MARIADB,
  MYSQL;

  /** Tells the server from its version text. */
  public static Dialect of(String version) {
    return version.toLowerCase().contains("mariadb") ? MARIADB : MYSQL;
  }

  /** A parser of this server's DDL that fails on what it cannot read and keeps comments. */
  DdlParser parser() {
    TableFilter all = TableFilter.includeAll();
    return this == MARIADB
        ? new MariaDbAntlrDdlParser(true, false, true, all, new MariaDbCharsetRegistry())
        : new MySqlAntlrDdlParser(true, false, true, all, new MySqlCharsetRegistry());
  }

  /** A Debezium task that follows this server's binlog. */
  public SourceTask task() {
    return this == MARIADB ? new MariaDbConnectorTask() : new MySqlConnectorTask();
  }

  /** Debezium's name of the connector. */
  public String connectorClass() {
    return this == MARIADB ? MariaDbConnector.class.getName() : MySqlConnector.class.getName();
  }

  /** The privilege that reads the binlog's position. */
  String positionPrivilege() {
    return this == MARIADB ? "BINLOG MONITOR" : "REPLICATION CLIENT";
  }
}
