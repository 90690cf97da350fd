/**
 * The options of a statement, made into values.
 *
 * <p>They are declared once, for Python and Java, and read here from the generated resource {@code
 * options.json}; the rest of the connector never sees a string. Precedence: a statement's hint,
 * then the table, then the default that CREATE CATALOG gave, then the option's own.
 */
package io.sluiceway.flink.options;
