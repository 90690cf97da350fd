"""Options of reading a table, as a snapshot and as a changelog."""

from __future__ import annotations

from functools import partial

from sluiceway.catalog.option import (
    BOOLEAN,
    INT,
    POSITIVE,
    STRING,
    Alias,
    Option,
    Scope,
    choice,
    integer,
)
from sluiceway.catalog.options.common import NONE, ONLY, aliases

_source = partial(Option, scope=Scope.SOURCE)

SOURCE: tuple[Option, ...] = (
    _source(
        "source.binlog",
        BOOLEAN,
        "true",
        "In a streaming job read the snapshot and then changes (true), or the snapshot alone.",
        aliases=aliases("binlog"),
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
        effect=NONE,
    ),
    _source(
        "source.binlog.startup-mode",
        choice("INITIAL", "EARLIEST_OFFSET", "TIMESTAMP"),
        "INITIAL",
        "Begin with the rows of now and follow, with the oldest kept event, or at startTime.",
        aliases=aliases("binlogStartupMode"),
    ),
    _source(
        "startTime",
        STRING,
        None,
        "yyyy-MM-dd HH:mm:ss in the session's zone: begin with events committed from then on.",
    ),
    _source(
        "source.snapshot-lsn",
        integer(1, 2**63 - 1),
        None,
        "Read the rows as they were at this LSN, once, in any job; FOR SYSTEM_TIME AS OF sets it.",
    ),
    _source(
        "source.binlog.batch-size",
        POSITIVE,
        "8192",
        "Events a batch, at most.",
        unit="rows",
        aliases=aliases("binlogBatchReadSize"),
    ),
    _source(
        "source.binlog.request-timeout-ms",
        INT,
        "300000",
        "Streams have heartbeats.",
        unit="ms",
        effect=NONE,
        aliases=aliases("binlogRetryIntervalMs"),
    ),
    _source("binlogMaxRetryTimes", INT, None, "retry-count counts.", effect=NONE),
    _source("jdbcBinlogSlotName", STRING, None, "There are no slots.", effect=NONE),
    _source(
        "source.binlog.read-mode",
        choice("AUTO", "JDBC", "JDBC_FIXED", "HOLOHUB"),
        "AUTO",
        "There is one way to read.",
        effect=NONE,
    ),
    _source("source.binlog.project-columns.enabled", BOOLEAN, "true", "Always on.", effect=NONE),
    _source("source.binlog.compression.enabled", BOOLEAN, "false", "Always off.", effect=NONE),
    _source(
        "source.binlog.filter-push-down.enabled", BOOLEAN, "false", "Flink filters.", effect=NONE
    ),
    _source(
        "source.binlog.partition-binlog-mode",
        choice("DISABLE", "DYNAMIC", "STATIC"),
        "DISABLE",
        "The changes of all partitions are read, new ones included, as of one table.",
        effect=NONE,
        aliases=aliases("partition-binlog.mode"),
    ),
    _source(
        "source.binlog.partition-binlog-lateness-timeout-minutes",
        INT,
        "60",
        "Partitions are read as rows come, however late.",
        unit="min",
        effect=NONE,
    ),
    _source(
        "source.binlog.partition-values-to-read",
        STRING,
        None,
        "All partitions are read: use WHERE.",
        effect=ONLY,
    ),
    _source(
        "source.binlog.logical-partition-filter-column-names",
        STRING,
        None,
        "All partitions are read: use WHERE.",
        effect=ONLY,
    ),
    _source(
        "source.binlog.logical-partition-filter-column-values",
        STRING,
        None,
        "All partitions are read: use WHERE.",
        effect=ONLY,
    ),
    _source(
        "source.scan.fetch-size",
        POSITIVE,
        "8192",
        "Rows of the snapshot a batch, at most.",
        unit="rows",
        aliases=aliases("jdbcScanFetchSize"),
    ),
    _source(
        "source.scan.timeout-seconds",
        INT,
        "60",
        "Scans have heartbeats.",
        unit="s",
        effect=NONE,
        aliases=aliases("jdbcScanTimeoutSeconds"),
    ),
    _source(
        "jdbcScanTransactionSessionTimeoutSeconds",
        INT,
        None,
        "Removed in VVR 11.",
        unit="s",
        effect=NONE,
    ),
    _source(
        "source.scan.filter-push-down.enabled",
        BOOLEAN,
        "false",
        "Flink filters.",
        effect=NONE,
        aliases=aliases("source.filter-push-down.enabled enable_filter_push_down"),
    ),
    _source("scan.parallelism", POSITIVE, None, "Parallelism of the source."),
)
