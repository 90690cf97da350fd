package io.sluiceway.flink.api;

import java.util.Map;
import org.apache.flink.configuration.ReadableConfig;

/**
 * What a procedure may know of the catalog that it was called on.
 *
 * @param catalog the catalog's name in the session
 * @param endpoint {@code host:port} of the warehouse
 * @param database the catalog's default database
 * @param options all options of CREATE CATALOG
 * @param configuration the session's configuration: target, REST address, jars, checkpoints
 *     (CatalogFactory.Context)
 * @param classLoader the loader of the user's jars
 */
public record CatalogContext(
    String catalog,
    String endpoint,
    String database,
    Map<String, String> options,
    ReadableConfig configuration,
    ClassLoader classLoader) {}
