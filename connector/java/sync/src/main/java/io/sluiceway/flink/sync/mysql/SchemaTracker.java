package io.sluiceway.flink.sync.mysql;

import io.debezium.relational.Table;
import io.debezium.relational.TableId;
import io.debezium.relational.Tables;
import io.debezium.relational.ddl.DdlParser;
import io.sluiceway.flink.api.SchemaChange;
import io.sluiceway.flink.sync.event.SyncEvent;
import io.sluiceway.flink.sync.event.TableShape;
import io.sluiceway.flink.sync.mysql.DdlStatement.Kind;
import io.sluiceway.flink.sync.mysql.DdlStatement.TableChange;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Follows the structures of the synced tables along the binlog.
 *
 * <p>A statement that concerns a followed table is either turned into events or stops the sync;
 * none is passed over. Statements of other databases and of tables that are left out are not even
 * parsed.
 */
public final class SchemaTracker {
  private static final int FLAGS = Pattern.CASE_INSENSITIVE | Pattern.DOTALL;
  private static final Pattern COMMENTS = Pattern.compile("/\\*(?!!).*?\\*/|^\\s*--[^\\n]*\\n");
  private static final Pattern SETTING =
      Pattern.compile(
          "(SET\\b.*character_set_.*)|((CREATE|ALTER)\\s.*(DATABASE|SCHEMA)\\b.*)", FLAGS);
  private static final Pattern DROPS_DATABASE =
      Pattern.compile(
          "DROP\\s+(?:DATABASE|SCHEMA)\\s+(?:IF\\s+EXISTS\\s+)?`?([^`;]+?)`?\\s*;?", FLAGS);
  private static final Pattern TABLE_STATEMENT =
      Pattern.compile(
          "((CREATE|ALTER|DROP)\\s(\\s*\\w+\\s+)*?TABLES?|RENAME\\s+TABLES?)\\b.*", FLAGS);

  private static final Pattern TEXTS =
      Pattern.compile("'(?:[^'\\\\]|\\\\.|'')*'|\"(?:[^\"\\\\]|\\\\.|\"\")*\"", FLAGS);

  /**
   * Defaults that the parser drops, so that the column would look as if it had none, or reads as
   * something else: what is computed, and texts in hexadecimal, with an introducer or in pieces.
   * Texts are empty by then.
   */
  private static final Pattern COMPUTED_DEFAULT =
      Pattern.compile(
          "\\bDEFAULT\\s*(\\(|\\w+\\s*\\(|CURRENT_|LOCALTIME|0x|X''|N''|_\\w+\\s*''|''\\s+'')",
          FLAGS);

  private final MySqlServer server;
  private final TargetTables targets;
  private final Pattern mention;
  private final DdlParser parser;
  private final Tables tables = new Tables();
  private final List<String> settings;
  private final Map<String, TableShape> shapes = new HashMap<>();
  private boolean differs;

  public SchemaTracker(MySqlServer server, TargetTables targets, Structures start) {
    this.server = server;
    this.targets = targets;
    this.mention = Pattern.compile("\\b" + Pattern.quote(server.database()) + "\\b");
    this.parser = server.dialect().parser();
    this.settings = new ArrayList<>(start.settings());
    start.install(tables, parser);
  }

  /** The structures as of the last statement. */
  public Structures structures() {
    return Structures.of(settings, tables.tableIds().stream().map(tables::forTable).toList());
  }

  /**
   * Whether the last statement was read here otherwise than by Debezium, which then has to begin
   * anew with these structures.
   */
  public boolean differs() {
    return differs;
  }

  /** Debezium has begun anew. */
  public void agrees() {
    differs = false;
  }

  /** The structure of a followed table. */
  public Table table(String name) throws SyncStoppedException {
    Table table = tables.forTable(id(name));
    if (table == null) {
      throw new SyncStoppedException(
          "rows of %s arrived, but the table's definition did not; %s".formatted(name, cure(name)));
    }
    return table;
  }

  /** The shape of the rows that follow now in the binlog. */
  public TableShape shape(String name) throws SyncStoppedException {
    TableShape shape = shapes.get(name);
    if (shape == null) {
      shape = targets.shape(table(name));
      shapes.put(name, shape);
    }
    return shape;
  }

  /** Takes in one statement and answers what the writer has to do. */
  public List<SyncEvent> apply(DdlStatement statement) throws SyncStoppedException {
    differs = false;
    List<TableChange> ours = statement.tables().stream().filter(this::isOurs).toList();
    Table altered = conditionallyAltered(statement);
    if (altered != null) {
      return followConditions(statement, altered);
    }
    if (!ours.isEmpty()) {
      return follow(statement, ours);
    }
    String text = COMMENTS.matcher(statement.text()).replaceAll(" ").strip();
    if (!statement.tables().isEmpty() || !concernsUs(statement)) {
      return List.of();
    }
    Matcher dropped = DROPS_DATABASE.matcher(text);
    if (dropped.matches() && dropped.group(1).equals(server.database())) {
      throw stopped(statement, "the database is dropped", null);
    }
    if (SETTING.matcher(text).matches()) {
      settings.add(statement.text());
      parse(statement);
    } else if (TABLE_STATEMENT.matcher(text).matches()) {
      parse(statement);
    }
    return List.of();
  }

