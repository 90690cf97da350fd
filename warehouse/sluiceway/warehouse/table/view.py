"""Reading a shard at an LSN, the same in the writing process and in those that only read.

Invariants: any number of threads read, without a lock; what is shown at LSN n is what was published
at n, whatever was appended since.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa

from sluiceway.catalog import Column, Table

from ..condition import Condition
from . import snapshot
from .column import stored_column
from .layout import TableLayout
from .point import Point, TooOldError
from .state import State

_MOST_POINTS = 64

# A Point with the State whose files it reads.
HeldPoint = tuple[State, Point]


class ShardView(ABC):
    """Scans and look-ups over the `State` that a subclass has."""

    def __init__(self) -> None:
        self._layouts: dict[int, TableLayout] = {}

    @property
    @abstractmethod
    def state(self) -> State:
        """The segments and the index of now, which show every published LSN."""

    @property
    @abstractmethod
    def newest(self) -> TableLayout:
        """The layout at the newest schema version, or a newer one than any `state` before."""

    def scan(
        self,
        lsn: int,
        table: Table,
        columns: Sequence[str] | None,
        start: int,
        batch_rows: int,
    ) -> Iterator[tuple[pa.RecordBatch, int]]:
        """Yield the rows visible at `lsn` from birth ordinal `start` on, with where to resume."""
        return snapshot.scan(self.state, self._layout_of(table), lsn, columns, start, batch_rows)

    def ended(
        self, lsn: int, table: Table, columns: Sequence[str], numbers: range, batch_rows: int
    ) -> Iterator[tuple[int, list[pa.Array]]]:
        """Yield the rows that ended at `lsn`: how many at a time, and their columns.

        They are numbered in birth order; `numbers` ends with the last. GoneError if some are gone.
        """
        layout = self._layout_of(table)
        return snapshot.ended(self.state, layout, lsn, columns, numbers, batch_rows)

    def batches(
        self,
        lsn: int,
        table: Table,
        columns: Sequence[str] | None,
        conditions: Sequence[Condition] = (),
    ) -> list[pa.RecordBatch]:
        """Return slices of segments without copying: the columns, perhaps and `_mark: int64`.

        A row is visible at `lsn` iff `_mark < NEVER - lsn`, or there is no `_mark`. Rows that do
        not satisfy all conditions may be left out.
        """
        return snapshot.batches(self.state, self._layout_of(table), lsn, columns, conditions)

    def count(self, lsn: int) -> int:
        """Count the rows that are visible at `lsn`."""
        return snapshot.count(self.state, lsn)

    def lookup(
        self,
        keys: pa.RecordBatch,
        lsn: int,
        table: Table,
        columns: Sequence[str] | None,
    ) -> pa.RecordBatch:
        """Return `RecordBatch[_pos: int32, …]` of the keys that exist at `lsn`, in their order."""
        layout = self._layout_of(table)
        while True:
            # The state first: the layout taken after it is as new as every segment in it.
            state = self.state
            found = snapshot.lookup(state, layout, self.newest, keys, lsn, columns)
            if found is not None:
                return found

    def read_row(
        self, key: Sequence[Any], lsn: int, table: Table, columns: Sequence[str] | None
    ) -> tuple[Any, ...] | None:
        """Return the columns of one key's row at `lsn`, None if there is none."""
        names = None if columns is None else tuple(columns)
        while True:
            state, point = self.point(table, names)
            try:
                return point.read(key, lsn)
            except TooOldError:
                continue

    def point(self, table: Table, names: tuple[str, ...] | None) -> HeldPoint:
        """Return what reads rows by their keys, at any LSN that was published before the call.

        Whoever uses it keeps the State, too.
        """
        # As in `lookup`, the state first.
        state = self.state
        asked = (table.schema_version, names)
        found = state.points.get(asked)
        if found is not None and found.layout.table is table:
            return state, found
        layout = self._layout_of(table)
        if found is None or found.layout is not layout:
            if len(state.points) >= _MOST_POINTS:
                state.points.clear()
            made = Point(state, layout, self.newest, layout.select(names))
            found = state.points[asked] = made
        return state, found

    def has_null(self, lsn: int, column: Column) -> bool:
        """Tell whether a row that is visible at `lsn` has no value in a column, by its id."""
        return snapshot.has_null(self.state, stored_column(column), lsn)

    def _layout_of(self, table: Table) -> TableLayout:
        """Return the layout of a schema version as the caller names its columns."""
        known = self._layouts.get(table.schema_version)
        if known is not None and (known.table is table or known.table == table):
            return known
        found = self._layouts[table.schema_version] = TableLayout(table)
        return found
