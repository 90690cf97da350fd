/**
 * The sink: rows in batches, each durable when its commit is acknowledged.
 *
 * <p>A checkpoint completes only when every row before it is durable. After a restart the rows
 * since the last checkpoint are written again: with a primary key that changes nothing in the end,
 * without one they are there twice (at least once).
 */
package io.sluiceway.flink.sink;
