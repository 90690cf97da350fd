package io.sluiceway.flink.client;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.ForwardingClientCallListener.SimpleForwardingClientCallListener;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import java.util.function.BooleanSupplier;

/**
 * Wakes who waits until the calls of a channel take more data: Flight tells whether a stream does,
 * gRPC tells when, but not to those who use Flight. Thread-safe.
 */
final class ReadySignal implements ClientInterceptor {

  @Override
  public <Q, R> ClientCall<Q, R> interceptCall(
      MethodDescriptor<Q, R> method, CallOptions options, Channel next) {
    return new SimpleForwardingClientCall<>(next.newCall(method, options)) {
      @Override
      public void start(Listener<R> listener, Metadata headers) {
        super.start(
            new SimpleForwardingClientCallListener<>(listener) {
              @Override
              public void onReady() {
                super.onReady();
                wake();
              }
            },
            headers);
      }
    };
  }

  /** Has whoever waits look again. */
  synchronized void wake() {
    notifyAll();
  }

  /**
   * Waits until {@code done}, which must come with a call that gets ready or a {@link #wake}.
   *
   * @return false when the time is over
   */
  synchronized boolean await(BooleanSupplier done, long timeoutMs) throws InterruptedException {
    long deadline = System.nanoTime() + timeoutMs * 1_000_000;
    while (!done.getAsBoolean()) {
      long leftMs = (deadline - System.nanoTime()) / 1_000_000;
      if (leftMs <= 0) {
        return false;
      }
      wait(leftMs);
    }
    return true;
  }
}
