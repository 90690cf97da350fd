"""Every option, declared once: Hologres' names, their VVR 8 aliases, the open connector's names.

Invariants: no two options share a name or an alias, whatever the case (a test sees to it). `docs/options.md` and the
connector's `options.json` are generated from here by `python -m sluiceway.catalog.options_doc`.
"""

from __future__ import annotations

from functools import partial

from sluiceway.catalog.option import (
    BOOLEAN,
    DURATION,
    INT,
    LONG,
    NAMES,
    POSITIVE,
    STRING,
    Alias,
    Effect,
    Option,
    Scope,
    choice,
    integer,
)

MAX_SHARDS = 1024


def _aliases(names: str) -> tuple[Alias, ...]:
    return tuple(Alias(name) for name in names.split())


_catalog = partial(Option, scope=Scope.CATALOG)
_connection = partial(Option, scope=Scope.CONNECTION)
_source = partial(Option, scope=Scope.SOURCE)
_sink = partial(Option, scope=Scope.SINK)
_lookup = partial(Option, scope=Scope.LOOKUP)
_property = partial(Option, scope=Scope.PROPERTY)
_ONLY = Effect.DEFAULT_ONLY
_NONE = Effect.NONE

_CATALOG = (
    _catalog("type", choice("sluiceway", "hologres"), None, "The catalog's factory."),
    _catalog(
        "default-database",
        STRING,
        None,
        "The database that is current at first; dbname says the same.",
    ),
    _catalog(
        "ignore-non-persisted-options",
        BOOLEAN,
        "true",
        "Connection options in a table's WITH are dropped (true) or refused (false).",
    ),
    _catalog(
        "catalog.table.metadata-columns",
        STRING,
        None,
        "Metadata columns that every table shows.",
        effect=_ONLY,
    ),
)

_CONNECTION = (
    _connection("connector", choice("sluiceway", "hologres"), None, "The table's factory."),
    _connection("endpoint", STRING, None, "host:port of the warehouse."),
    _connection("dbname", STRING, None, "Database, or database@warehouse."),
    _connection("tablename", STRING, None, "Table, or schema.table."),
    _connection("username", STRING, None, "Accepted; access is not checked.", effect=_NONE),
    _connection("password", STRING, None, "Accepted; access is not checked.", effect=_NONE),
    _connection(
        "retry-count",
        INT,
        "10",
        "How often a call is tried again after an error that may pass.",
        aliases=_aliases("jdbcRetryCount"),
    ),
    _connection(
        "retry-sleep-step-ms",
        INT,
        "5000",
        "The longest wait before a further try.",
        unit="ms",
        aliases=_aliases("jdbcRetrySleepStepMs"),
    ),
    _connection(
        "connection.pool.size",
        POSITIVE,
        "5",
        "One connection is enough.",
        effect=_NONE,
        aliases=_aliases("connectionSize"),
    ),
    _connection(
        "connection.pool.name",
        STRING,
        "default",
        "One connection is enough.",
        effect=_NONE,
        aliases=_aliases("connectionPoolName"),
    ),
    _connection(
        "connection.fixed.enabled",
        BOOLEAN,
        None,
        "There is one kind of plan.",
        effect=_NONE,
        aliases=_aliases("connection.fixed"),
    ),
    _connection(
        "connection.direct", BOOLEAN, "false", "Connections are direct already.", effect=_NONE
    ),
    _connection(
        "connection.max-idle-ms",
        INT,
        "60000",
        "Connections stay open.",
        unit="ms",
        effect=_NONE,
        aliases=_aliases("jdbcConnectionMaxIdleMs"),
    ),
    _connection(
        "connection.ssl.mode",
        choice("disable", "require", "verify-ca", "verify-full"),
        "disable",
        "Traffic is not encrypted.",
        effect=_ONLY,
    ),
    _connection(
        "connection.ssl.root-cert.location", STRING, None, "Traffic is not encrypted.", effect=_ONLY
    ),
    _connection(
        "connection.akv4.enabled", BOOLEAN, "false", "A signature of one cloud.", effect=_ONLY
    ),
    _connection("connection.akv4.region", STRING, None, "A region of one cloud.", effect=_NONE),
    _connection(
        "meta-cache-ttl-ms",
        INT,
        "0",
        "Nothing is cached that another session could change.",
        unit="ms",
        effect=_NONE,
        aliases=_aliases("connection.meta-cache-ttl-ms jdbcMetaCacheTTL"),
    ),
    _connection("jdbcMetaAutoRefreshFactor", INT, None, "Removed in VVR 11.", effect=_NONE),
    _connection("jdbcRetrySleepInitMs", INT, None, "Removed in VVR 11.", unit="ms", effect=_NONE),
    _connection(
        "statement-timeout-seconds",
        INT,
        "28800",
        "Calls end by their own limits.",
        unit="s",
        effect=_NONE,
    ),
    _connection(
        "serverless-computing.enabled", BOOLEAN, "false", "A pool of one cloud.", effect=_NONE
    ),
    _connection(
        "serverless-computing.query-priority", INT, "3", "A pool of one cloud.", effect=_NONE
    ),
    _connection("sdkMode", STRING, None, "There is one way to read and to write.", effect=_NONE),
    _connection("useRpcMode", BOOLEAN, None, "Removed in VVR 11.", effect=_NONE),
    _connection("partitionrouter", BOOLEAN, None, "Removed in VVR 11.", effect=_NONE),
    _connection("field_delimiter", STRING, None, "Removed in VVR 11.", effect=_NONE),
    _connection(
        "property-version", INT, None, "Sluiceway's defaults are those of version 1.", effect=_NONE
    ),
    _connection(
        "type-mapping.timestamp-converting.legacy",
        BOOLEAN,
        "false",
        "TIMESTAMP has no zone, TIMESTAMP_LTZ has one.",
        effect=_ONLY,
    ),
)

