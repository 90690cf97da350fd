"""A segment: a range of a shard's rows, as columns (data file) and their history (`side.py`).

Invariants: rows once appended never change; `with_nulls` names the columns (by id) in which some
row is NULL. Only the last segment of a shard is open, the others are sealed; at an LSN below
`sealed_lsn` it was open yet. A sealed segment that came from a checkpoint, or that one has by now,
has its columns where the data file was mapped, and only a side file of its own. A sealed segment is
read in the types of a newer schema through copies of its columns on the heap, each made once, by
whoever asks first, and kept as long as the segment, as are the bounds of its zones; an open one is
only ever read in its own types. A dropped segment holds its place in the order, and no rows that
anyone could see.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from sluiceway.catalog import DiskFullError

from ..kernels import columns as column_kernels
from ..kernels.views import NEVER, VARIABLE, Bools, Int64s, Rows
from ..mapped import Mapped, Memory
from .arrays import constant, rows_of, widened
from .column import StoredColumn
from .layout import ALIGNMENT_BYTES, FilePlan, TableLayout, fixed_bytes
from .rowmajor import ROW_ID, RowColumn
from .side import NoSide, Side
from .zones import ZONE_ROWS, Zones, has_bounds


@dataclass(frozen=True)
class ColumnBuffers:
    """Where one column of one segment lies; `data` is None unless values are variable."""

    validity: pa.Buffer
    values: pa.Buffer
    data: pa.Buffer | None

    def arrow(self) -> list[pa.Buffer]:
        """Return the buffers as Arrow orders them."""
        fixed = [self.validity, self.values]
        return fixed if self.data is None else [*fixed, self.data]


@dataclass(frozen=True)
class DataFile:
    """A file with columns: its name for other processes (docs/format.md), and where it begins."""

    name: str
    address: int

    @property
    def is_durable(self) -> bool:
        """Tell whether it is a checkpoint's: on disk, and never changed."""
        return "/" in self.name


NO_FILE = DataFile("", 0)
# Memory of a data file is asked for by so many rows: values of 8 bytes that fill a page.
READY_ROWS = 512


@dataclass(frozen=True)
class StoredColumns:
    """The columns of a sealed segment, by id, in a data file."""

    buffers: Mapping[int, ColumnBuffers]
    data_file: DataFile


