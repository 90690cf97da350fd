"""Options of CREATE CATALOG and of the way to the warehouse."""

from __future__ import annotations

from functools import partial

from sluiceway.catalog.option import BOOLEAN, INT, POSITIVE, STRING, Option, Scope, choice
from sluiceway.catalog.options.common import NONE, ONLY, aliases

_catalog = partial(Option, scope=Scope.CATALOG)
_connection = partial(Option, scope=Scope.CONNECTION)

CATALOG: tuple[Option, ...] = (
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
        effect=ONLY,
    ),
)

CONNECTION: tuple[Option, ...] = (
    _connection("connector", choice("sluiceway", "hologres"), None, "The table's factory."),
    _connection("endpoint", STRING, None, "host:port of the warehouse."),
    _connection("dbname", STRING, None, "Database, or database@warehouse."),
    _connection("tablename", STRING, None, "Table, or schema.table."),
    _connection("username", STRING, None, "Accepted; access is not checked.", effect=NONE),
    _connection("password", STRING, None, "Accepted; access is not checked.", effect=NONE),
    _connection(
        "retry-count",
        INT,
        "10",
        "How often a call is tried again after an error that may pass.",
        aliases=aliases("jdbcRetryCount"),
    ),
    _connection(
        "retry-sleep-step-ms",
        INT,
        "5000",
        "The longest wait before a further try.",
        unit="ms",
        aliases=aliases("jdbcRetrySleepStepMs"),
    ),
    _connection(
        "connection.pool.size",
        POSITIVE,
        "5",
        "One connection is enough.",
        effect=NONE,
        aliases=aliases("connectionSize"),
    ),
    _connection(
        "connection.pool.name",
        STRING,
        "default",
        "One connection is enough.",
        effect=NONE,
        aliases=aliases("connectionPoolName"),
    ),
    _connection(
        "connection.fixed.enabled",
        BOOLEAN,
        None,
        "There is one kind of plan.",
        effect=NONE,
        aliases=aliases("connection.fixed"),
    ),
    _connection(
        "connection.direct", BOOLEAN, "false", "Connections are direct already.", effect=NONE
    ),
    _connection(
        "connection.max-idle-ms",
        INT,
        "60000",
        "Connections stay open.",
        unit="ms",
        effect=NONE,
        aliases=aliases("jdbcConnectionMaxIdleMs"),
    ),
    _connection(
        "connection.ssl.mode",
        choice("disable", "require", "verify-ca", "verify-full"),
        "disable",
        "Traffic is not encrypted.",
        effect=ONLY,
    ),
    _connection(
        "connection.ssl.root-cert.location", STRING, None, "Traffic is not encrypted.", effect=ONLY
    ),
    _connection(
        "connection.akv4.enabled", BOOLEAN, "false", "A signature of one cloud.", effect=ONLY
    ),
    _connection("connection.akv4.region", STRING, None, "A region of one cloud.", effect=NONE),
    _connection(
        "meta-cache-ttl-ms",
        INT,
        "0",
        "Nothing is cached that another session could change.",
        unit="ms",
        effect=NONE,
        aliases=aliases("connection.meta-cache-ttl-ms jdbcMetaCacheTTL"),
    ),
    _connection("jdbcMetaAutoRefreshFactor", INT, None, "Removed in VVR 11.", effect=NONE),
    _connection("jdbcRetrySleepInitMs", INT, None, "Removed in VVR 11.", unit="ms", effect=NONE),
    _connection(
        "statement-timeout-seconds",
        INT,
        "28800",
        "Calls end by their own limits.",
        unit="s",
        effect=NONE,
    ),
    _connection(
        "serverless-computing.enabled", BOOLEAN, "false", "A pool of one cloud.", effect=NONE
    ),
    _connection(
        "serverless-computing.query-priority", INT, "3", "A pool of one cloud.", effect=NONE
    ),
    _connection("sdkMode", STRING, None, "There is one way to read and to write.", effect=NONE),
    _connection("useRpcMode", BOOLEAN, None, "Removed in VVR 11.", effect=NONE),
    _connection("partitionrouter", BOOLEAN, None, "Removed in VVR 11.", effect=NONE),
    _connection("field_delimiter", STRING, None, "Removed in VVR 11.", effect=NONE),
    _connection(
        "property-version", INT, None, "Sluiceway's defaults are those of version 1.", effect=NONE
    ),
    _connection(
        "type-mapping.timestamp-converting.legacy",
        BOOLEAN,
        "false",
        "TIMESTAMP has no zone, TIMESTAMP_LTZ has one.",
        effect=ONLY,
    ),
)
