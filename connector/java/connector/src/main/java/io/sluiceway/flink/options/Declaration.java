package io.sluiceway.flink.options;

import java.util.List;
import java.util.Locale;
import java.util.Map;

/** One option as it was declared (options.json). */
record Declaration(
    String key,
    List<Alias> aliases,
    Type type,
    List<String> choices,
    Long min,
    Long max,
    String defaultText,
    Scope scope,
    Effect effect) {

  /** An older name; {@code values} translates what it says, or is empty where that is the same. */
  record Alias(String name, Map<String, String> values) {}

  enum Type {
    BOOLEAN,
    INT,
    LONG,
    STRING,
    ENUM,
    DURATION,
    LIST
  }

  enum Scope {
    CATALOG,
    CONNECTION,
    SOURCE,
    SINK,
    LOOKUP,
    TABLE_PROPERTY
  }

  enum Effect {
    ACTS,
    /** Accepted, changes nothing. */
    NONE,
    /** Any value but the default is refused. */
    DEFAULT_ONLY
  }

  /**
   * The value in its one spelling.
   *
   * @throws IllegalArgumentException whose message says what the value should be
   */
  String canonical(String text) {
    String value = Values.canonical(this, text.strip());
    if (effect == Effect.DEFAULT_ONLY && !value.equals(defaultText)) {
      throw new IllegalArgumentException(
          defaultText == null
              ? "it is not supported: leave it out"
              : "it is supported only as " + defaultText);
    }
    return value;
  }

  /** Keys and aliases are the same in any case. */
  static String fold(String name) {
    return name.strip().toLowerCase(Locale.ROOT);
  }
}
