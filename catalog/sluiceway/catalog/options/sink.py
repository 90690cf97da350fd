"""Options of writing to a table."""

from __future__ import annotations

from functools import partial

from sluiceway.catalog.option import (
    BOOLEAN,
    DURATION,
    INT,
    LONG,
    POSITIVE,
    STRING,
    Alias,
    Option,
    Scope,
    choice,
)
from sluiceway.catalog.options.common import NONE, ONLY, aliases

_sink = partial(Option, scope=Scope.SINK)

SINK: tuple[Option, ...] = (
    _sink(
        "sink.on-conflict-action",
        choice("INSERT_OR_UPDATE", "INSERT_OR_IGNORE", "INSERT_OR_REPLACE"),
        "INSERT_OR_UPDATE",
        "What an insert does to a row whose key exists.",
        aliases=aliases("mutatetype"),
    ),
    _sink(
        "sink.delete-strategy",
        choice("CHANGELOG_STANDARD", "IGNORE_DELETE", "NON_PK_FIELD_TO_NULL", "DELETE_ROW_ON_PK"),
        "CHANGELOG_STANDARD",
        "A delete removes the row, is dropped, or sets the written columns to NULL; so does an "
        "update that leaves a filter (docs/flink.md).",
        aliases=tuple(
            Alias(name, {"true": "IGNORE_DELETE", "false": "CHANGELOG_STANDARD"})
            for name in ("ignoredelete", "sink.ignore-delete")
        ),
    ),
    _sink(
        "sink.update-before.wait-ms",
        DURATION,
        None,
        "How long a before image waits for its after image until it counts as a delete; not set, "
        "1000, in a partial insert 10000.",
        unit="ms",
    ),
    _sink(
        "sink.partial-insert.enabled",
        BOOLEAN,
        "true",
        "INSERT with a column list keeps the other columns (true) or sets them to NULL.",
        aliases=aliases("partial-insert.enabled"),
    ),
    _sink("sink.parallelism", POSITIVE, None, "Parallelism of the sink."),
    _sink(
        "sink.insert.batch-size",
        POSITIVE,
        "8192",
        "Rows after which a batch leaves.",
        unit="rows",
        aliases=aliases("jdbcWriteBatchSize"),
    ),
    _sink(
        "sink.insert.batch-byte-size",
        LONG,
        "2097152",
        "Bytes after which a batch leaves.",
        unit="bytes",
        aliases=aliases("jdbcWriteBatchByteSize"),
    ),
    _sink(
        "sink.insert.flush-interval-ms",
        INT,
        "20",
        "How long a row may wait in the writer.",
        unit="ms",
        aliases=aliases("jdbcWriteFlushInterval"),
    ),
    _sink(
        "sink.insert.batch-total-byte-size",
        LONG,
        "20971520",
        "Batches have one limit.",
        unit="bytes",
        effect=NONE,
        aliases=aliases("jdbcWriteBatchTotalByteSize"),
    ),
    _sink(
        "sink.write-mode",
        choice("INSERT", "AUTO", "COPY_STREAM", "COPY_BULK_LOAD", "COPY_BULK_LOAD_ON_CONFLICT"),
        "INSERT",
        "There is one way to write.",
        effect=NONE,
    ),
    _sink("bulkload", BOOLEAN, None, "There is one way to write.", effect=NONE),
    _sink("sink.copy.format", STRING, None, "There is one format.", effect=NONE),
    _sink(
        "sink.create-missing-partition",
        BOOLEAN,
        "false",
        "Partitions are always created when rows come for them.",
        effect=NONE,
        aliases=aliases("createparttable"),
    ),
    _sink(
        "sink.ignore-null-when-update.enabled",
        BOOLEAN,
        "false",
        "A NULL that is written is a value.",
        effect=ONLY,
        aliases=aliases("ignoreNullWhenUpdate"),
    ),
    _sink(
        "sink.ignore-null-when-update-by-expr.enabled",
        BOOLEAN,
        "false",
        "A NULL that is written is a value.",
        effect=ONLY,
    ),
    _sink(
        "sink.deduplication.enabled",
        BOOLEAN,
        "true",
        "Of the rows of one key in a batch the last one counts, and makes the events.",
        effect=NONE,
        aliases=aliases("deduplication.enabled"),
    ),
    _sink(
        "sink.default-for-not-null-column.enabled",
        BOOLEAN,
        "false",
        "NULL for a NOT NULL column is an error.",
        effect=NONE,
    ),
    _sink("sink.remove-u0000-in-text.enabled", BOOLEAN, "false", "U+0000 is kept.", effect=NONE),
    _sink(
        "sink.aggressive-flush.enabled",
        BOOLEAN,
        "false",
        "sink.insert.flush-interval-ms counts.",
        effect=NONE,
        aliases=aliases("sink.aggressive.enabled aggressive.enabled"),
    ),
    _sink("sink.affect-rows.enabled", BOOLEAN, "false", "Rows are counted.", effect=NONE),
    _sink("sink.api-version-v2.enabled", BOOLEAN, "true", "Always on.", effect=NONE),
    _sink(
        "sink.insert.check-and-put.column",
        STRING,
        None,
        "Conditional writes are not supported.",
        effect=ONLY,
        aliases=aliases("sink.check-and-put.column check-and-put.column"),
    ),
    _sink(
        "sink.insert.check-and-put.operator",
        STRING,
        "GREATER",
        "Conditional writes are not supported.",
        effect=NONE,
        aliases=aliases("sink.check-and-put.operator check-and-put.operator"),
    ),
    _sink(
        "sink.insert.check-and-put.null-as",
        STRING,
        None,
        "Conditional writes are not supported.",
        effect=NONE,
        aliases=aliases("sink.check-and-put.null-as check-and-put.null-as"),
    ),
    _sink(
        "sink.insert.conflict-update-set",
        STRING,
        None,
        "Expressions are not supported.",
        effect=ONLY,
    ),
    _sink(
        "sink.insert.conflict-where", STRING, None, "Expressions are not supported.", effect=ONLY
    ),
    _sink("sink.insert.legacy-put-handler", BOOLEAN, "false", "There is one.", effect=NONE),
    _sink(
        "sink.insert.dirty-data-strategy",
        choice("EXCEPTION", "SKIP"),
        "EXCEPTION",
        "A row that does not fit fails the job.",
        effect=ONLY,
    ),
    _sink("sink.dirty-data-check.enabled", BOOLEAN, "true", "Always on.", effect=NONE),
    _sink(
        "sink.hold-on-update-before.enabled",
        BOOLEAN,
        "false",
        "Before images are not needed to update.",
        effect=NONE,
    ),
    _sink(
        "sink.multi-table.datatype-tolerant.enabled",
        BOOLEAN,
        "false",
        "Types are mapped by the sync.",
        effect=NONE,
    ),
    _sink(
        "sink.multi-table.extra-column-tolerant.enabled",
        BOOLEAN,
        "false",
        "Columns are added by the sync.",
        effect=NONE,
    ),
    _sink(
        "sink.reshuffle-by-holo-distribution-key.enabled",
        BOOLEAN,
        "false",
        "The server cuts batches by shard.",
        effect=NONE,
    ),
    _sink(
        "enableTypeNormalization", BOOLEAN, "false", "Types are mapped by the sync.", effect=NONE
    ),
)
