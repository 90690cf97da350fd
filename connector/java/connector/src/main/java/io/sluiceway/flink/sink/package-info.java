/**
 * The sink: rows in batches, each durable when its commit is acknowledged.
 *
 * <p>A checkpoint completes only when every row before it is durable. After a restart the rows
 * since the last checkpoint are written again (at least once): without a key they are there twice;
 * with a key the same rows change nothing, but a row that the job does not make again stays
 * (docs/flink.md).
 */
package io.sluiceway.flink.sink;
