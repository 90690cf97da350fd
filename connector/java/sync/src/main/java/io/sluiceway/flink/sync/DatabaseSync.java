package io.sluiceway.flink.sync;

import io.debezium.relational.Table;
import io.sluiceway.flink.api.CatalogContext;
import io.sluiceway.flink.api.Retry;
import io.sluiceway.flink.api.TableDefinition;
import io.sluiceway.flink.api.Warehouse;
import io.sluiceway.flink.sync.mysql.Dialect;
import io.sluiceway.flink.sync.mysql.MySqlServer;
import io.sluiceway.flink.sync.mysql.Preflight;
import io.sluiceway.flink.sync.mysql.StartPoint;
import io.sluiceway.flink.sync.mysql.SyncStoppedException;
import io.sluiceway.flink.sync.mysql.TargetTables;
import io.sluiceway.flink.sync.mysql.TypeMapping;
import io.sluiceway.flink.sync.sink.LoadMarks;
import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.flink.api.common.JobStatus;
import org.apache.flink.core.execution.JobClient;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.types.Row;

/** Checks, creates the target tables, and starts the job of one sync. */
final class DatabaseSync {
  private static final Duration POLL = Duration.ofMillis(200);

  private final CatalogContext catalog;
  private final SyncRequest request;
  private final TargetTables targets;
  private final LoadMarks marks;

  DatabaseSync(CatalogContext catalog, SyncRequest request) {
    this.catalog = catalog;
    this.request = request;
    this.targets = new TargetTables(request.target(), new TypeMapping(request.server().timeZone()));
    this.marks = new LoadMarks(catalog.endpoint(), request.target());
  }

  /** Starts the job, and waits for the load when asked to: ROW(job_id, status, message). */
  Row start() throws Exception {
    SyncJob.checkConfiguration(catalog.configuration());
    try (Connection connection = connect();
        Warehouse warehouse = Warehouse.connect(catalog.endpoint(), Retry.DEFAULT)) {
      MySqlServer server =
          request.server().found(dialect(connection), Preflight.ignoresCase(connection));
      StartPoint start =
          request.savepoint() == null ? prepare(server, connection, warehouse) : null;
      SyncJob job = new SyncJob(catalog, server, request, start, marks);
      JobClient client = job.submit();
      if (!request.waitForLoad() || start == null) {
        return row(client, "submitted", "the load goes on: CALL sys.sync_status()");
      }
      int tables = start.structures().tables().size();
      awaitLoad(client, warehouse, tables);
      return row(client, "loaded", tables + " tables of " + server.label() + " are loaded");
    }
  }

  private Connection connect() {
    try {
      return request.server().connect();
    } catch (SQLException e) {
      throw new ValidationException(
          "cannot connect to %s as %s: %s"
              .formatted(request.server().label(), request.server().username(), e.getMessage()));
    }
  }

  private Dialect dialect(Connection connection) throws SQLException {
    Dialect given = request.server().dialect();
    return given == null ? Preflight.dialect(connection) : given;
  }

  private StartPoint prepare(MySqlServer server, Connection connection, Warehouse warehouse)
      throws SQLException, IOException {
    Preflight preflight = new Preflight(server, connection);
    List<String> names = preflight.tables();
    List<String> problems = new ArrayList<>(preflight.problems());
    refuse(server, problems);
    StartPoint start = StartPoint.read(server, connection, names);
    List<TableDefinition> definitions = new ArrayList<>();
    for (String name : names) {
      Table table = start.structures().table(name);
      List<String> ofTable = targets.problems(table);
      problems.addAll(ofTable);
      if (ofTable.isEmpty()) {
        definitions.add(targets.definition(table));
      }
    }
    problems.addAll(existing(warehouse, definitions));
    refuse(server, problems);
    createTargets(warehouse, definitions);
    return start;
  }

  /** A row deleted in the source before this load would stay for ever in a table that exists. */
  private List<String> existing(Warehouse warehouse, List<TableDefinition> definitions)
      throws IOException {
    if (request.replace() || !warehouse.databases().contains(request.target())) {
      return List.of();
    }
    Map<String, Long> rows = warehouse.rowCounts(request.target());
    return definitions.stream()
        .filter(table -> rows.containsKey(table.name()))
        .map(
            table ->
                ("table %s.%s exists already with %d rows: "
                        + "sync with replace => true to drop it, or resume with savepoint => '…'")
                    .formatted(request.target(), table.name(), rows.get(table.name())))
        .toList();
  }

  private void createTargets(Warehouse warehouse, List<TableDefinition> definitions)
      throws IOException {
    warehouse.createDatabase(request.target(), null, true);
    for (TableDefinition table : definitions) {
      if (request.replace()) {
        warehouse.dropTable(table.database(), table.name(), true);
      }
      warehouse.createTable(table, false);
    }
    marks.reset(warehouse, definitions.size());
  }

  private static void refuse(MySqlServer server, List<String> problems)
      throws SyncStoppedException {
    if (!problems.isEmpty()) {
      throw new SyncStoppedException(
          "%s cannot be synced:\n  %s".formatted(server.label(), String.join("\n  ", problems)));
    }
  }

  private void awaitLoad(JobClient client, Warehouse warehouse, int tables) throws Exception {
    long deadline = System.nanoTime() + request.timeout().toNanos();
    while (marks.count(warehouse) < tables) {
      JobStatus status = client.getJobStatus().get();
      if (status.isGloballyTerminalState()) {
        client.getJobExecutionResult().get();
        throw new SyncStoppedException("job " + client.getJobID() + " is " + status);
      }
      if (System.nanoTime() > deadline) {
        throw new SyncStoppedException(
            "not loaded after %s; job %s goes on: CALL sys.sync_status()"
                .formatted(request.timeout(), client.getJobID()));
      }
      Thread.sleep(POLL.toMillis());
    }
  }

  private static Row row(JobClient client, String status, String message) {
    return Row.of(client.getJobID().toString(), status, message);
  }
}
