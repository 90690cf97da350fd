package io.sluiceway.flink.options;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sluiceway.flink.api.TableDefinition;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** All options by their names, read once from the resource that both languages share. */
final class Declarations {
  private static final String RESOURCE = "options.json";
  private static final Map<String, Named> BY_NAME = load();

  private Declarations() {}

  /** What a name means: an option, and the alias when the name is one. */
  record Named(String name, Declaration option, Declaration.Alias alias) {

    /** The option's own spelling of a value written under this name. */
    String canonical(String text) {
      String value = text;
      if (alias != null && !alias.values().isEmpty()) {
        value = alias.values().get(Declaration.fold(text));
        if (value == null) {
          throw new IllegalArgumentException(
              "it is one of " + String.join(", ", alias.values().keySet()));
        }
      }
      return option.canonical(value);
    }
  }

  /** The option of a name in any case, or null. */
  static Named find(String name) {
    return BY_NAME.get(Declaration.fold(name));
  }

  /** The option of a key that this code knows to be declared. */
  static Declaration require(String key) {
    Named named = find(key);
    if (named == null) {
      throw new IllegalStateException("option " + key + " is not declared");
    }
    return named.option();
  }

  /** {@code Did you mean 'x'?} with a blank before, or nothing when no name is near. */
  static String suggestion(String unknown) {
    String folded = Declaration.fold(unknown);
    return BY_NAME.values().stream()
        .min(Comparator.comparingInt(named -> distance(folded, Declaration.fold(named.name()))))
        .filter(n -> distance(folded, Declaration.fold(n.name())) <= 1 + folded.length() / 3)
        .map(named -> " Did you mean '%s'?".formatted(named.name()))
        .orElse("");
  }

  private static int distance(String a, String b) {
    int[] row = new int[b.length() + 1];
    for (int j = 0; j < row.length; j++) {
      row[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int substituted = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(substituted, 1 + Math.min(row[j], row[j - 1]));
      }
    }
    return row[b.length()];
  }

  private static Map<String, Named> load() {
    Map<String, Named> byName = new HashMap<>();
    try (InputStream resource = TableDefinition.class.getResourceAsStream(RESOURCE)) {
      for (JsonNode json : new ObjectMapper().readTree(resource)) {
        Declaration option = declaration(json);
        put(byName, new Named(option.key(), option, null));
        option.aliases().forEach(alias -> put(byName, new Named(alias.name(), option, alias)));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return byName;
  }

  private static void put(Map<String, Named> byName, Named named) {
    if (byName.put(Declaration.fold(named.name()), named) != null) {
      throw new IllegalStateException("two options are named " + named.name());
    }
  }

  private static Declaration declaration(JsonNode json) {
    List<Declaration.Alias> aliases = new ArrayList<>();
    json.get("aliases").forEach(alias -> aliases.add(alias(alias)));
    List<String> choices = new ArrayList<>();
    json.get("choices").forEach(choice -> choices.add(choice.asText()));
    return new Declaration(
        json.get("key").asText(),
        aliases,
        constant(Declaration.Type.class, json.get("type")),
        choices,
        json.get("min").isNull() ? null : json.get("min").asLong(),
        json.get("max").isNull() ? null : json.get("max").asLong(),
        json.get("default").isNull() ? null : json.get("default").asText(),
        constant(Declaration.Scope.class, json.get("scope")),
        constant(Declaration.Effect.class, json.get("effect")));
  }

  private static Declaration.Alias alias(JsonNode json) {
    Map<String, String> values = new LinkedHashMap<>();
    json.get("values")
        .properties()
        .forEach(e -> values.put(Declaration.fold(e.getKey()), e.getValue().asText()));
    return new Declaration.Alias(json.get("name").asText(), values);
  }

  private static <T extends Enum<T>> T constant(Class<T> type, JsonNode json) {
    return Enum.valueOf(type, json.asText().toUpperCase(Locale.ROOT).replace('-', '_'));
  }
}
