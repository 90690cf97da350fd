"""Options of a server: its command line, its environment and its file take the same ones."""

from __future__ import annotations

from functools import partial

from sluiceway.catalog.option import SIZE, STRING, Option, Scope, integer
from sluiceway.catalog.options.common import MAX_SHARDS

_server = partial(Option, scope=Scope.SERVER)
_SECONDS = partial(integer, high=2**31)

SERVER: tuple[Option, ...] = (
    _server("data", STRING, "warehouse", "The folder that holds the warehouse."),
    _server("host", STRING, "127.0.0.1", "The address to listen on."),
    _server("port", integer(0, 65_535), "0", "The port; 0 is the one of last time, or any."),
    _server(
        "readers",
        integer(0, 64),
        None,
        "Processes beside it that only read; left out: one a core beyond two, at most 4.",
    ),
    _server(
        "memory",
        SIZE,
        "0",
        "Most memory of the writing process that cannot be evicted; 0 is 60 % of the machine's.",
    ),
    _server("shards", integer(1, MAX_SHARDS), "1", "Shards of a table that does not say how many."),
    _server(
        "run_dir",
        STRING,
        None,
        "The folder in which mutable memory is mapped; left out: a tmpfs when it has room.",
    ),
    _server(
        "checkpoint_log_bytes", SIZE, "256 MiB", "Log after which a checkpoint follows; 0 is never."
    ),
    _server("packed_shard_bytes", SIZE, "256 KiB", "A shard up to this size shares data files."),
    _server("log_file_bytes", SIZE, "256 MiB", "Size at which a new log file begins."),
    _server(
        "log_keep_bytes", SIZE, "0", "Most log that is kept, whatever binlog.ttl says; 0 is all."
    ),
    _server("history_s", _SECONDS(0), "300", "How long the past can be read AS OF.", unit="s"),
    _server(
        "stage_ttl_s",
        _SECONDS(1),
        "86400",
        "After so long a stage to which nothing was added is aborted.",
        unit="s",
    ),
    _server("group_rows_max", integer(1, 10_000_000), "200000", "Most input rows of one commit."),
    _server("tail_cache_bytes", SIZE, "64 MiB", "Newest changes kept in memory for readers."),
)
