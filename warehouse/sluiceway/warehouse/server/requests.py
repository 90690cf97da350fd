"""The requests of the wire: one frozen dataclass each (docs/wire.md).

Invariants:
* the dataclass is the only declaration of a request: `wire.py` decodes by its fields, and what has
  no default must be in the JSON;
* the only unions are `T | None`; a request may hold a tuple of others; integers carry their range
  in the field's metadata.
"""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field
from typing import Any, Literal

# A request is a few names and numbers; DDL of a wide table is some 100 kB. Rows never come as JSON.
REQUEST_BYTES_MAX = 8 << 20
LSN_MAX = 2**63 - 1
BATCH_ROWS_DEFAULT = 8192
BATCH_ROWS_MAX = 1 << 20
HEARTBEAT_MS_DEFAULT = 200
HEARTBEAT_MS_MAX = 60_000

Conflict = Literal["update", "replace", "ignore"]


def _number(
    default: Any = MISSING, *, key: str | None = None, least: int = 0, most: int = LSN_MAX
) -> Any:
    """Declare an integer field with its range, and its JSON key where Python reserves the name."""
    return field(default=default, metadata={"key": key, "least": least, "most": most})


@dataclass(frozen=True)
class Empty:
    """A request without arguments: `hello`, `databases`, `status`, `checkpoint`."""


@dataclass(frozen=True)
class Ddl:
    """Catalog changes to apply, all or nothing, at most once per `change_id`."""

    changes: tuple[dict[str, Any], ...]
    change_id: str | None = None


@dataclass(frozen=True)
class Truncate:
    """End all rows of one table, or of one of its partitions."""

    database: str
    table: str
    table_id: int | None = _number(None)
    partition: dict[str, str] | None = None


@dataclass(frozen=True)
class StageName:
    """One stage, and the epoch of the writer that it belongs to."""

    name: str
    epoch: int = _number(0)


@dataclass(frozen=True)
class CommitStaged:
    """Commit stages at one LSN; with `overwrite` in place of the rows of their tables."""

    stages: tuple[StageName, ...]
    overwrite: bool = False
    partition: dict[str, str] | None = None


@dataclass(frozen=True)
class AbortStaged:
    """Give stages up."""

    stages: tuple[StageName, ...]


@dataclass(frozen=True)
class Tables:
    """List the tables of one database."""

    database: str


@dataclass(frozen=True)
class OneTable:
    """Describe one table, as it is or as it was."""

    database: str
    table: str
    lsn: int | None = _number(None)
    time_us: int | None = _number(None, least=-LSN_MAX)


@dataclass(frozen=True)
class Partitions:
    """List the partitions of a table, as they are or as they were."""

    database: str
    table: str
    lsn: int | None = _number(None)


@dataclass(frozen=True)
class Shards:
    """Ask where the shards of a table are, and their positions at a time."""

    database: str
    table: str
    time_us: int | None = _number(None, least=-LSN_MAX)
    lsn: int | None = _number(None)


@dataclass(frozen=True)
class Hold:
    """Create or renew a durable snapshot lease."""

    name: str
    ttl_ms: int = _number(least=1)
    lsn: int | None = _number(None)


@dataclass(frozen=True)
class AtTime:
    """Ask which LSN a time means: the last commit at or before it."""

    time_us: int = _number(least=-LSN_MAX)


@dataclass(frozen=True)
class Release:
    """Give a snapshot lease back."""

    name: str


@dataclass(frozen=True)
class Write:
    """The head of a DoPut stream."""

    database: str
    table: str
    table_id: int | None = _number(None)
    conflict: Conflict = "update"
    partial: bool = False
    writer: str = ""
    overwrite: bool = False
    partition: dict[str, str] | None = None


@dataclass(frozen=True)
class WriteAll:
    """The head of a DoPut stream whose batches are each one write to several tables."""

    tables: tuple[Write, ...]


@dataclass(frozen=True)
class PartitionRange:
    """Which values of a partition column are asked for: those listed, or those between bounds."""

    column: str
    values: tuple[str, ...] | None = None
    low: str | None = None
    high: str | None = None


@dataclass(frozen=True)
class Stage:
    """The head of a DoPut stream whose batches wait for their commit, numbered from `sequence`."""

    database: str
    table: str
    name: str
    epoch: int = _number(0)
    sequence: int = _number(0)
    table_id: int | None = _number(None)
    conflict: Conflict = "update"
    partial: bool = False


@dataclass(frozen=True)
class Scan:
    """The ticket of a snapshot read; partitions outside one of the ranges are left out."""

    database: str
    table: str
    table_id: int | None = _number(None)
    shard: int | None = _number(None)
    lsn: int | None = _number(None)
    columns: tuple[str, ...] | None = None
    start: int = _number(0, key="from")
    hold: str | None = None
    batch_rows: int = _number(BATCH_ROWS_DEFAULT, least=1, most=BATCH_ROWS_MAX)
    at_least: int | None = _number(None)
    partitions: tuple[PartitionRange, ...] = ()


@dataclass(frozen=True)
class Changelog:
    """The ticket of a subscription to one shard of a table."""

    database: str
    table: str
    shard: int = _number()
    start: int = _number(key="from")
    table_id: int | None = _number(None)
    until: int | None = _number(None)
    columns: tuple[str, ...] | None = None
    batch_rows: int = _number(BATCH_ROWS_DEFAULT, least=1, most=BATCH_ROWS_MAX)
    heartbeat_ms: int = _number(HEARTBEAT_MS_DEFAULT, least=1, most=HEARTBEAT_MS_MAX)


@dataclass(frozen=True)
class Sql:
    """The ticket of a query."""

    query: str
    database: str | None = None
    lsn: int | None = _number(None)
    time_us: int | None = _number(None, least=-LSN_MAX)
    at_least: int | None = _number(None)


@dataclass(frozen=True)
class Lookup:
    """The head of a DoExchange look-up stream."""

    database: str
    table: str
    keys: tuple[str, ...]
    table_id: int | None = _number(None)
    columns: tuple[str, ...] | None = None
    at_least: int | None = _number(None)


ACTIONS: Mapping[str, type[Any]] = {
    "hello": Empty,
    "ddl": Ddl,
    "truncate": Truncate,
    "commit_staged": CommitStaged,
    "abort_staged": AbortStaged,
    "databases": Empty,
    "tables": Tables,
    "table": OneTable,
    "partitions": Partitions,
    "shards": Shards,
    "hold": Hold,
    "at_time": AtTime,
    "release": Release,
    "status": Empty,
    "checkpoint": Empty,
}
TICKETS: Mapping[str, type[Any]] = {"scan": Scan, "changelog": Changelog, "sql": Sql}
PUTS: Mapping[str, type[Any]] = {"write": Write, "write_all": WriteAll, "stage": Stage}
PARTS: Mapping[str, type[Any]] = {"partitions": PartitionRange, "stages": StageName}
EXCHANGES: Mapping[str, type[Any]] = {"lookup": Lookup}
