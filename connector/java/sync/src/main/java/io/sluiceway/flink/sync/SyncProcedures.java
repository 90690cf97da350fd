package io.sluiceway.flink.sync;

import io.sluiceway.flink.api.CatalogContext;
import io.sluiceway.flink.api.ProcedureProvider;
import java.util.Map;
import org.apache.flink.table.procedures.Procedure;

/** The procedures of this jar. */
public final class SyncProcedures implements ProcedureProvider {
  @Override
  public Map<String, Procedure> procedures(CatalogContext context) {
    return Map.of(
        "sync_database", new SyncDatabaseProcedure(context),
        "sync_status", new SyncStatusProcedure(context));
  }
}