_SOURCE = (
    _source(
        "source.binlog",
        BOOLEAN,
        "true",
        "In a streaming job read the snapshot and then changes (true), or the snapshot alone.",
        aliases=_aliases("binlog"),
    ),
    _source(
        "source.binlog.change-log-mode",
        choice("ALL", "UPSERT", "ALL_AS_APPEND_ONLY"),
        "ALL",
        "Events as they are, without before images, or every event as an inserted row.",
        aliases=(Alias("cdcMode", {"true": "ALL", "false": "ALL_AS_APPEND_ONLY"}),),
    ),
    _source(
        "upsertSource",
        BOOLEAN,
        "false",
        "Before images are always there, which gives the same results.",
        effect=_NONE,
    ),
    _source(
        "source.binlog.startup-mode",
        choice("INITIAL", "EARLIEST_OFFSET", "TIMESTAMP"),
        "INITIAL",
        "Begin with the rows of now and follow, with the oldest kept event, or at startTime.",
        aliases=_aliases("binlogStartupMode"),
    ),
    _source(
        "startTime",
        STRING,
        None,
        "yyyy-MM-dd HH:mm:ss in the session's zone: begin with events committed from then on.",
    ),
    _source(
        "source.binlog.batch-size",
        POSITIVE,
        "8192",
        "Events a batch, at most.",
        unit="rows",
        aliases=_aliases("binlogBatchReadSize"),
    ),
    _source(
        "source.binlog.request-timeout-ms",
        INT,
        "300000",
        "Streams have heartbeats.",
        unit="ms",
        effect=_NONE,
        aliases=_aliases("binlogRetryIntervalMs"),
    ),
    _source("binlogMaxRetryTimes", INT, None, "retry-count counts.", effect=_NONE),
    _source("jdbcBinlogSlotName", STRING, None, "There are no slots.", effect=_NONE),
    _source(
        "source.binlog.read-mode",
        choice("AUTO", "JDBC", "JDBC_FIXED", "HOLOHUB"),
        "AUTO",
        "There is one way to read.",
        effect=_NONE,
    ),
    _source("source.binlog.project-columns.enabled", BOOLEAN, "true", "Always on.", effect=_NONE),
    _source("source.binlog.compression.enabled", BOOLEAN, "false", "Always off.", effect=_NONE),
    _source(
        "source.binlog.filter-push-down.enabled", BOOLEAN, "false", "Flink filters.", effect=_NONE
    ),
    _source(
        "source.binlog.partition-binlog-mode",
        choice("DISABLE", "DYNAMIC", "STATIC"),
        "DISABLE",
        "Tables are not partitioned.",
        effect=_ONLY,
        aliases=_aliases("partition-binlog.mode"),
    ),
    _source(
        "source.binlog.partition-binlog-lateness-timeout-minutes",
        INT,
        "60",
        "Tables are not partitioned.",
        unit="min",
        effect=_NONE,
    ),
    _source(
        "source.binlog.partition-values-to-read",
        STRING,
        None,
        "Tables are not partitioned.",
        effect=_ONLY,
    ),
    _source(
        "source.binlog.logical-partition-filter-column-names",
        STRING,
        None,
        "Tables are not partitioned.",
        effect=_ONLY,
    ),
    _source(
        "source.binlog.logical-partition-filter-column-values",
        STRING,
        None,
        "Tables are not partitioned.",
        effect=_ONLY,
    ),
    _source(
        "source.scan.fetch-size",
        POSITIVE,
        "8192",
        "Rows of the snapshot a batch, at most.",
        unit="rows",
        aliases=_aliases("jdbcScanFetchSize"),
    ),
    _source(
        "source.scan.timeout-seconds",
        INT,
        "60",
        "Scans have heartbeats.",
        unit="s",
        effect=_NONE,
        aliases=_aliases("jdbcScanTimeoutSeconds"),
    ),
    _source(
        "jdbcScanTransactionSessionTimeoutSeconds",
        INT,
        None,
        "Removed in VVR 11.",
        unit="s",
        effect=_NONE,
    ),
    _source(
        "source.scan.filter-push-down.enabled",
        BOOLEAN,
        "false",
        "Flink filters.",
        effect=_NONE,
        aliases=_aliases("source.filter-push-down.enabled enable_filter_push_down"),
    ),
    _source("scan.parallelism", POSITIVE, None, "Parallelism of the source."),
)

