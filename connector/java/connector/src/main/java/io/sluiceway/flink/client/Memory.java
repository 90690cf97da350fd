package io.sluiceway.flink.client;

import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The root of all Arrow memory of this class loader. Buffers pass between a writer and its
 * connections, which Arrow allows below one root only.
 */
final class Memory {
  private static final Logger LOG = LoggerFactory.getLogger(Memory.class);
  private static final BufferAllocator ROOT = root();

  private Memory() {}

  /** An allocator that the caller closes by {@link #close}. */
  static BufferAllocator child(String name) {
    return ROOT.newChildAllocator(name, 0, Long.MAX_VALUE);
  }

  /** Closes an allocator; memory that a cancelled call still holds is reported, not thrown. */
  static void close(BufferAllocator allocator) {
    try {
      allocator.close();
    } catch (IllegalStateException e) {
      LOG.warn("{} was closed with memory in use: {}", allocator.getName(), e.getMessage());
    }
  }

  private static BufferAllocator root() {
    Module base = Object.class.getModule();
    if (!base.isOpen("java.nio", BufferAllocator.class.getModule())) {
      throw new IllegalStateException(
          "this JVM does not let Arrow reach its buffers: start it with"
              + " --add-opens=java.base/java.nio=ALL-UNNAMED (Flink's own configuration has it in"
              + " env.java.opts.all; FLINK_ENV_JAVA_OPTS replaces that)");
    }
    return new RootAllocator();
  }
}
