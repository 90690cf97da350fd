/**
 * What the connector and the sync share: tables as values, a connection to a warehouse, and the two
 * service interfaces by which one jar finds the other.
 *
 * <p>Nothing here names Arrow, Flight or JSON: the connector jar relocates those, and the sync jar
 * is compiled without them. Instances are found by {@link java.util.ServiceLoader} in the class
 * loader of the caller.
 */
package io.sluiceway.flink.api;