_SINK = (
    _sink(
        "sink.on-conflict-action",
        choice("INSERT_OR_UPDATE", "INSERT_OR_IGNORE", "INSERT_OR_REPLACE"),
        "INSERT_OR_UPDATE",
        "What an insert does to a row whose key exists.",
        aliases=_aliases("mutatetype"),
    ),
    _sink(
        "sink.delete-strategy",
        choice("CHANGELOG_STANDARD", "IGNORE_DELETE", "NON_PK_FIELD_TO_NULL", "DELETE_ROW_ON_PK"),
        "CHANGELOG_STANDARD",
        "A delete removes the row, is dropped, or sets the written columns to NULL.",
        aliases=tuple(
            Alias(name, {"true": "IGNORE_DELETE", "false": "CHANGELOG_STANDARD"})
            for name in ("ignoredelete", "sink.ignore-delete")
        ),
    ),
    _sink(
        "sink.partial-insert.enabled",
        BOOLEAN,
        "true",
        "INSERT with a column list keeps the other columns (true) or sets them to NULL.",
        aliases=_aliases("partial-insert.enabled"),
    ),
    _sink("sink.parallelism", POSITIVE, None, "Parallelism of the sink."),
    _sink(
        "sink.insert.batch-size",
        POSITIVE,
        "8192",
        "Rows after which a batch leaves.",
        unit="rows",
        aliases=_aliases("jdbcWriteBatchSize"),
    ),
    _sink(
        "sink.insert.batch-byte-size",
        LONG,
        "2097152",
        "Bytes after which a batch leaves.",
        unit="bytes",
        aliases=_aliases("jdbcWriteBatchByteSize"),
    ),
    _sink(
        "sink.insert.flush-interval-ms",
        INT,
        "100",
        "How long a row may wait in the writer.",
        unit="ms",
        aliases=_aliases("jdbcWriteFlushInterval"),
    ),
    _sink(
        "sink.insert.batch-total-byte-size",
        LONG,
        "20971520",
        "Batches have one limit.",
        unit="bytes",
        effect=_NONE,
        aliases=_aliases("jdbcWriteBatchTotalByteSize"),
    ),
    _sink(
        "sink.write-mode",
        choice("INSERT", "AUTO", "COPY_STREAM", "COPY_BULK_LOAD", "COPY_BULK_LOAD_ON_CONFLICT"),
        "INSERT",
        "There is one way to write.",
        effect=_NONE,
    ),
    _sink("bulkload", BOOLEAN, None, "There is one way to write.", effect=_NONE),
    _sink("sink.copy.format", STRING, None, "There is one format.", effect=_NONE),
    _sink(
        "sink.create-missing-partition",
        BOOLEAN,
        "false",
        "Tables are not partitioned.",
        effect=_ONLY,
        aliases=_aliases("createparttable"),
    ),
    _sink(
        "sink.ignore-null-when-update.enabled",
        BOOLEAN,
        "false",
        "A NULL that is written is a value.",
        effect=_ONLY,
        aliases=_aliases("ignoreNullWhenUpdate"),
    ),
    _sink(
        "sink.ignore-null-when-update-by-expr.enabled",
        BOOLEAN,
        "false",
        "A NULL that is written is a value.",
        effect=_ONLY,
    ),
    _sink(
        "sink.deduplication.enabled",
        BOOLEAN,
        "true",
        "Rows of one key act in their order, and each makes its events.",
        effect=_NONE,
        aliases=_aliases("deduplication.enabled"),
    ),
    _sink(
        "sink.default-for-not-null-column.enabled",
        BOOLEAN,
        "false",
        "NULL for a NOT NULL column is an error.",
        effect=_NONE,
    ),
    _sink("sink.remove-u0000-in-text.enabled", BOOLEAN, "false", "U+0000 is kept.", effect=_NONE),
    _sink(
        "sink.aggressive-flush.enabled",
        BOOLEAN,
        "false",
        "sink.insert.flush-interval-ms counts.",
        effect=_NONE,
        aliases=_aliases("sink.aggressive.enabled aggressive.enabled"),
    ),
    _sink("sink.affect-rows.enabled", BOOLEAN, "false", "Rows are counted.", effect=_NONE),
    _sink("sink.api-version-v2.enabled", BOOLEAN, "true", "Always on.", effect=_NONE),
    _sink(
        "sink.insert.check-and-put.column",
        STRING,
        None,
        "Conditional writes are not supported.",
        effect=_ONLY,
        aliases=_aliases("sink.check-and-put.column check-and-put.column"),
    ),
    _sink(
        "sink.insert.check-and-put.operator",
        STRING,
        "GREATER",
        "Conditional writes are not supported.",
        effect=_NONE,
        aliases=_aliases("sink.check-and-put.operator check-and-put.operator"),
    ),
    _sink(
        "sink.insert.check-and-put.null-as",
        STRING,
        None,
        "Conditional writes are not supported.",
        effect=_NONE,
        aliases=_aliases("sink.check-and-put.null-as check-and-put.null-as"),
    ),
    _sink(
        "sink.insert.conflict-update-set",
        STRING,
        None,
        "Expressions are not supported.",
        effect=_ONLY,
    ),
    _sink(
        "sink.insert.conflict-where", STRING, None, "Expressions are not supported.", effect=_ONLY
    ),
    _sink("sink.insert.legacy-put-handler", BOOLEAN, "false", "There is one.", effect=_NONE),
    _sink(
        "sink.insert.dirty-data-strategy",
        choice("EXCEPTION", "SKIP"),
        "EXCEPTION",
        "A row that does not fit fails the job.",
        effect=_ONLY,
    ),
    _sink("sink.dirty-data-check.enabled", BOOLEAN, "true", "Always on.", effect=_NONE),
    _sink(
        "sink.hold-on-update-before.enabled",
        BOOLEAN,
        "false",
        "Before images are not needed to update.",
        effect=_NONE,
    ),
    _sink(
        "sink.multi-table.datatype-tolerant.enabled",
        BOOLEAN,
        "false",
        "Types are mapped by the sync.",
        effect=_NONE,
    ),
    _sink(
        "sink.multi-table.extra-column-tolerant.enabled",
        BOOLEAN,
        "false",
        "Columns are added by the sync.",
        effect=_NONE,
    ),
    _sink(
        "sink.reshuffle-by-holo-distribution-key.enabled",
        BOOLEAN,
        "false",
        "The server cuts batches by shard.",
        effect=_NONE,
    ),
    _sink(
        "enableTypeNormalization", BOOLEAN, "false", "Types are mapped by the sync.", effect=_NONE
    ),
)

