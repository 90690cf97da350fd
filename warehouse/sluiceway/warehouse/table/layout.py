"""How a table's columns are stored, and where they lie in a segment's data file.

Data file (all words little-endian, buffers at 64-byte multiples, sparse until written):

    0    i64 column count
    64   one entry of 48 bytes a column: i64 column id, i64 width (`kernels.views`), u64 offset of
         the validity bitmap, u64 offset of the values (VARIABLE: offsets32[capacity + 1]), u64
         offset of the bytes and u64 their limit (0 when not VARIABLE)
    …    the buffers

Invariants: a table without a primary key has the hidden column `_rid` behind its own columns; one
whose rows are kept in a row-major copy too has the hidden column `_row` behind those (`stored`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import pyarrow as pa

from sluiceway.catalog import Table

from ..extents import Extents
from ..kernels.views import BITS, VARIABLE, Int64s
from ..mapped import Mapped
from .arrays import MAX_BYTES
from .column import StoredColumn, hidden_column, stored_column
from .rowmajor import RowColumn

ALIGNMENT_BYTES = 64
ENTRY_BYTES = 48
CAPACITIES_ROWS = (4_096, 65_536, 1_048_576)


class TableLayout:
    """One schema version of a table: what a Shard reads and writes by."""

    def __init__(self, table: Table) -> None:
        self.table = table
        columns = [stored_column(column) for column in table.columns]
        if not table.primary_key:
            columns.append(hidden_column())
        self.columns = tuple(columns)
        self.positions = {column.name: at for at, column in enumerate(self.columns)}
        self.keys = tuple(self.positions[name] for name in table.primary_key)
        self.everything = tuple(range(len(columns)))
        keeps_rows = table.properties.keeps_rows
        self.row_column = RowColumn.of(columns) if keeps_rows else None

    @cached_property
    def stored(self) -> tuple[StoredColumn, ...]:
        """What a segment has: the columns, and the row-major copy."""
        return self.columns if self.row_column is None else (*self.columns, self.row_column)

    def with_rows(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return rows in the columns of a segment, given all others."""
        if self.row_column is None:
            return batch
        return batch.append_column(self.row_column.name, self.row_column.copied(batch.columns))

    @cached_property
    def schema(self) -> pa.Schema:
        """The schema of images: every column of the table, and `_rid` when there is no key."""
        return pa.schema([pa.field(c.name, c.arrow, nullable=c.nullable) for c in self.columns])

    @cached_property
    def has_lists(self) -> bool:
        """Whether any column is stored in another type than users see."""
        return any(column.is_list for column in self.columns)

    @cached_property
    def widths(self) -> Int64s:
        """Width of every column of a segment."""
        return np.array([column.width for column in self.stored], np.int64)

    @cached_property
    def key_types(self) -> tuple[pa.DataType, ...]:
        """Types of the columns of the primary key."""
        return tuple(self.columns[at].arrow for at in self.keys)

    @cached_property
    def exact(self) -> bool:
        """Whether equal index hashes are equal keys: one fixed column of at most 8 bytes."""
        widths = [self.columns[at].width for at in self.keys]
        return len(widths) == 1 and widths[0] in (BITS, 1, 2, 4, 8)

    def select(self, names: Sequence[str] | None) -> tuple[int, ...]:
        """Return the positions of the columns named; of all that users see for None."""
        if names is None:
            return tuple(range(len(self.table.columns)))
        return tuple(self.positions[self.table.column(name).name] for name in names)

    def schema_of(self, positions: Sequence[int]) -> pa.Schema:
        """Return the schema of some columns."""
        return pa.schema([self.schema.field(at) for at in positions])


@lru_cache(maxsize=256)
def layout_of(table: Table) -> TableLayout:
    """Return the layout of a table, which its shards share."""
    return TableLayout(table)


@dataclass(frozen=True)
class Place:
    """Where one column lies in a data file."""

    validity: int
    values: int
    values_bytes: int
    data: int
    data_bytes: int


@dataclass(frozen=True)
class FilePlan:
    """Where every column of a segment lies, how wide it is, and the size of its data file."""

    capacity_rows: int
    widths: tuple[int, ...]
    places: tuple[Place, ...]
    size_bytes: int

    def extents(self, mapped: Mapped) -> Extents:
        """Return the buffers of such a file: its directory, then three a column."""
        bitmap_bytes = _values_bytes(BITS, self.capacity_rows)
        pieces = [(0, self.places[0].validity)]
        for place in self.places:
            pieces.append((place.validity, bitmap_bytes))
            pieces.append((place.values, place.values_bytes))
            pieces.append((place.data, place.data_bytes))
        starts, sizes = zip(*pieces, strict=True)
        return Extents(mapped, starts, sizes)

    def needed_bytes(self, rows: int, fill: Int64s) -> Int64s:
        """Return how much of each of those buffers so many rows take; `fill`, variable bytes."""
        first, each, bitmaps = self._growth
        needed: Int64s = first + rows * each + _values_bytes(BITS, rows) * bitmaps
        needed[3::3] = fill
        return needed

    @cached_property
    def _growth(self) -> Int64s:
        """What each of the buffers takes at first and for each row, and whether it is a bitmap."""
        growth = np.zeros((3, 1 + 3 * len(self.places)), np.int64)
        growth[0, 0] = self.places[0].validity
        growth[2, 1::3] = 1
        first, each, bitmaps = growth[:, 2::3]
        widths = np.array(self.widths)
        first[widths == VARIABLE] = each[widths == VARIABLE] = _values_bytes(VARIABLE, 0)
        fixed = (widths != VARIABLE) & (widths != BITS)
        each[fixed] = widths[fixed]
        bitmaps[widths == BITS] = 1
        return growth

    def directory(self, columns: Sequence[StoredColumn]) -> Int64s:
        """Return the words of the column directory, entries only."""
        words = [
            (c.id, c.width, p.validity, p.values, p.data, p.data_bytes)
            for c, p in zip(columns, self.places, strict=True)
        ]
        return np.array(words, np.int64)


def plan_file(
    columns: Sequence[StoredColumn], capacity_rows: int, first_row_bytes: Int64s
) -> FilePlan:
    """Lay out a data file; `first_row_bytes` is what its first row needs, column by column."""
    at = _align(ALIGNMENT_BYTES + len(columns) * ENTRY_BYTES)
    places = []
    for column, needed in zip(columns, first_row_bytes.tolist(), strict=True):
        validity = at
        values = _align(validity + (capacity_rows + 7) // 8)
        values_bytes = _values_bytes(column.width, capacity_rows)
        data = data_bytes = 0
        at = _align(values + values_bytes)
        if column.width == VARIABLE:
            reserved = min(capacity_rows * column.reserved_bytes, MAX_BYTES)
            data, data_bytes = at, max(reserved, needed)
            at = _align(data + data_bytes)
        places.append(Place(validity, values, values_bytes, data, data_bytes))
    return FilePlan(capacity_rows, tuple(c.width for c in columns), tuple(places), at)


def fixed_bytes(width: int, rows: int) -> int:
    """Return what the validity and the values (or offsets) of so many rows take."""
    return (rows + 7) // 8 + _values_bytes(width, rows)


def _values_bytes(width: int, rows: int) -> int:
    if width == VARIABLE:
        return (rows + 1) * 4
    return (rows + 7) // 8 if width == BITS else rows * width


def _align(at: int) -> int:
    return -(-at // ALIGNMENT_BYTES) * ALIGNMENT_BYTES
