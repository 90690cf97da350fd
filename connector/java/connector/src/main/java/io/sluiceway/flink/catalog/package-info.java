/**
 * A warehouse as a catalog of Flink.
 *
 * <p>Every call goes to the server at once: nothing is cached that another session could change.
 * Failures are Flink's own checked exceptions where it has one, else a {@code CatalogException}
 * with the server's text.
 */
package io.sluiceway.flink.catalog;
