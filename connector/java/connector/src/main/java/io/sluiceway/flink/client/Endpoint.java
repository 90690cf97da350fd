package io.sluiceway.flink.client;

import org.apache.flink.table.api.ValidationException;

/** Where a server listens. */
record Endpoint(String host, int port) {
  private static final String SCHEME = "grpc://";

  /**
   * Parses {@code host:port}, with or without {@code grpc://}.
   *
   * @throws ValidationException that shows the form expected
   */
  static Endpoint parse(String text) {
    String address = text.startsWith(SCHEME) ? text.substring(SCHEME.length()) : text;
    int colon = address.lastIndexOf(':');
    try {
      int port = Integer.parseInt(address.substring(colon + 1));
      if (colon > 0 && port > 0 && port < 65_536) {
        return new Endpoint(address.substring(0, colon), port);
      }
    } catch (NumberFormatException e) {
      // Falls through to the one message for every malformed endpoint.
    }
    throw new ValidationException(
        "endpoint '%s' is not host:port, such as 'localhost:8815'".formatted(text));
  }

  @Override
  public String toString() {
    return host + ":" + port;
  }
}