_LOOKUP = (
    _lookup("lookup.async", BOOLEAN, "true", "Ask without waiting.", aliases=_aliases("async")),
    _lookup(
        "lookup.read.batch-size",
        POSITIVE,
        "1024",
        "Keys a request, at most.",
        unit="rows",
        aliases=_aliases("jdbcReadBatchSize"),
    ),
    _lookup(
        "lookup.read.timeout-ms",
        INT,
        "0",
        "How long one request may take; 0 leaves it to the retries.",
        unit="ms",
        aliases=_aliases("jdbcReadTimeoutMs"),
    ),
    _lookup(
        "lookup.read.batch-queue-size",
        INT,
        "256",
        "Flink bounds what waits.",
        effect=_NONE,
        aliases=_aliases("jdbcReadBatchQueueSize"),
    ),
    _lookup("jdbcReadRetryCount", INT, None, "retry-count counts.", effect=_NONE),
    _lookup(
        "lookup.read.column-table.enabled",
        BOOLEAN,
        "true",
        "Every table has its index.",
        effect=_NONE,
    ),
    _lookup(
        "lookup.insert-if-not-exists",
        BOOLEAN,
        "false",
        "A look-up never writes.",
        effect=_ONLY,
        aliases=_aliases("insertIfNotExists"),
    ),
    _lookup("lookup.filter-push-down.enabled", BOOLEAN, "false", "Flink filters.", effect=_NONE),
    _lookup(
        "lookup.cache",
        choice("NONE", "PARTIAL"),
        "NONE",
        "Keep answers in the task (PARTIAL); they may be old until they expire.",
        aliases=(Alias("cache", {"none": "NONE", "lru": "PARTIAL"}),),
    ),
    _lookup(
        "lookup.partial-cache.max-rows",
        LONG,
        "10000",
        "Answers kept, at most.",
        unit="rows",
        aliases=_aliases("cacheSize"),
    ),
    _lookup(
        "lookup.partial-cache.expire-after-write",
        DURATION,
        None,
        "How long an answer is kept.",
        unit="ms",
        aliases=_aliases("cacheTTLMs"),
    ),
    _lookup(
        "lookup.partial-cache.expire-after-access",
        DURATION,
        None,
        "How long an answer is kept that nobody asks for.",
        unit="ms",
    ),
    _lookup(
        "lookup.partial-cache.cache-missing-key",
        BOOLEAN,
        "true",
        "Keep also that a key is not there.",
        aliases=_aliases("cacheEmpty"),
    ),
    _lookup("lookup.max-retries", INT, "3", "retry-count counts.", effect=_NONE),
)

