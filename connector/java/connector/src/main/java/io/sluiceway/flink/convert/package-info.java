/**
 * Rows to Arrow and back.
 *
 * <p>Both ways go through heap arrays: one array a column, copied in bulk into or out of an Arrow
 * vector. Nothing that leaves this package refers to Arrow memory, apart from the {@code
 * VectorSchemaRoot} that its caller owns.
 */
package io.sluiceway.flink.convert;
