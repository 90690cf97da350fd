package io.sluiceway.flink.sync.mysql;

import io.debezium.document.DocumentReader;
import io.debezium.document.DocumentWriter;
import io.debezium.relational.Table;
import io.debezium.relational.Tables;
import io.debezium.relational.ddl.DdlParser;
import io.debezium.relational.history.JsonTableChangeSerializer;
import io.debezium.relational.history.TableChanges.TableChange;
import io.debezium.relational.history.TableChanges.TableChangeType;
import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The structures of the followed tables at one position of the binlog, as a checkpoint keeps them.
 *
 * @param settings statements that set the default character sets of the server and the database:
 *     they live in the parser and decide how the text of later tables is read
 * @param tables Debezium's JSON document of each table, by the table's name
 */
public record Structures(List<String> settings, Map<String, String> tables)
    implements Serializable {

  public Structures {
    settings = List.copyOf(settings);
    tables = Map.copyOf(tables);
  }

  static Structures of(List<String> settings, Iterable<Table> tables) {
    Map<String, String> documents = new TreeMap<>();
    for (Table table : tables) {
      documents.put(table.id().table(), document(table));
    }
    return new Structures(settings, documents);
  }

  /** Puts the tables into {@code into} and the settings into {@code parser}. */
  public void install(Tables into, DdlParser parser) {
    settings.forEach(statement -> parser.parse(statement, into));
    tables.values().forEach(document -> into.overwriteTable(read(document)));
  }

  /** The structure of a table, or null. */
  public Table table(String name) {
    String document = tables.get(name);
    return document == null ? null : read(document);
  }

  private static String document(Table table) {
    TableChange change = new TableChange(TableChangeType.ALTER, table);
    try {
      return DocumentWriter.defaultWriter()
          .write(new JsonTableChangeSerializer().toDocument(change));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Table read(String document) {
    try {
      return JsonTableChangeSerializer.fromDocument(
              DocumentReader.defaultReader().read(document), true)
          .getTable();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
