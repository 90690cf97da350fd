/**
 * Look-ups by primary key, for dimension joins.
 *
 * <p>All keys that wait are asked for at once while no request is under way, so that throughput
 * rises with load and a single look-up waits for nobody. A look-up always ends: with the row, with
 * none, or with the server's message once the retries are used up.
 */
package io.sluiceway.flink.lookup;
