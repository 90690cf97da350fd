package io.sluiceway.flink.sync;

import io.sluiceway.flink.api.CatalogContext;
import io.sluiceway.flink.api.Retry;
import io.sluiceway.flink.api.Warehouse;
import io.sluiceway.flink.sync.sink.LoadMarks;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.table.annotation.ArgumentHint;
import org.apache.flink.table.annotation.DataTypeHint;
import org.apache.flink.table.annotation.ProcedureHint;
import org.apache.flink.table.procedure.ProcedureContext;
import org.apache.flink.table.procedures.Procedure;
import org.apache.flink.types.Row;

/**
 * {@code CALL sys.sync_status()}: the syncs of the session's cluster, and how many of their tables
 * are loaded.
 */
public final class SyncStatusProcedure implements Procedure {
  private final CatalogContext catalog;

  SyncStatusProcedure(CatalogContext catalog) {
    this.catalog = catalog;
  }

  @ProcedureHint(
      arguments = {
        @ArgumentHint(name = "job_id", type = @DataTypeHint("STRING"), isOptional = true)
      },
      output = @DataTypeHint("ROW<job_id STRING, status STRING, message STRING>"))
  public Row[] call(ProcedureContext context, String jobId) throws Exception {
    List<Row> rows = new ArrayList<>();
    try (Warehouse warehouse = Warehouse.connect(catalog.endpoint(), Retry.DEFAULT)) {
      for (JobOverview.Job job : JobOverview.of(catalog.configuration()).jobs()) {
        String target = SyncJob.targetOf(job.name());
        if (target != null && (jobId == null || jobId.equals(job.id()))) {
          rows.add(row(warehouse, job, target));
        }
      }
    }
    return rows.toArray(Row[]::new);
  }

  private Row row(Warehouse warehouse, JobOverview.Job job, String target) throws IOException {
    LoadMarks marks = new LoadMarks(catalog.endpoint(), target);
    String message =
        "%s: %s, %d loaded".formatted(job.name(), marks.plan(warehouse), marks.count(warehouse));
    return Row.of(job.id(), job.state(), message);
  }
}
