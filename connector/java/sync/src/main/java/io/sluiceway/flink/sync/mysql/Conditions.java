package io.sluiceway.flink.sync.mysql;

import io.debezium.relational.Column;
import io.debezium.relational.Table;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * MariaDB's conditions in ALTER TABLE: {@code ADD COLUMN IF NOT EXISTS}, {@code MODIFY COLUMN IF
 * EXISTS} and their like.
 *
 * <p>Debezium's parser takes such a clause as if its condition held. Here it is looked at with the
 * table as it is, and a clause that does nothing is taken out.
 */
final class Conditions {
  private static final int FLAGS = Pattern.CASE_INSENSITIVE | Pattern.DOTALL;
  private static final String NAME = "(`(?:[^`]|``)+`|[\\w$\\x{80}-\\x{ffff}]+)";
  private static final Pattern ALTER =
      Pattern.compile(
          "(?:\\s|/\\*(?!!).*?\\*/|--[^\\n]*\\n|#[^\\n]*\\n)*ALTER\\s+(?:ONLINE\\s+|IGNORE\\s+)*TABLE\\s+(?:IF\\s+EXISTS\\s+)?(?:"
              + NAME
              + "\\s*\\.\\s*)?"
              + NAME
              + "\\s*(.*)",
          FLAGS);
  private static final Pattern ADDS =
      Pattern.compile("(\\s*ADD\\s+(?:COLUMN\\s+)?)IF\\s+NOT\\s+EXISTS\\s+" + NAME + "(.*)", FLAGS);
  private static final Pattern CHANGES =
      Pattern.compile(
          "(\\s*(?:MODIFY|CHANGE|DROP|ALTER|RENAME)\\s+(?:COLUMN\\s+)?)IF\\s+EXISTS\\s+"
              + NAME
              + "(.*)",
          FLAGS);

  private Conditions() {}

  /**
   * The table of a database that an ALTER TABLE names.
   *
   * @return null when it names another database's, or is another statement
   */
  static String alteredTable(DdlStatement statement, String database) {
    Matcher alter = ALTER.matcher(statement.text());
    if (!alter.matches()) {
      return null;
    }
    String of = alter.group(1) == null ? statement.database() : unquoted(alter.group(1));
    return of.equals(database) ? unquoted(alter.group(2)) : null;
  }

  /**
   * What remains of an ALTER TABLE.
   *
   * @return the statement with no condition left, empty when nothing of it is done; or null when it
   *     has no conditions
   */
  static String applied(String statement, Table table) {
    Matcher alter = ALTER.matcher(statement);
    if (!alter.matches()) {
      return null;
    }
    List<String> kept = new ArrayList<>();
    boolean isConditional = false;
    for (String clause : clauses(alter.group(3))) {
      Matcher adds = ADDS.matcher(clause);
      Matcher changes = CHANGES.matcher(clause);
      Matcher found = adds.matches() ? adds : changes.matches() ? changes : null;
      if (found == null) {
        kept.add(clause);
        continue;
      }
      isConditional = true;
      if (has(table, unquoted(found.group(2))) != (found == adds)) {
        kept.add(found.group(1) + found.group(2) + found.group(3));
      }
    }
    if (!isConditional) {
      return null;
    }
    String head = statement.substring(0, alter.start(3));
    return kept.isEmpty() ? "" : head + String.join(",", kept);
  }

  /** The clauses, cut at commas outside of quotes and parentheses. */
  private static List<String> clauses(String text) {
    List<String> clauses = new ArrayList<>();
    int depth = 0;
    int start = 0;
    char quote = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (quote != 0) {
        if (c == '\\' && quote != '`') {
          i++;
        } else if (c == quote) {
          quote = 0;
        }
      } else if (c == '\'' || c == '"' || c == '`') {
        quote = c;
      } else if (c == '(' || c == ')') {
        depth += c == '(' ? 1 : -1;
      } else if (c == ',' && depth == 0) {
        clauses.add(text.substring(start, i));
        start = i + 1;
      }
    }
    clauses.add(text.substring(start));
    return clauses;
  }

  private static boolean has(Table table, String name) {
    return table.columns().stream().map(Column::name).anyMatch(name::equalsIgnoreCase);
  }

  private static String unquoted(String name) {
    return name.startsWith("`") ? name.substring(1, name.length() - 1).replace("``", "`") : name;
  }
}
