package io.sluiceway.flink.catalog;

import io.sluiceway.flink.api.CatalogContext;
import io.sluiceway.flink.api.ProcedureProvider;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.TreeMap;
import org.apache.flink.table.catalog.exceptions.CatalogException;
import org.apache.flink.table.procedures.Procedure;

/** The procedures of {@code sys}, which other jars bring. */
final class Procedures {
  /** The database of procedures; it need not exist. */
  static final String DATABASE = "sys";

  /** What the procedures of the sync jar are called. */
  private static final String SYNC_PREFIX = "sync_";

  private final CatalogContext context;

  Procedures(CatalogContext context) {
    this.context = context;
  }

  List<String> names() {
    return List.copyOf(all().keySet());
  }

  /**
   * A procedure, or empty when no jar brings it.
   *
   * @throws CatalogException that names the jar when it is a procedure of the sync
   */
  Optional<Procedure> find(String name) {
    Procedure found = all().get(name);
    if (found == null && name.startsWith(SYNC_PREFIX)) {
      throw new CatalogException(
          ("procedure %s.%s is in another jar: add sluiceway-flink-sync to pipeline.jars or by ADD"
                  + " JAR; `sluiceway jar --sync` prints its path")
              .formatted(DATABASE, name));
    }
    return Optional.ofNullable(found);
  }

  /** Looked for at each call: ADD JAR may bring a jar after the catalog was created. */
  private Map<String, Procedure> all() {
    Map<String, Procedure> procedures = new TreeMap<>();
    for (ProcedureProvider provider :
        ServiceLoader.load(ProcedureProvider.class, context.classLoader())) {
      procedures.putAll(provider.procedures(context));
    }
    return procedures;
  }
}
