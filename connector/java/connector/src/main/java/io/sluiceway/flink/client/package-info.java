/**
 * The wire of docs/wire.md: Arrow Flight with JSON around it.
 *
 * <p>Every connection has an event loop of its own that is shut down before {@code close} returns,
 * so that no thread outlives a job's class loader. Every wait is interruptible and bounded. What
 * the server says reaches the caller as a {@link io.sluiceway.flink.api.WarehouseException} with
 * the server's own text.
 */
package io.sluiceway.flink.client;
