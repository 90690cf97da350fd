package io.sluiceway.flink.options;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.flink.table.api.ValidationException;

/**
 * Options that were validated: what was set, by the option's own key and in its one spelling.
 *
 * <p>All that is wrong is reported at once.
 */
final class Options {
  private final Map<String, String> values;

  private Options(Map<String, String> values) {
    this.values = values;
  }

  /**
   * Validates what a user wrote in one place. Two names of one option may stand together only when
   * they say the same.
   */
  static Options written(Map<String, String> texts, Set<Declaration.Scope> scopes) {
    return resolve(texts, scopes, false);
  }

  /**
   * Validates a table's options with a hint's on top. The catalog shows a table's options under
   * their own keys, so another spelling of the same option comes from the hint, and wins.
   */
  static Options hinted(Map<String, String> texts, Set<Declaration.Scope> scopes) {
    return resolve(texts, scopes, true);
  }

  private static Options resolve(
      Map<String, String> texts, Set<Declaration.Scope> scopes, boolean otherSpellingWins) {
    Map<String, String> values = new LinkedHashMap<>();
    Map<String, String> spelled = new LinkedHashMap<>();
    List<String> problems = new ArrayList<>();
    texts.forEach(
        (name, text) -> {
          try {
            Declarations.Named named = named(name, scopes);
            String key = named.option().key();
            String value = canonical(named, name, text);
            boolean own = otherSpellingWins && name.equals(key);
            String other = own ? values.putIfAbsent(key, value) : spelled.put(key, value);
            if (!own && other != null && !other.equals(value)) {
              problems.add("Option '%s' says otherwise than another name of it.".formatted(name));
            }
          } catch (IllegalArgumentException e) {
            problems.add(e.getMessage());
          }
        });
    if (!problems.isEmpty()) {
      throw new ValidationException(String.join("\n", problems));
    }
    values.putAll(spelled);
    return new Options(values);
  }

  private static Declarations.Named named(String name, Set<Declaration.Scope> scopes) {
    Declarations.Named named = Declarations.find(name);
    if (named == null) {
      throw new IllegalArgumentException(
          "Option '%s' is not known.%s".formatted(name, Declarations.suggestion(name)));
    }
    if (!scopes.contains(named.option().scope())) {
      throw new IllegalArgumentException(
          "Option '%s' belongs to CREATE CATALOG, not here.".formatted(name));
    }
    return named;
  }

  private static String canonical(Declarations.Named named, String name, String text) {
    try {
      return named.canonical(text);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "Option '%s' = '%s': %s.".formatted(name, text, e.getMessage()));
    }
  }

  /** What was set, by key, in one spelling. */
  Map<String, String> values() {
    return values;
  }

  /** The value set, else the default, else null. */
  String text(String key) {
    Declaration option = Declarations.require(key);
    String value = values.get(key);
    if (value != null) {
      return value;
    }
    return option.defaultText() == null ? null : option.canonical(option.defaultText());
  }

  boolean flag(String key) {
    return Boolean.parseBoolean(text(key));
  }

  int integer(String key) {
    return Integer.parseInt(text(key));
  }

  long number(String key) {
    return Long.parseLong(text(key));
  }

  /** A number, or null when it is neither set nor has a default. */
  Integer integerOrNull(String key) {
    String text = text(key);
    return text == null ? null : Integer.valueOf(text);
  }

  /** A number, or null when it is neither set nor has a default. */
  Long numberOrNull(String key) {
    String text = text(key);
    return text == null ? null : Long.valueOf(text);
  }

  /** A duration, or null when it is neither set nor has a default. */
  Duration durationOrNull(String key) {
    String text = text(key);
    return text == null ? null : Duration.ofMillis(Long.parseLong(text));
  }

  /** The constant whose name is the choice. */
  <T extends Enum<T>> T choice(String key, Class<T> type) {
    String wanted = Values.foldChoice(text(key));
    return Arrays.stream(type.getEnumConstants())
        .filter(constant -> Values.foldChoice(constant.name()).equals(wanted))
        .findFirst()
        .orElseThrow(() -> new IllegalStateException("%s has no %s".formatted(type, text(key))));
  }

  /**
   * Texts of options that must be set.
   *
   * @throws ValidationException that names all that are missing
   */
  List<String> require(String... keys) {
    List<String> missing = Arrays.stream(keys).filter(key -> text(key) == null).toList();
    if (!missing.isEmpty()) {
      throw new ValidationException(
          "Option '%s' is missing: give it in WITH.".formatted(String.join("', '", missing)));
    }
    return Arrays.stream(keys).map(this::text).toList();
  }
}
