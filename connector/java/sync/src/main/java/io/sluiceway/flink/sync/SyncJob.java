package io.sluiceway.flink.sync;

import io.sluiceway.flink.api.CatalogContext;
import io.sluiceway.flink.api.Warehouse;
import io.sluiceway.flink.sync.event.SyncEventTypeInfo;
import io.sluiceway.flink.sync.mysql.MySqlServer;
import io.sluiceway.flink.sync.mysql.StartPoint;
import io.sluiceway.flink.sync.sink.LoadMarks;
import io.sluiceway.flink.sync.sink.SyncSink;
import io.sluiceway.flink.sync.source.SyncSource;
import java.security.CodeSource;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.ServiceLoader;
import java.util.Set;
import org.apache.flink.api.common.RuntimeExecutionMode;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.CoreOptions;
import org.apache.flink.configuration.DeploymentOptions;
import org.apache.flink.configuration.ExecutionOptions;
import org.apache.flink.configuration.PipelineOptions;
import org.apache.flink.configuration.ReadableConfig;
import org.apache.flink.configuration.StateRecoveryOptions;
import org.apache.flink.core.execution.JobClient;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.table.api.ValidationException;

/**
 * The Flink job of one sync.
 *
 * <p>Source and writer are one chain: each subtask writes what it reads. Chunks have disjoint keys,
 * and the binlog has a single reader, so the order of a key needs no exchange.
 */
final class SyncJob {
  private static final String NAME_PREFIX = "Sync ";
  private static final String NAME_MIDDLE = " from ";

  private final CatalogContext catalog;
  private final MySqlServer server;
  private final SyncRequest request;
  private final StartPoint start;
  private final LoadMarks marks;

  SyncJob(
      CatalogContext catalog,
      MySqlServer server,
      SyncRequest request,
      StartPoint start,
      LoadMarks marks) {
    this.catalog = catalog;
    this.server = server;
    this.request = request;
    this.start = start;
    this.marks = marks;
  }

  /** Refuses a session without checkpoints. */
  static void checkConfiguration(ReadableConfig configuration) {
    if (configuration.getOptional(CheckpointingOptions.CHECKPOINTING_INTERVAL).isEmpty()) {
      throw new ValidationException(
          "checkpoints are off, and without them a sync could not resume: "
              + "SET 'execution.checkpointing.interval' = '1 s'");
    }
  }

  /** The target database of a sync's job, or null when it is another job. */
  static String targetOf(String jobName) {
    int middle = jobName.indexOf(NAME_MIDDLE);
    return jobName.startsWith(NAME_PREFIX) && middle > 0
        ? jobName.substring(NAME_PREFIX.length(), middle)
        : null;
  }

  /** Hands the job to the session's cluster. */
  JobClient submit() throws Exception {
    String name = NAME_PREFIX + request.target() + NAME_MIDDLE + server.label();
    StreamExecutionEnvironment environment =
        new StreamExecutionEnvironment(configuration(name), catalog.classLoader());
    SyncSource source = new SyncSource(server, request.target(), start, marks);
    environment
        .fromSource(
            source, WatermarkStrategy.noWatermarks(), server.label(), new SyncEventTypeInfo())
        .uid("sync-source")
        .sinkTo(new SyncSink(catalog.endpoint(), name))
        .name(request.target())
        .uid("sync-writer");
    return environment.executeAsync(name);
  }

  private Configuration configuration(String name) {
    Configuration configuration = Configuration.fromMap(catalog.configuration().toMap());
    if (configuration.getOptional(DeploymentOptions.TARGET).isEmpty()) {
      configuration.set(DeploymentOptions.TARGET, "local");
    }
    configuration.set(DeploymentOptions.ATTACHED, false);
    configuration.set(DeploymentOptions.SHUTDOWN_IF_ATTACHED, false);
    configuration.set(ExecutionOptions.RUNTIME_MODE, RuntimeExecutionMode.STREAMING);
    configuration.set(CoreOptions.DEFAULT_PARALLELISM, request.parallelism());
    configuration.set(PipelineOptions.NAME, name);
    configuration.set(PipelineOptions.OPERATOR_CHAINING, true);
    configuration.set(PipelineOptions.JARS, jars(configuration));
    if (request.savepoint() != null) {
      configuration.set(StateRecoveryOptions.SAVEPOINT_PATH, request.savepoint());
    }
    return configuration;
  }

  /**
   * The session's jars and, when they came in by another way, this one and the connector's. Jars on
   * the class path of the JVM are taken to be on the cluster's as well.
   */
  private static List<String> jars(Configuration configuration) {
    Set<String> jars =
        new LinkedHashSet<>(configuration.getOptional(PipelineOptions.JARS).orElse(List.of()));
    Set<String> names = new LinkedHashSet<>();
    jars.forEach(jar -> names.add(fileName(jar)));
    for (String jar : ownJars()) {
      if (names.add(fileName(jar))) {
        jars.add(jar);
      }
    }
    return new ArrayList<>(jars);
  }

  private static List<String> ownJars() {
    List<String> jars = new ArrayList<>();
    if (SyncJob.class.getClassLoader() == ClassLoader.getSystemClassLoader()) {
      return jars;
    }
    List<Class<?>> classes = new ArrayList<>(List.of(SyncJob.class));
    ServiceLoader.load(Warehouse.Provider.class, SyncJob.class.getClassLoader()).stream()
        .map(ServiceLoader.Provider::type)
        .forEach(classes::add);
    for (Class<?> each : classes) {
      CodeSource source = each.getProtectionDomain().getCodeSource();
      if (source != null && source.getLocation().getPath().endsWith(".jar")) {
        jars.add(source.getLocation().toString());
      }
    }
    return jars;
  }

  private static String fileName(String jar) {
    return jar.substring(jar.lastIndexOf('/') + 1);
  }
}