  /** The followed table of an ALTER TABLE that has conditions, or null. */
  private Table conditionallyAltered(DdlStatement statement) {
    String name = Conditions.alteredTable(statement, server.database());
    if (name == null || !server.follows(name)) {
      return null;
    }
    Table table = tables.forTable(id(name));
    return table == null || Conditions.applied(statement.text(), table) == null ? null : table;
  }

  private List<SyncEvent> followConditions(DdlStatement statement, Table table)
      throws SyncStoppedException {
    differs = true;
    String rest = Conditions.applied(statement.text(), table);
    if (rest.isEmpty()) {
      return List.of();
    }
    List<TableChange> one =
        List.of(new TableChange(Kind.ALTER, server.database(), table.id().table()));
    return follow(new DdlStatement(statement.database(), rest, one, statement.position()), one);
  }

  private List<SyncEvent> follow(DdlStatement statement, List<TableChange> ours)
      throws SyncStoppedException {
    Map<String, Table> before = new HashMap<>();
    for (TableChange change : ours) {
      before.put(change.table(), tables.forTable(id(change.table())));
    }
    parse(statement);
    List<SyncEvent> events = new ArrayList<>();
    for (TableChange change : ours) {
      Table old = before.get(change.table());
      Table now = tables.forTable(id(change.table()));
      try {
        events.addAll(events(statement, change.kind(), old, now));
      } catch (SyncStoppedException e) {
        throw stopped(statement, e.getMessage(), change.table());
      }
      shapes.remove(change.table());
    }
    return events;
  }

  private List<SyncEvent> events(DdlStatement statement, Kind kind, Table old, Table now)
      throws SyncStoppedException {
    if (old == null && now == null && kind == Kind.DROP) {
      return List.of(); // DROP TABLE IF EXISTS
    }
    if (kind == Kind.DROP) {
      throw new SyncStoppedException("the table is dropped");
    }
    if (now == null || (kind == Kind.ALTER && old == null)) {
      throw new SyncStoppedException("the table is renamed");
    }
    if (old == null) {
      return List.of(new SyncEvent.Create(targets.definition(now)));
    }
    if (kind == Kind.CREATE && !old.equals(now)) {
      throw new SyncStoppedException("the table is replaced by another one");
    }
    List<SchemaChange> changes = new SchemaDifference(targets, old, now).changes();
    boolean adds = changes.stream().anyMatch(SchemaChange.AddColumn.class::isInstance);
    String withoutTexts = TEXTS.matcher(statement.text()).replaceAll("''");
    if (adds && COMPUTED_DEFAULT.matcher(withoutTexts).find()) {
      throw new SyncStoppedException(
          "an added column has a computed default, or one that the parser does not read, and its"
              + " value in old rows is not in the binlog");
    }
    String table = now.id().table();
    return changes.isEmpty()
        ? List.of()
        : List.of(
            new SyncEvent.Alter(targets.database(), table, changes, changeId(statement, table)));
  }

  private String changeId(DdlStatement statement, String table) {
    return "sync %s.%s at %s".formatted(server.label(), table, statement.position());
  }

  private void parse(DdlStatement statement) throws SyncStoppedException {
    parser.setCurrentSchema(
        statement.database().isEmpty() ? server.database() : statement.database());
    try {
      parser.parse(statement.text(), tables);
    } catch (RuntimeException e) { // the parser throws its own, its library's and others
      String said = String.valueOf(e.getMessage()).lines().findFirst().orElse("");
      throw stopped(statement, "the statement cannot be read (" + said + ")", null);
    }
  }

  private boolean isOurs(TableChange change) {
    return change.database().equals(server.database()) && server.follows(change.table());
  }

  private boolean concernsUs(DdlStatement statement) {
    return statement.database().equals(server.database())
        || statement.database().isEmpty()
        || mention.matcher(statement.text()).find();
  }

  private TableId id(String table) {
    return new TableId(server.database(), null, table);
  }

  private SyncStoppedException stopped(DdlStatement statement, String reason, String table) {
    String at = statement.position();
    return new SyncStoppedException(
        "%s: cannot follow [%s] at %s: %s; %s"
            .formatted(server.label(), statement.text().strip(), at, reason, cure(table)));
  }

  private static String cure(String table) {
    String exclude =
        table == null ? "" : " (leave it out with excluding_tables => '" + table + "')";
    return SyncStoppedException.LOAD_AGAIN + exclude;
  }
}
