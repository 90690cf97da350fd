/** Factories: from a statement's table to a source or a sink. */
package io.sluiceway.flink.table;