class Segment:
    """One segment; `rows` counts what the writer appended, published or not."""

    def __init__(
        self,
        ordinal: int,
        first_ordinal: int,
        capacity_rows: int,
        schema_version: int,
        side: Side,
        columns: Sequence[StoredColumn],
        buffers: Mapping[int, ColumnBuffers],
        data_file: DataFile,
    ) -> None:
        self.ordinal = ordinal
        self.first_ordinal = first_ordinal
        self.capacity_rows = capacity_rows
        self.schema_version = schema_version
        self.side = side
        self.buffers = buffers
        self.data_file = data_file
        self._columns = {column.id: column for column in columns}
        self._widened: dict[tuple[int, pa.DataType], ColumnBuffers] = {}
        self._zones: dict[tuple[int, pa.DataType], Zones] = {}
        self.rows = 0
        self.published_rows = 0
        self.sealed = True
        self.sealed_lsn = 0
        self.dropped = False
        self.with_nulls: frozenset[int] = frozenset()

    @classmethod
    def placeholder(
        cls, ordinal: int, first_ordinal: int, rows: int, schema_version: int
    ) -> Segment:
        """Return what is left of a dropped segment."""
        left = cls(ordinal, first_ordinal, 0, schema_version, NoSide(), (), {}, NO_FILE)
        left.rows = left.published_rows = rows
        left.dropped = True
        return left

    def array(self, column: StoredColumn, first: int, count: int) -> pa.Array:
        """Return rows `first … first + count` of a column as stored, without copying.

        A column that came after the segment reads as its default.
        """
        found = self.stored(column)
        if found is None:
            return constant(column, count)
        return self._array(column, found, first, count)

    def stored(self, column: StoredColumn) -> ColumnBuffers | None:
        """Return where a column lies in the type asked for.

        None if the column came after the segment, or if the segment's type is a newer one than
        the reader's: then no row here is visible to it.
        """
        own = self._columns.get(column.id)
        if own is None:
            return None
        if own.reads_as(column):
            return self.buffers[column.id]
        if not own.widens_to(column):
            return None
        key = (column.id, column.arrow)
        found = self._widened.get(key)
        # Whoever comes first decides: addresses of a copy must stay good as long as the segment.
        return found or self._widened.setdefault(key, self._widen(own, column))

    def has_as_is(self, column: StoredColumn) -> bool:
        """Tell whether it has a column in buffers that are read as they lie."""
        own = self._columns.get(column.id)
        return own is not None and own.reads_as(column)

    @property
    def row_column(self) -> RowColumn | None:
        """The column that has its rows side by side, if it keeps them so."""
        found = self._columns.get(ROW_ID)
        return found if isinstance(found, RowColumn) else None

    def nulls(self, column: StoredColumn, count: int) -> Bools:
        """Tell which of the first rows are NULL in a column, whatever its type."""
        own = self.buffers.get(column.id)
        if own is None:
            return np.full(count, not column.default.is_valid)
        if column.id not in self.with_nulls:
            return np.zeros(count, np.bool_)
        bits = np.frombuffer(own.validity, np.uint8, (count + 7) // 8)
        nulls: Bools = np.unpackbits(bits, count=count, bitorder="little") == 0
        return nulls

    def variable_bytes(self, rows: Int64s) -> Int64s:
        """Return how many bytes of variable values some rows have."""
        sizes = np.zeros(len(rows), np.int64)
        for own in self.buffers.values():
            if own.data is not None:
                offsets = np.frombuffer(own.values, np.int32)
                sizes += offsets[rows + 1] - offsets[rows]
        return sizes

    def zones(self, column: StoredColumn, rows: int) -> Zones:
        """Return the bounds of a column in zones of rows that never change, given `rows` seen."""
        if not has_bounds(column) or self.stored(column) is None:
            return Zones()
        until = self.rows if self.sealed else rows - rows % ZONE_ROWS
        key = (column.id, column.arrow)
        known = self._zones.get(key, Zones())
        if known.rows < until:
            # Threads that meet here find the same; either may be kept.
            known = self._zones[key] = known.grown(self, column, until)
        return known

    def relocated(self, stored: StoredColumns) -> Segment:
        """Return the same rows and history, sealed, with the columns where they are stored."""
        moved = Segment(
            self.ordinal,
            self.first_ordinal,
            self.capacity_rows,
            self.schema_version,
            self.side,
            tuple(self._columns.values()),
            stored.buffers,
            stored.data_file,
        )
        moved.rows, moved.published_rows = self.rows, self.published_rows
        moved.with_nulls, moved.sealed_lsn = self.with_nulls, self.sealed_lsn
        moved._zones = self._zones
        moved._widened = {
            (at, kind): ColumnBuffers(stored.buffers[at].validity, copy.values, copy.data)
            for (at, kind), copy in tuple(self._widened.items())
        }
        return moved

    def _array(
        self, column: StoredColumn, found: ColumnBuffers, first: int, count: int
    ) -> pa.Array:
        buffers = found.arrow()
        if column.id not in self.with_nulls:
            buffers[0] = None
        return pa.Array.from_buffers(column.storage, count, buffers, offset=first)

    def _widen(self, own: StoredColumn, column: StoredColumn) -> ColumnBuffers:
        found = self.buffers[own.id]
        _, values, *data = widened(own, column, self._array(own, found, 0, self.rows)).buffers()
        return ColumnBuffers(found.validity, values, data[0] if data else None)

    @property
    def is_in_memory(self) -> bool:
        """Tell whether the columns lie in a file of the run folder alone."""
        return not self.dropped and not self.data_file.is_durable

    def used_bytes(self) -> int:
        """Return how many bytes the rows take: columns, marks and chains."""
        used = 0 if self.dropped else self.rows * 16
        for at, stored in self.buffers.items():
            used += fixed_bytes(self._columns[at].width, self.rows)
            if stored.data is not None:
                used += int(np.frombuffer(stored.values, np.int32)[self.rows])
        for copy in tuple(self._widened.values()):
            used += copy.values.size + (0 if copy.data is None else copy.data.size)
        return used

    def files(self) -> list[Mapped]:
        """Return the mapped files that are the segment's own."""
        return [] if self.dropped else [self.side.mapped]

    def restore(self, marks: Int64s, runs: Int64s) -> None:
        """Take over the history that a checkpoint kept of all rows of the segment."""
        self.rows = self.published_rows = len(marks)
        self.side.restore(marks, runs)

    def publish(self, lsn: int, time_us: int) -> None:
        """Append the run of what was appended since the last one."""
        if self.rows > self.published_rows:
            self.side.append_run(lsn, time_us, self.rows)
            self.published_rows = self.rows


class Tail(Segment):
    """The open segment of a shard: the one that rows are appended to."""

    def __init__(
        self, ordinal: int, first_ordinal: int, layout: TableLayout, plan: FilePlan, memory: Memory
    ) -> None:
        name = f"{layout.table.id}.{ordinal}"
        self.mapped = memory.create(f"{name}.data", plan.size_bytes)
        try:
            side = Side.create(memory, f"{name}.side", plan.capacity_rows)
        except DiskFullError:
            memory.release(self.mapped)
            raise
        buffers = _buffers(self.mapped.buffer, layout.stored, plan)
        version = layout.table.schema_version
        super().__init__(
            ordinal,
            first_ordinal,
            plan.capacity_rows,
            version,
            side,
            layout.stored,
            buffers,
            DataFile(self.mapped.path.name, self.mapped.address),
        )
        self.sealed = False
        self._plan = plan
        self._ids = [column.id for column in layout.stored]
        self._extents = plan.extents(self.mapped)
        self._targets = [
            np.array([self.mapped.address + offset for offset in offsets], np.int64)
            for offsets in zip(*[(p.validity, p.values, p.data) for p in plan.places], strict=True)
        ]
        self._limit = np.array([place.data_bytes for place in plan.places], np.int64)
        self._fill = np.zeros(len(plan.places), np.int64)
        # How many rows, and how many variable bytes, have memory in the data file.
        self._ready_rows, self._ready_fill = 0, self._fill
        self._nulled = np.zeros(len(plan.places), np.bool_)

    def files(self) -> list[Mapped]:
        """Return the mapped files that are the segment's own."""
        return [self.mapped, self.side.mapped]

    def fill_from(self, columns: Sequence[pa.Array]) -> None:
        """Append the first rows of a segment that begins anew."""
        rows, count = rows_of(columns), len(columns[0])
        self.reserve(rows, 0, count)
        self.append(rows, 0, count)

    def reserve(self, rows: Rows, start: int, count: int) -> None:
        """Have memory for rows that are appended next and their history, or DiskFullError."""
        until = self.rows + count
        if until > self._ready_rows or self._fitting(rows, start, count, self._ready_fill) < count:
            self._reach(until, self._fill + column_kernels.variable_bytes(rows, start, count))
        self.side.reserve(until, until, self.side.run_count(NEVER) + 1)

    def _reach(self, rows: int, fill: Int64s) -> None:
        """Have memory in the data file for so many rows and variable bytes, and for a few more."""
        ahead = min(-(-rows // READY_ROWS) * READY_ROWS, self.capacity_rows)
        self._extents.reach(self._plan.needed_bytes(ahead, fill))
        self._ready_rows, self._ready_fill = ahead, self._extents.reached_bytes[3::3].copy()
        if self.rows == 0:
            self._write_directory(tuple(self._columns.values()), self._plan)

    def room(self, rows: Rows, start: int, count: int) -> int:
        """Return how many of the rows fit."""
        count = min(count, self.capacity_rows - self.rows)
        return self._fitting(rows, start, count, self._limit)

    def _fitting(self, rows: Rows, start: int, count: int, limit: Int64s) -> int:
        return column_kernels.rows_that_fit(rows, start, count, self._fill, limit)

    def append(self, rows: Rows, start: int, count: int) -> None:
        """Append rows for which there is room."""
        validity, values, data = self._targets
        if column_kernels.append(
            rows, start, count, validity, values, data, self.rows, self._fill, self._nulled
        ):
            self.with_nulls = frozenset(self._ids[at] for at in np.flatnonzero(self._nulled))
        self.rows += count

    def _write_directory(self, columns: Sequence[StoredColumn], plan: FilePlan) -> None:
        words = np.frombuffer(self.mapped.buffer, np.int64)
        words[0] = len(columns)
        entries = plan.directory(columns).ravel()
        first = ALIGNMENT_BYTES // 8
        words[first : first + len(entries)] = entries


def _buffers(
    whole: pa.Buffer, columns: Sequence[StoredColumn], plan: FilePlan
) -> dict[int, ColumnBuffers]:
    bitmap_bytes = (plan.capacity_rows + 7) // 8
    found = {}
    for column, place in zip(columns, plan.places, strict=True):
        data = whole.slice(place.data, place.data_bytes) if column.width == VARIABLE else None
        found[column.id] = ColumnBuffers(
            whole.slice(place.validity, bitmap_bytes),
            whole.slice(place.values, place.values_bytes),
            data,
        )
    return found
