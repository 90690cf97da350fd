package io.sluiceway.flink.client;

/**
 * One batch is durable.
 *
 * @param lsn the commit's LSN
 * @param rows rows of the batch
 * @param events change events that it made
 */
record Acknowledgement(long lsn, long rows, long events) {
  static final Acknowledgement NONE = new Acknowledgement(0, 0, 0);
}
