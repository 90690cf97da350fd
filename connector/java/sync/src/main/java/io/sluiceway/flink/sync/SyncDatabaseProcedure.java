package io.sluiceway.flink.sync;

import io.sluiceway.flink.api.CatalogContext;
import org.apache.flink.table.annotation.ArgumentHint;
import org.apache.flink.table.annotation.DataTypeHint;
import org.apache.flink.table.annotation.ProcedureHint;
import org.apache.flink.table.procedure.ProcedureContext;
import org.apache.flink.table.procedures.Procedure;
import org.apache.flink.types.Row;

/** {@code CALL sys.sync_database(…)}: docs/sync.md. */
public final class SyncDatabaseProcedure implements Procedure {
  private final CatalogContext catalog;

  SyncDatabaseProcedure(CatalogContext catalog) {
    this.catalog = catalog;
  }

  @ProcedureHint(
      arguments = {
        @ArgumentHint(name = "hostname", type = @DataTypeHint("STRING")),
        @ArgumentHint(name = "port", type = @DataTypeHint("INT"), isOptional = true),
        @ArgumentHint(name = "username", type = @DataTypeHint("STRING")),
        @ArgumentHint(name = "password", type = @DataTypeHint("STRING"), isOptional = true),
        @ArgumentHint(name = "database", type = @DataTypeHint("STRING")),
        @ArgumentHint(name = "target_database", type = @DataTypeHint("STRING"), isOptional = true),
        @ArgumentHint(name = "server_id", type = @DataTypeHint("STRING"), isOptional = true),
        @ArgumentHint(name = "including_tables", type = @DataTypeHint("STRING"), isOptional = true),
        @ArgumentHint(name = "excluding_tables", type = @DataTypeHint("STRING"), isOptional = true),
        @ArgumentHint(name = "wait", type = @DataTypeHint("STRING"), isOptional = true),
        @ArgumentHint(name = "timeout", type = @DataTypeHint("STRING"), isOptional = true),
        @ArgumentHint(name = "parallelism", type = @DataTypeHint("INT"), isOptional = true),
        @ArgumentHint(name = "time_zone", type = @DataTypeHint("STRING"), isOptional = true),
        @ArgumentHint(name = "server_kind", type = @DataTypeHint("STRING"), isOptional = true),
        @ArgumentHint(name = "replace", type = @DataTypeHint("BOOLEAN"), isOptional = true),
        @ArgumentHint(name = "savepoint", type = @DataTypeHint("STRING"), isOptional = true)
      },
      output = @DataTypeHint("ROW<job_id STRING, status STRING, message STRING>"))
  public Row[] call(
      ProcedureContext context,
      String hostname,
      Integer port,
      String username,
      String password,
      String database,
      String targetDatabase,
      String serverId,
      String includingTables,
      String excludingTables,
      String wait,
      String timeout,
      Integer parallelism,
      String timeZone,
      String serverKind,
      Boolean replace,
      String savepoint)
      throws Exception {
    SyncRequest request =
        SyncRequest.of(
            new SyncRequest.Arguments(
                hostname,
                port,
                username,
                password,
                database,
                targetDatabase,
                serverId,
                includingTables,
                excludingTables,
                wait,
                timeout,
                parallelism,
                timeZone,
                serverKind,
                replace,
                savepoint));
    return new Row[] {new DatabaseSync(catalog, request).start()};
  }
}
