"""Options of look-ups: a table joined by its key."""

from __future__ import annotations

from functools import partial

from sluiceway.catalog.option import (
    BOOLEAN,
    DURATION,
    INT,
    LONG,
    POSITIVE,
    Alias,
    Option,
    Scope,
    choice,
)
from sluiceway.catalog.options.common import NONE, ONLY, aliases

_lookup = partial(Option, scope=Scope.LOOKUP)

LOOKUP: tuple[Option, ...] = (
    _lookup(
        "lookup.async",
        BOOLEAN,
        "true",
        "Ask without waiting. Raise `table.exec.async-lookup.buffer-capacity` to 2000 for speed.",
        aliases=aliases("async"),
    ),
    _lookup(
        "lookup.read.batch-size",
        POSITIVE,
        "1024",
        "Keys a request, at most.",
        unit="rows",
        aliases=aliases("jdbcReadBatchSize"),
    ),
    _lookup(
        "lookup.read.timeout-ms",
        INT,
        "0",
        "How long one request may take; 0 leaves it to the retries.",
        unit="ms",
        aliases=aliases("jdbcReadTimeoutMs"),
    ),
    _lookup(
        "lookup.read.batch-queue-size",
        INT,
        "256",
        "Flink bounds what waits.",
        effect=NONE,
        aliases=aliases("jdbcReadBatchQueueSize"),
    ),
    _lookup("jdbcReadRetryCount", INT, None, "retry-count counts.", effect=NONE),
    _lookup(
        "lookup.read.column-table.enabled",
        BOOLEAN,
        "true",
        "Every table has its index.",
        effect=NONE,
    ),
    _lookup(
        "lookup.insert-if-not-exists",
        BOOLEAN,
        "false",
        "A look-up never writes.",
        effect=ONLY,
        aliases=aliases("insertIfNotExists"),
    ),
    _lookup("lookup.filter-push-down.enabled", BOOLEAN, "false", "Flink filters.", effect=NONE),
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
        aliases=aliases("cacheSize"),
    ),
    _lookup(
        "lookup.partial-cache.expire-after-write",
        DURATION,
        None,
        "How long an answer is kept.",
        unit="ms",
        aliases=aliases("cacheTTLMs"),
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
        aliases=aliases("cacheEmpty"),
    ),
    _lookup("lookup.max-retries", INT, "3", "retry-count counts.", effect=NONE),
)
