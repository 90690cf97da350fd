"""The segments of one shard, as the writer fills them.

Invariant: where a segment ends depends only on the rows and on `alter`, never on how rows came in
batches, so that replay of a log builds the same segments again.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from ..kernels.columns import variable_bytes
from ..kernels.views import ROW_BITS, Int64s, Rows
from ..mapped import Memory
from .arrays import rows_of
from .layout import StoredColumn, TableLayout, plan_file
from .segment import Segment, Tail


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
        self._first_unpublished = 0

    def append(self, columns: Sequence[pa.Array]) -> Int64s:
        """Append rows in the layout's columns, unpublished; return their row ids."""
        count = len(columns[0])
        rows = rows_of(columns)
        pieces = [np.empty(0, np.int64)]
        start = 0
        while start < count:
            tail = self._tail or self._open(rows, start)
            room = tail.room(rows, start, count - start)
            if room == 0:
                self.seal()
                continue
            first = (tail.ordinal << ROW_BITS) + tail.rows
            known = tail.with_nulls
            tail.append(rows, start, room)
            self.revision += tail.with_nulls is not known
            pieces.append(np.arange(first, first + room, dtype=np.int64))
            start += room
        return pieces[1] if len(pieces) == 2 else np.concatenate(pieces)

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

    def drop(self, ordinals: Sequence[int]) -> list[Segment]:
        """Leave placeholders of some sealed segments; return what they were."""
        old = [self.all[ordinal] for ordinal in ordinals]
        left = {
            s.ordinal: Segment.placeholder(s.ordinal, s.first_ordinal, s.rows, s.schema_version)
            for s in old
        }
        self.all = tuple(left.get(segment.ordinal, segment) for segment in self.all)
        self.revision += 1
        return old

    def _open(self, rows: Rows, start: int) -> Tail:
        ordinal = len(self.all)
        last = self.all[-1] if self.all else None
        capacity_rows = self._capacities_rows[min(ordinal, len(self._capacities_rows) - 1)]
        first_ordinal = last.first_ordinal + last.rows if last else 0
        plan = plan_file(self.layout.columns, capacity_rows, variable_bytes(rows, start))
        self._tail = Tail(ordinal, first_ordinal, self.layout, plan, self._memory)
        self.all = (*self.all, self._tail)
        self.revision += 1
        return self._tail


def widen(segments: Sequence[Segment], columns: Sequence[StoredColumn]) -> None:
    """Make the copies that wider types need, so that no read or write waits for them later."""
    for segment in segments:
        if segment.sealed:
            for column in columns:
                segment.stored(column)
