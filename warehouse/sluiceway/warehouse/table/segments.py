"""The segments of one shard, as the writer fills them.

Invariant: where a segment ends depends only on the rows and on `alter`, never on how rows came in
batches, so that replay of a log builds the same segments again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from sluiceway.catalog import DiskFullError

from ..kernels.columns import variable_bytes
from ..kernels.views import ROW_BITS, Int64s, Rows
from ..mapped import Memory
from .arrays import rows_of_batch
from .column import StoredColumn
from .layout import TableLayout, plan_file
from .segment import Segment, Tail


class Fit(NamedTuple):
    """Where rows go: how many into which segment, in order; all of it has memory."""

    batch: pa.RecordBatch
    rows: Rows
    places: Sequence[tuple[Tail, int]]


class Segments:
    """Appends rows to the tail and opens new segments.

    `all` is replaced, never changed; `revision` rises when readers need newer pointers.
    """

    def __init__(self, memory: Memory, layout: TableLayout, capacities_rows: Sequence[int]) -> None:
        self._memory = memory
        self._capacities_rows = tuple(capacities_rows)
        self.layout = layout
        self.all: tuple[Segment, ...] = ()
        self.revision = 0
        self.expired_lsn = 0
        self._tail: Tail | None = None
        self._ahead: list[Tail] = []
        self._first_unpublished = 0

    def fit(self, batch: pa.RecordBatch) -> Fit:
        """Find places for rows, given by the layout's columns, with memory, or raise DiskFullError.

        The places are good until the next call; whoever uses none of them changes nothing.
        """
        self._forget_ahead()
        batch = self.layout.with_rows(batch)
        rows = rows_of_batch(batch, self.layout.widths)
        try:
            return Fit(batch, rows, list(self._places(rows, batch.num_rows)))
        except DiskFullError:
            self._forget_ahead()
            raise

    def append(self, fit: Fit) -> Int64s:
        """Append rows where they fit, unpublished; return their row ids."""
        start = 0
        pieces = [np.empty(0, np.int64)]
        for tail, count in fit.places:
            if tail is not self._tail:
                self._begin(tail)
            first = (tail.ordinal << ROW_BITS) + tail.rows
            known = tail.with_nulls
            tail.append(fit.rows, start, count)
            self.revision += tail.with_nulls is not known
            pieces.append(np.arange(first, first + count, dtype=np.int64))
            start += count
        return pieces[1] if len(pieces) == 2 else np.concatenate(pieces)

    def reserve_marks(self, ended: Int64s) -> None:
        """Have memory for the marks of rows, all of their segments', or raise DiskFullError."""
        for ordinal in np.flatnonzero(np.bincount(ended >> ROW_BITS)).tolist():
            self.all[ordinal].side.reserve(self.all[ordinal].rows)

    def reserve_all_marks(self) -> None:
        """Have memory for the marks of all rows, or raise DiskFullError."""
        for segment in self.all:
            if not segment.dropped:
                segment.side.reserve(segment.rows)

    def close(self) -> None:
        """Unlink all files."""
        self._forget_ahead()
        for segment in self.all:
            self._release(segment)

    def publish(self, lsn: int, time_us: int) -> None:
        """Append the runs of what was appended since the last publication."""
        for segment in self.all[self._first_unpublished :]:
            segment.publish(lsn, time_us)
        self._first_unpublished = max(len(self.all) - 1, 0)

    def seal(self, lsn: int = 0) -> None:
        """Close the tail for rows as of a commit; the next row opens a new segment."""
        if self._tail is not None:
            self._tail.sealed_lsn = lsn
            self._tail.sealed = True
            self._tail = None
            self.revision += 1

    def alter(self, layout: TableLayout) -> None:
        """Go on in another schema version."""
        self.seal()
        self.layout = layout

    def adopt(self, segment: Segment) -> None:
        """Take over a segment that was loaded; an unsealed one becomes the tail."""
        self.all = (*self.all, segment)
        self.revision += 1
        self._tail = segment if isinstance(segment, Tail) and not segment.sealed else None

    def replace(self, segments: Sequence[Segment]) -> list[Segment]:
        """Put others in the places of sealed segments; return what was there."""
        new = {segment.ordinal: segment for segment in segments}
        old = [self.all[ordinal] for ordinal in new]
        self.all = tuple(new.get(segment.ordinal, segment) for segment in self.all)
        self.revision += 1
        return old

    def _places(self, rows: Rows, count: int) -> Iterator[tuple[Tail, int]]:
        """Yield how many rows go into the tail, and into each of the segments after it."""
        start = 0
        tail = self._tail
        ordinal = len(self.all)
        first_ordinal = self.all[-1].first_ordinal + self.all[-1].rows if self.all else 0
        while start < count:
            if tail is None:
                tail = self._made(ordinal, first_ordinal, rows, start)
                ordinal += 1
            room = tail.room(rows, start, count - start)
            if room:
                tail.reserve(rows, start, room)
                yield tail, room
            start += room
            first_ordinal += room
            tail = None

    def _made(self, ordinal: int, first_ordinal: int, rows: Rows, start: int) -> Tail:
        capacity_rows = self._capacities_rows[min(ordinal, len(self._capacities_rows) - 1)]
        plan = plan_file(self.layout.stored, capacity_rows, variable_bytes(rows, start, 1))
        tail = Tail(ordinal, first_ordinal, self.layout, plan, self._memory)
        self._ahead.append(tail)
        return tail

    def _begin(self, tail: Tail) -> None:
        self.seal()
        self._ahead.remove(tail)
        self._tail = tail
        self.all = (*self.all, tail)
        self.revision += 1

    def _forget_ahead(self) -> None:
        while self._ahead:
            self._release(self._ahead.pop())

    def _release(self, segment: Segment) -> None:
        for mapped in segment.files():
            self._memory.release(mapped)


def widen(segments: Sequence[Segment], columns: Sequence[StoredColumn]) -> None:
    """Make the copies that wider types need, so that no read or write waits for them later."""
    for segment in segments:
        if segment.sealed:
            for column in columns:
                segment.stored(column)
