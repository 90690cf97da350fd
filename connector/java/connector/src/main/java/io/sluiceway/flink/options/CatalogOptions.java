package io.sluiceway.flink.options;

import io.sluiceway.flink.api.Retry;
import io.sluiceway.flink.api.TableDefinition;
import io.sluiceway.flink.options.Declaration.Scope;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.apache.flink.table.api.ValidationException;

/** The options of CREATE CATALOG, and what they mean for its tables. */
public final class CatalogOptions {
  /** The database that is current when CREATE CATALOG names none. */
  public static final String DEFAULT_DATABASE = "default";

  /** A person waits for the catalog: it gives up earlier than a job. */
  private static final int MOST_ATTEMPTS = 5;

  private static final Set<Scope> TABLE_DEFAULTS =
      EnumSet.of(Scope.SOURCE, Scope.SINK, Scope.LOOKUP);
  private static final Set<String> CONNECTION_DEFAULTS =
      Set.of("retry-count", "retry-sleep-step-ms");

  private final Options options;
  private final String endpoint;
  private final Map<String, String> tableDefaults = new LinkedHashMap<>();
  private final Map<String, String> propertyDefaults = new LinkedHashMap<>();

  private CatalogOptions(Options options) {
    this.options = options;
    this.endpoint = options.require(Keys.ENDPOINT).get(0);
    options
        .values()
        .forEach(
            (key, value) -> {
              Scope scope = Declarations.require(key).scope();
              if (TABLE_DEFAULTS.contains(scope) || CONNECTION_DEFAULTS.contains(key)) {
                tableDefaults.put(key, value);
              } else if (scope == Scope.TABLE_PROPERTY) {
                propertyDefaults.put(key, value);
              }
            });
  }

  /**
   * Validates the options of CREATE CATALOG.
   *
   * @throws ValidationException that names everything that is wrong
   */
  public static CatalogOptions of(Map<String, String> texts) {
    return new CatalogOptions(Options.written(texts, EnumSet.allOf(Scope.class)));
  }

  /** {@code host:port}. */
  public String endpoint() {
    return endpoint;
  }

  /** The current database at first. */
  public String database() {
    String dbname = options.text(Keys.DATABASE);
    String named = dbname == null ? options.text("default-database") : dbname;
    return named == null ? DEFAULT_DATABASE : Keys.database(named);
  }

  /** How long a call of the catalog is repeated. */
  public Retry retry() {
    Retry retry = Keys.retry(options);
    return new Retry(Math.min(retry.attempts(), MOST_ATTEMPTS), retry.step(), retry.most());
  }

  /**
   * The options that Flink sees on a table: the catalog's defaults, the table's own on top, and
   * where it is.
   *
   * @param connector the identifier of the table's factory
   */
  public Map<String, String> shown(TableDefinition table, String connector) {
    Map<String, String> shown = new LinkedHashMap<>();
    shown.put(Keys.CONNECTOR, connector);
    shown.put(Keys.ENDPOINT, endpoint);
    shown.put(Keys.DATABASE, table.database());
    shown.put(Keys.TABLE, table.name());
    showLayout(shown, table);
    shown.putAll(tableDefaults);
    shown.putAll(Options.written(table.options(), TableOptions.SCOPES).values());
    return shown;
  }

  /** The options that Flink sees on a table as it was at an LSN. */
  public Map<String, String> shownAt(long lsn, TableDefinition table, String connector) {
    Map<String, String> shown = shown(table, connector);
    shown.put(Keys.SNAPSHOT_LSN, String.valueOf(lsn));
    return shown;
  }

  /** What DISTRIBUTED BY said, which Flink allows on sinks only that take buckets in charge. */
  private static void showLayout(Map<String, String> shown, TableDefinition table) {
    if (table.shards() > 1) {
      shown.put("table_property.shard_count", String.valueOf(table.shards()));
    }
    if (!table.distributionKey().equals(table.primaryKey())) {
      shown.put("table_property.distribution_key", String.join(",", table.distributionKey()));
    }
  }

  /**
   * The options that are stored with a table that is created: what its WITH says, without where it
   * is and what the catalog says anyway, and the catalog's defaults of properties.
   *
   * @throws ValidationException that names everything that is wrong
   */
  public Map<String, String> stored(Map<String, String> texts) {
    Map<String, String> values = Options.written(texts, TableOptions.SCOPES).values();
    refuseConnection(values);
    Map<String, String> stored = new LinkedHashMap<>(propertyDefaults);
    values.forEach(
        (key, value) -> {
          boolean connection = Declarations.require(key).scope() == Scope.CONNECTION;
          if (!value.equals(tableDefaults.get(key))
              && (!connection || CONNECTION_DEFAULTS.contains(key))) {
            stored.put(key, value);
          }
        });
    return stored;
  }

  private void refuseConnection(Map<String, String> values) {
    boolean dropped = options.flag("ignore-non-persisted-options");
    for (String key : Set.of(Keys.ENDPOINT, Keys.DATABASE, Keys.TABLE, "username", "password")) {
      if (!dropped && values.containsKey(key)) {
        throw new ValidationException(
            "Option '%s' is the catalog's: leave it out of the table's WITH.".formatted(key));
      }
    }
  }
}
