package io.sluiceway.flink.options;

import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Texts of options to values. The texts of each type are those that the server accepts. */
final class Values {
  private static final Pattern DURATION = Pattern.compile("(\\d{1,15})\\s*([a-z]*)");
  private static final Map<String, Long> UNIT_MS =
      Map.of(
          "",
          1L,
          "ms",
          1L,
          "s",
          1_000L,
          "sec",
          1_000L,
          "m",
          60_000L,
          "min",
          60_000L,
          "h",
          3_600_000L,
          "hour",
          3_600_000L,
          "d",
          86_400_000L,
          "day",
          86_400_000L);

  private Values() {}

  static String canonical(Declaration option, String text) {
    return switch (option.type()) {
      case BOOLEAN -> String.valueOf(flag(text));
      case INT, LONG -> String.valueOf(number(option, text));
      case DURATION -> String.valueOf(duration(text).toMillis());
      case ENUM -> choice(option.choices(), text);
      case STRING -> notEmpty(text);
      case LIST -> {
        String[] names =
            Arrays.stream(text.split(",", -1)).map(String::strip).toArray(String[]::new);
        Arrays.stream(names).forEach(Values::notEmpty);
        yield String.join(",", names);
      }
    };
  }

  private static boolean flag(String text) {
    return switch (text.toLowerCase(Locale.ROOT)) {
      case "true" -> true;
      case "false" -> false;
      default -> throw new IllegalArgumentException("it is true or false");
    };
  }

  private static long number(Declaration option, String text) {
    long low = option.min() == null ? Long.MIN_VALUE : option.min();
    long high = option.max() == null ? Long.MAX_VALUE : option.max();
    try {
      long value = Long.parseLong(text);
      if (value >= low && value <= high) {
        return value;
      }
    } catch (NumberFormatException e) {
      // Falls through to the one message for every bad number.
    }
    throw new IllegalArgumentException("it is a whole number from %d to %d".formatted(low, high));
  }

  static Duration duration(String text) {
    Matcher found = DURATION.matcher(text.toLowerCase(Locale.ROOT));
    if (!found.matches() || !UNIT_MS.containsKey(found.group(2))) {
      throw new IllegalArgumentException("it is a duration such as 500 ms, 10 s or 5 min");
    }
    return Duration.ofMillis(
        Math.multiplyExact(Long.parseLong(found.group(1)), UNIT_MS.get(found.group(2))));
  }

  private static String choice(List<String> choices, String text) {
    return choices.stream()
        .filter(choice -> foldChoice(choice).equals(foldChoice(text)))
        .findFirst()
        .orElseThrow(
            () -> new IllegalArgumentException("it is one of " + String.join(", ", choices)));
  }

  /** Choices are the same in any case, with or without {@code _} and {@code -}. */
  static String foldChoice(String text) {
    return text.replaceAll("[_\\-\\s]", "").toLowerCase(Locale.ROOT);
  }

  private static String notEmpty(String text) {
    if (text.isEmpty()) {
      throw new IllegalArgumentException("it is not empty");
    }
    return text;
  }
}