_PROPERTY = (
    _property(
        "table_property.shard_count",
        integer(1, MAX_SHARDS),
        None,
        "Number of shards; not set, the server's default.",
        fixed_at="create",
    ),
    _property(
        "table_property.distribution_key",
        NAMES,
        None,
        "Columns that choose the shard, among those of the primary key; not set, all of these.",
        fixed_at="create",
    ),
    _property(
        "table_property.binlog.ttl",
        LONG,
        "2592000",
        "How long changes are kept for subscribers.",
        unit="s",
        aliases=_aliases("table_property.binlog_ttl"),
    ),
    _property(
        "table_property.binlog.level",
        choice("replica", "none"),
        "replica",
        "Every table has its changelog.",
        effect=_NONE,
        aliases=_aliases("table_property.binlog_level"),
    ),
    _property(
        "table_property.orientation",
        choice("column", "row", "row,column"),
        "row,column",
        "Rows and columns are both there.",
        effect=_NONE,
        fixed_at="create",
    ),
    _property(
        "table_property.table_group",
        STRING,
        None,
        "There is one group of shards a table.",
        effect=_NONE,
        fixed_at="create",
    ),
    _property(
        "table_property.clustering_key",
        STRING,
        None,
        "Rows are kept in the order of writing.",
        effect=_NONE,
        fixed_at="create",
    ),
    _property(
        "table_property.event_time_column",
        STRING,
        None,
        "Rows are kept in the order of writing.",
        effect=_NONE,
        fixed_at="create",
        aliases=_aliases("table_property.segment_key"),
    ),
    _property("table_property.bitmap_columns", STRING, None, "There are no bitmaps.", effect=_NONE),
    _property(
        "table_property.dictionary_encoding_columns",
        STRING,
        None,
        "There are no dictionaries.",
        effect=_NONE,
    ),
    _property(
        "table_property.time_to_live_in_seconds",
        LONG,
        "3153600000",
        "Rows do not expire.",
        unit="s",
        effect=_NONE,
    ),
)

ALL: tuple[Option, ...] = _CATALOG + _CONNECTION + _SOURCE + _SINK + _LOOKUP + _PROPERTY
