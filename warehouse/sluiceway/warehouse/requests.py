"""What the committer is asked to do, and what it answers.

Invariant: everything that can be checked without the state of the shards is checked in the thread
of the one who asks (`prepare_write`), so that the committer does little and fails rarely.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sluiceway.catalog import (
    AddPartition,
    Catalog,
    Change,
    ConflictError,
    NotFoundError,
    Partitions,
    SluicewayError,
    Table,
    UserError,
    Values,
    canonical_values,
    spoken,
    units_of,
)
from sluiceway.warehouse.checkpoint import Stage
from sluiceway.warehouse.load import COALESCED_ROWS_MAX, Slice, cut_load
from sluiceway.warehouse.state import State
from sluiceway.warehouse.table import Move, bytes_of, lacking, partition_values, prepare

log = logging.getLogger(__name__)

CONFLICTS = ("update", "replace", "ignore")


@dataclass(frozen=True)
class WriteRequest:
    """Where a batch goes and what happens to rows that exist.

    `overwrite`: all of them go; in a partitioned table, those of the partitions that get rows, or
    those of one `partition`, to which all rows must belong.
    """

    database: str
    table: str
    table_id: int | None = None
    conflict: str = "update"
    partial: bool = False
    writer: str = ""
    overwrite: bool = False
    partition: Mapping[str, str] | None = field(default=None, hash=False)


@dataclass(frozen=True)
class Ack:
    """A batch is durable and visible at `lsn`."""

    lsn: int
    rows: int
    events: int


@dataclass(frozen=True)
class DdlResult:
    """The changes hold from `lsn` on; the table after each change, None where there is none."""

    lsn: int
    tables: list[Table | None]


@dataclass(frozen=True)
class WritePart:
    """A validated batch of one table; its slices, unless it may be put together with others.

    `values` are those of all partitions for which it has rows to write, as `partitions` knows them.
    """

    request: WriteRequest
    original: pa.RecordBatch
    table: Table
    ops: npt.NDArray[np.int8]
    batch: pa.RecordBatch
    slices: list[Slice] | None
    values: tuple[Values, ...] = ()
    partitions: Partitions | None = None

    @property
    def is_sure(self) -> bool:
        """Whether no shard can refuse its rows for a value that they lack."""
        return not self.request.partial or not lacking(self.table, self.batch.schema)

    def goes_with(self, other: "WritePart") -> bool:
        """Tell whether the rows of two batches of a table may be one load."""
        return (
            self.slices is None
            and other.slices is None
            and self.request.conflict == other.request.conflict
            and self.request.partial == other.request.partial
            and self.batch.schema.equals(other.batch.schema)
        )

    @property
    def rows(self) -> int:
        """Input rows, which decide how many LSNs are reserved."""
        return int(self.original.num_rows)


@dataclass
class WriteWork:
    """Batches of different tables that hold together or not at all, and wait for their commit."""

    parts: tuple[WritePart, ...]
    future: "Future[Ack]" = field(default_factory=Future)

    @property
    def rows(self) -> int:
        """Input rows of all parts."""
        return sum(part.rows for part in self.parts)

    @property
    def overwrites(self) -> bool:
        """Whether the rows that a table has before the write go."""
        return any(part.request.overwrite for part in self.parts)

    @cached_property
    def size_bytes(self) -> int:
        """Bytes of the batches as they came."""
        return sum(bytes_of(part.original) for part in self.parts)


@dataclass
class TruncateWork:
    """End all rows of a table, or of one partition; they count as the rows that came in."""

    request: WriteRequest
    partition: Mapping[str, str] | None = None
    future: "Future[Ack]" = field(default_factory=Future)


# Stages by name, with the epochs of their writers.
StageNames = tuple[tuple[str, int], ...]


@dataclass
class StageWork:
    """Keep a batch, which was found good, for a commit that comes later."""

    name: str
    epoch: int
    sequence: int
    request: WriteRequest
    batch: pa.RecordBatch
    future: "Future[Ack]" = field(default_factory=Future)


@dataclass
class CommitStagedWork:
    """Commit `found`, the stages of these names as they were when `works` was read from them."""

    stages: StageNames
    found: tuple[Stage, ...]
    works: list[WriteWork]
    future: "Future[Ack]" = field(default_factory=Future)


@dataclass
class AbortWork:
    """Give up stages; with `expired_us` those that nobody prolonged."""

    stages: StageNames
    expired_us: int | None = None
    future: "Future[Ack]" = field(default_factory=Future)


@dataclass
class DdlWork:
    """Changes to the catalog that hold together or not at all."""

    changes: Sequence[Change]
    change_id: str | None
    future: "Future[DdlResult]" = field(default_factory=Future)


@dataclass
class HoldWork:
    """Take, renew (`ttl_ms` set) or release a hold."""

    name: str
    lsn: int | None = None
    ttl_ms: int | None = None
    future: "Future[int]" = field(default_factory=Future)


@dataclass
class MomentWork:
    """Wait for the commits on their way; those that follow get times after `time_us`."""

    time_us: int
    future: "Future[int]" = field(default_factory=Future)


@dataclass
class ExpireWork:
    """End the rows of a table that were born at or before an LSN, by unit; answers how many."""

    table_id: int
    born: Mapping[int, int]
    future: "Future[int]" = field(default_factory=Future)


@dataclass
class MoveWork:
    """Move living rows out of a segment; answers how many there were."""

    table_id: int
    unit: int
    move: Move
    future: "Future[int]" = field(default_factory=Future)


@dataclass
class ReleaseWork:
    """Let go of what no LSN that is kept shows: a unit of a dropped partition, a dropped table."""

    table_id: int
    unit: int | None = None
    future: "Future[None]" = field(default_factory=Future)


@dataclass
class StepWork:
    """Do something between two commits that nobody can see and that fails as a whole."""

    step: Callable[[State], Any]
    future: "Future[Any]" = field(default_factory=Future)


Work = (
    WriteWork
    | TruncateWork
    | StageWork
    | CommitStagedWork
    | AbortWork
    | DdlWork
    | HoldWork
    | MomentWork
    | ExpireWork
    | MoveWork
    | ReleaseWork
    | StepWork
)


def target_table(catalog: Catalog, request: WriteRequest) -> Table:
    """The table that a request means now, or ConflictError if it is another one by now."""
    name = f"{request.database}.{request.table}"
    try:
        table = catalog.table(request.database, request.table)
    except NotFoundError:
        if request.table_id is None:
            raise
        raise ConflictError(f"table {name} (id {request.table_id}) was dropped") from None
    if request.table_id is not None and table.id != request.table_id:
        raise ConflictError(
            f"table {name} was created anew: its id is {table.id}, not {request.table_id}; open "
            "the table again"
        )
    return table


Write = tuple[WriteRequest, pa.RecordBatch]


def prepare_write(catalog: Catalog, writes: Sequence[Write]) -> WriteWork:
    """Validate batches that are to be one commit: at least one, each of another table."""
    if not writes:
        raise UserError("a write holds no batch: give it at least one")
    parts = tuple(_prepare_part(catalog, request, batch) for request, batch in writes)
    seen: set[int] = set()
    for part in parts:
        if part.table.id in seen:
            raise UserError(
                f"one write names {part.table.path} twice: put its rows in one batch",
                sqlstate="42712",
            )
        seen.add(part.table.id)
    return WriteWork(parts)


def _prepare_part(catalog: Catalog, request: WriteRequest, batch: pa.RecordBatch) -> WritePart:
    if request.conflict not in CONFLICTS:
        raise UserError(f"conflict {request.conflict!r} is none of {', '.join(CONFLICTS)}")
    table = target_table(catalog, request)
    ops, rows = prepare(table, batch, partial=request.partial)
    partitions = catalog.partitions.get(table.id)
    written = () if partitions is None else _written(table, rows, ops)
    if request.partition is not None:
        _check_partition(table, request, rows)
    slices = None
    if len(ops) > COALESCED_ROWS_MAX:
        slices = cut_load(table, partitions, [(0, ops, rows)])
    return WritePart(request, batch, table, ops, rows, slices, written, partitions)


def _written(table: Table, batch: pa.RecordBatch, ops: npt.NDArray[np.int8]) -> tuple[Values, ...]:
    """The values of the partitions that get rows, in the order in which they come."""
    values, codes = partition_values(table, batch)
    found, first = np.unique(codes[(ops & 1) == 0], return_index=True)
    return tuple(values[code] for code in found[np.argsort(first)].tolist())


def _check_partition(table: Table, request: WriteRequest, batch: pa.RecordBatch) -> None:
    """Refuse rows that are not of the one partition that is overwritten."""
    if not request.overwrite:
        raise UserError(
            f"a write to {table.path} names a partition and overwrites nothing: ask to overwrite, "
            "or leave the partition out",
            sqlstate="42601",
        )
    wanted = canonical_values(table, request.partition or {})
    for values in partition_values(table, batch)[0]:
        if values != wanted:
            raise UserError(
                f"a row of partition {spoken(table, values)} is in a write that overwrites "
                f"{spoken(table, wanted)} of {table.path}: leave it out, or write it alone",
                sqlstate="23514",
            )


def absent_partitions(catalog: Catalog, parts: Sequence[WritePart]) -> list[AddPartition]:
    """What must be created before validated batches can be committed."""
    changes = []
    for part in parts:
        known = catalog.partitions.get(part.table.id)
        for values in part.values:
            if known is not None and values not in known.ids:
                names = dict(zip(part.table.partition_by, values, strict=True))
                changes.append(AddPartition(part.table.database, part.table.name, names))
    return changes


def overwritten_units(catalog: Catalog, part: WritePart) -> Iterator[int]:
    """The units whose rows a batch replaces: all, or those of the partitions that it is for."""
    if part.partitions is None:
        return iter(catalog.units(part.table))
    named, ids = part.request.partition, part.partitions.ids
    found = part.values if named is None else (canonical_values(part.table, named),)
    numbers = (ids[values] for values in found if values in ids)
    return (unit for partition in numbers for unit in units_of(part.table, partition))


def current_parts(catalog: Catalog, work: WriteWork) -> tuple[WritePart, ...]:
    """The parts of a write in the schema and the partitions of now, which DDL may have changed."""
    for part in work.parts:
        table = target_table(catalog, part.request)
        if (
            table.id != part.table.id
            or table.schema_version != part.table.schema_version
            or catalog.partitions.get(table.id) is not part.partitions
        ):
            writes = [(part.request, part.original) for part in work.parts]
            return prepare_write(catalog, writes).parts
    return work.parts


def harmless(error: Exception) -> SluicewayError:
    """What a caller is told about an error that changed nothing."""
    if isinstance(error, SluicewayError):
        return error
    log.error("a request failed", exc_info=error)
    return SluicewayError(f"a defect of Sluiceway: {error!r}; nothing was changed")


def fail(works: Sequence[Work], error: BaseException) -> None:
    """Answer several requests with one error."""
    for work in works:
        future: Future[Any] = work.future
        if not future.done():
            future.set_exception(error)
