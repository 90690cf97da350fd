package io.sluiceway.flink.client;

import com.fasterxml.jackson.databind.JsonNode;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.sluiceway.flink.api.Retry;
import io.sluiceway.flink.api.WarehouseException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.Iterator;
import java.util.concurrent.TimeUnit;
import org.apache.arrow.flight.Action;
import org.apache.arrow.flight.CallOption;
import org.apache.arrow.flight.CallOptions;
import org.apache.arrow.flight.FlightClient;
import org.apache.arrow.flight.FlightGrpcUtils;
import org.apache.arrow.flight.Result;
import org.apache.arrow.memory.BufferAllocator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One channel to one server. Thread-safe; connects when it is first used.
 *
 * <p>Streams opened on a connection end with it: {@link #close} cancels them and returns within a
 * few seconds with all its threads gone.
 */
public final class Connection implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Connection.class);
  private static final Duration CALL_TIMEOUT = Duration.ofSeconds(30);
  private static final long CLOSE_TIMEOUT_MS = 2_000;
  private static final int FLOW_CONTROL_WINDOW_BYTES = 8 << 20;

  private final Endpoint endpoint;
  private final BufferAllocator allocator;
  private final EventLoopGroup eventLoop;
  private final ReadySignal ready = new ReadySignal();
  private final ManagedChannel channel;
  private final FlightClient client;

  private Connection(Endpoint endpoint) {
    this.endpoint = endpoint;
    this.allocator = Memory.child("connection to " + endpoint);
    this.eventLoop =
        new MultiThreadIoEventLoopGroup(
            1, new DefaultThreadFactory("sluiceway-net", true), NioIoHandler.newFactory());
    this.channel =
        NettyChannelBuilder.forAddress(endpoint.host(), endpoint.port())
            .usePlaintext()
            .eventLoopGroup(eventLoop)
            .channelType(NioSocketChannel.class)
            .directExecutor()
            .offloadExecutor(Runnable::run)
            .maxInboundMessageSize(Integer.MAX_VALUE)
            .flowControlWindow(FLOW_CONTROL_WINDOW_BYTES)
            .maxTraceEvents(0)
            .intercept(ready)
            .build();
    this.client = FlightGrpcUtils.createFlightClient(allocator, channel);
  }

  /** A connection to {@code host:port}. */
  public static Connection to(String endpoint) {
    return new Connection(Endpoint.parse(endpoint));
  }

  /** {@code host:port}. */
  public String endpoint() {
    return endpoint.toString();
  }

  /**
   * Calls an action and answers its one result.
   *
   * @throws WarehouseException what the server said, or 08006 when it did not answer
   */
  JsonNode call(String action, JsonNode body) throws IOException {
    try {
      Iterator<Result> results =
          client.doAction(new Action(action, Json.bytes(body)), timeout(CALL_TIMEOUT));
      if (!results.hasNext()) {
        throw new WarehouseException(
            "08P01",
            "[08P01] %s did not answer action %s".formatted(endpoint, action),
            false,
            null);
      }
      return Json.parse(results.next().getBody());
    } catch (RuntimeException e) {
      throw failure(e);
    }
  }

  /** Calls an action that may be repeated, again while the server is away. */
  JsonNode call(String action, JsonNode body, Retry retry) throws IOException {
    Backoff backoff = new Backoff(retry);
    while (true) {
      try {
        return call(action, body);
      } catch (WarehouseException e) {
        if (!Failures.isAway(e) || !pause(backoff)) {
          throw e;
        }
        channel.resetConnectBackoff();
        LOG.info("Repeats {} after failure {}: {}", action, backoff.failures(), e.getMessage());
      }
    }
  }

  FlightClient client() {
    return client;
  }

  /** Wakes who waits for a stream of this connection to take more data. */
  ReadySignal ready() {
    return ready;
  }

  BufferAllocator allocator() {
    return allocator;
  }

  WarehouseException failure(Throwable failure) {
    return Failures.of(failure, endpoint);
  }

  /** The failure that the server describes by {@code {"sqlstate","message","retry"}}. */
  WarehouseException failure(JsonNode error) {
    String state = error.path("sqlstate").asText();
    return WarehouseException.answered(
        state,
        "[%s] %s".formatted(state, error.path("message").asText()),
        error.path("retry").asBoolean());
  }

  WarehouseException unreachable(String why) {
    return Failures.unreachable(endpoint, why, null);
  }

  static CallOption timeout(Duration timeout) {
    return CallOptions.timeout(timeout.toMillis(), TimeUnit.MILLISECONDS);
  }

  private static boolean pause(Backoff backoff) throws InterruptedIOException {
    try {
      return backoff.pause();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while waiting to call again");
    }
  }

  @Override
  public void close() {
    // An interrupt must not cut this short, or threads would outlive the job: it is put back after.
    boolean interrupted = Thread.interrupted();
    try {
      channel.shutdownNow();
      channel.awaitTermination(CLOSE_TIMEOUT_MS, TimeUnit.MILLISECONDS);
      client.close();
    } catch (InterruptedException e) {
      interrupted = true;
    } catch (RuntimeException e) {
      LOG.warn("Closing the connection to {}: {}", endpoint, e.toString());
    } finally {
      eventLoop
          .shutdownGracefully(0, CLOSE_TIMEOUT_MS, TimeUnit.MILLISECONDS)
          .awaitUninterruptibly(CLOSE_TIMEOUT_MS);
      Memory.close(allocator);
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
