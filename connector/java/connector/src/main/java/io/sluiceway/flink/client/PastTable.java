package io.sluiceway.flink.client;

import io.sluiceway.flink.api.TableDefinition;

/** A table as it was at an LSN. */
public record PastTable(TableDefinition table, long lsn) {}
