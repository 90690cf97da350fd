/**
 * The source: a snapshot at one LSN, then the changelog from the next one.
 *
 * <p>One split is one shard. Its state is a position that names exactly which rows have left it: in
 * the snapshot a birth ordinal and a count of rows after it, in the changelog the LSN of the next
 * event. A restored split therefore neither repeats a row nor misses one, and a bounded read is the
 * same reader that stops after its snapshot.
 */
package io.sluiceway.flink.source;
