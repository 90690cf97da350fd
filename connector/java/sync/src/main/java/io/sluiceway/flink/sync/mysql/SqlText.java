package io.sluiceway.flink.sync.mysql;

/** Texts as MySQL's SQL writes them; Debezium's parser takes the outer quotes off and no more. */
public final class SqlText {
  private static final String ESCAPES = "0bnrtZ";
  private static final String ESCAPED = "\0\b\n\r\t\u001a";

  private SqlText() {}

  /** The text that stands between two single quotes: doubled quotes and backslashes undone. */
  public static String value(String literal) {
    StringBuilder text = new StringBuilder(literal.length());
    for (int i = 0; i < literal.length(); i++) {
      char c = literal.charAt(i);
      if (c == '\\' && i + 1 < literal.length()) {
        char next = literal.charAt(++i);
        int escape = ESCAPES.indexOf(next);
        text.append(escape < 0 ? next : ESCAPED.charAt(escape));
      } else {
        text.append(c);
        if (c == '\'' && i + 1 < literal.length() && literal.charAt(i + 1) == '\'') {
          i++;
        }
      }
    }
    return text.toString();
  }
}
