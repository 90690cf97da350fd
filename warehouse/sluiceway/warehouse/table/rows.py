"""The versioned rows of a shard: segments and index together, as the writer changes them.

Invariants: a change is applied in the order columns, `prev`, marks, fence, index entries, so that a
reader who finds an index entry finds everything behind it. `state` is what readers take; it is
replaced, and told to other processes, before any index entry names a row that the old one does not
know.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from ..kernels import index as index_kernels
from ..kernels import marks as mark_kernels
from ..kernels.index import SLOT_BYTES
from ..kernels.views import Int64s
from ..mapped import Memory
from .arrays import bytes_of
from .compaction import living, moved
from .expiry import expire
from .index import Index
from .layout import TableLayout
from .merge import Outcome
from .rebuild import rebuild
from .segment import Segment, StoredColumns
from .segments import Fit, Segments
from .state import State, versions_of
from .stored import ShardStats
from .telling import Telling

# A mark, a `prev` and a run of its own.
_HISTORY_BYTES = 40


class Change(NamedTuple):
    """Rows to append, and what they replace and end.

    `new_keys` counts keys by directory entry of the index; it is None in a table without keys.
    """

    fit: Fit
    outcome: Outcome
    new_keys: Int64s | None

    @property
    def rows(self) -> int:
        """How many rows are appended."""
        return int(self.fit.batch.num_rows)


class VersionedRows:
    """What a Shard stores; see the module for the order of changes."""

    def __init__(
        self,
        memory: Memory,
        layout: TableLayout,
        name: str,
        capacities_rows: Sequence[int],
        telling: Telling,
        stored: Sequence[Segment] = (),
        lsn: int = 0,
    ) -> None:
        """Begin with the segments of a checkpoint at `lsn`, and tell all at once."""
        self._memory = memory
        self._telling = telling
        self.segments = Segments(memory, layout, capacities_rows)
        self.index = Index(memory, name)
        self.alive = 0
        self.state = self._adopted(stored, lsn)
        self._tell()

    def require(self, batch: pa.RecordBatch) -> None:
        """Raise DiskFullError unless a batch surely fits: columns, history, a growing index."""
        self.require_bytes(bytes_of(batch), batch.num_rows)

    def require_bytes(self, size_bytes: int, rows: int) -> None:
        """Raise DiskFullError unless so many bytes of columns fit, with all that goes with rows."""
        size_bytes *= 2 if self.segments.layout.row_column is None else 3
        size_bytes += rows * _HISTORY_BYTES
        if (self.index.used + rows) * 2 > self.index.capacity:
            size_bytes += 2 * SLOT_BYTES * max(self.index.capacity, rows)
        self._memory.require(size_bytes)

    def plan(self, outcome: Outcome, after: pa.RecordBatch) -> Change:
        """Have memory for an outcome and the rows it leaves behind, or raise DiskFullError.

        Nothing that anyone reads changes before `apply`.
        """
        fit = self.segments.fit(after)
        self.segments.reserve_marks(outcome.stored_ended)
        new_keys = None
        if self.segments.layout.keys:
            # Any row id will do for those that replace a row that is appended with them.
            replaced = outcome.replaced_by(np.zeros(after.num_rows, np.int64))
            upserts = outcome.upserts
            new_keys = self.index.make_room(outcome.hashes[upserts], replaced[upserts])
            self._refresh()
        return Change(fit, outcome, new_keys)

    def apply(self, change: Change, commit_lsn: int) -> None:
        """Bring a change into place, unpublished; nothing was planned or applied after it."""
        outcome = change.outcome
        rids = self.segments.append(change.fit)
        replaced = outcome.replaced_by(rids)
        ended = replaced[outcome.ends]
        self.alive += len(rids) - len(ended)
        self._refresh()
        if change.new_keys is None:
            return
        upserts = outcome.upserts
        hashes, replaced = outcome.hashes[upserts], replaced[upserts]
        mark_kernels.chain(self.state.versions, rids, replaced)
        mark_kernels.mark_dead(self.state.versions, ended, commit_lsn)
        self.index.account(change.new_keys)
        index_kernels.put(self.state.slots, hashes, replaced, rids)

    def reserve_marks(self) -> None:
        """Have memory for the end of all rows, or raise DiskFullError."""
        self.segments.reserve_all_marks()

    def expire(self, born_lsn: int, commit_lsn: int) -> int:
        """End all rows born at or before an LSN, unpublished; return how many lived."""
        self.reserve_marks()
        ended = expire(self.segments, born_lsn, commit_lsn)
        self.alive -= ended
        return ended

    def reset(self, commit_lsn: int) -> int:
        """End all rows and seal the tail, unpublished; return how many lived."""
        self.reserve_marks()
        kept = [segment for segment in self.segments.all if not segment.dropped]
        ended = sum(
            mark_kernels.end_rows(segment.side.marks, 0, segment.rows, commit_lsn)
            for segment in kept
        )
        self.alive -= ended
        self.segments.seal(commit_lsn)
        self._refresh()
        return ended

    def plan_move(self, ordinal: int, start: int, end: int) -> Change | None:
        """Plan to append the living rows of a range once more and end them there, if any live."""
        segment, layout = self.segments.all[ordinal], self.segments.layout
        rows = living(segment, start, end)
        if not len(rows):
            return None
        outcome = moved(self.state, layout, segment, rows)
        values = self.state.select(layout, layout.everything).gather(outcome.replaced)
        return self.plan(outcome, values)

    def free_slots(self, ordinals: Sequence[int], entries: slice) -> int:
        """Free the index slots of some entries that name a row of dead segments; say how many."""
        dropped = np.zeros(len(self.segments.all), np.bool_)
        dropped[list(ordinals)] = True
        return self.index.free(dropped, entries)

    def drop(self, ordinals: Sequence[int]) -> list[Segment]:
        """Drop dead segments, whose slots are free; return them for `release`."""
        old = [self.segments.all[ordinal] for ordinal in ordinals]
        return self._replace(
            [Segment.placeholder(s.ordinal, s.first_ordinal, s.rows, s.schema_version) for s in old]
        )

    def relocate(self, stored: Mapping[int, StoredColumns]) -> list[Segment]:
        """Use the columns of sealed segments where they are stored; return what was replaced."""
        found = [self.segments.all[ordinal] for ordinal in stored]
        return self._replace([s.relocated(stored[s.ordinal]) for s in found if not s.dropped])

    def _replace(self, segments: Sequence[Segment]) -> list[Segment]:
        old = self.segments.replace(segments)
        self._telling.segments(segments)
        self._refresh()
        return old

    def release(self, replaced: Sequence[Segment]) -> int:
        """Unlink what only replaced segments need; return the bytes that they took."""
        needed = {mapped.path for segment in self.segments.all for mapped in segment.files()}
        for mapped in [mapped for segment in replaced for mapped in segment.files()]:
            if mapped.path not in needed:
                self._memory.release(mapped)
        return sum(segment.used_bytes() for segment in replaced)

    def _adopted(self, segments: Sequence[Segment], lsn: int) -> State:
        """Take over the segments of a checkpoint at `lsn` and rebuild the index over them."""
        kept = [segment for segment in segments if not segment.dropped]
        for segment in segments:
            self.segments.adopt(segment)
        for segment in kept:
            self.alive += mark_kernels.count_visible(segment.side.marks, segment.rows, lsn)
        layout = self.segments.layout
        if layout.keys and segments:
            # Which rows get a `prev` is known only when it is stored: few, but any page may be.
            self._memory.require(8 * sum(segment.rows for segment in kept))
            rebuild(self.index, kept, layout, self._new_state(), self.alive)
        return self._new_state()

    def alter(self, layout: TableLayout) -> None:
        """Go on in another schema version."""
        self.segments.alter(layout)
        self.state = self._new_state()
        self._tell()

    def close(self) -> None:
        """Unlink all files."""
        self.segments.close()
        for mapped in self.index.mapped():
            self._memory.release(mapped)

    def stats(self) -> ShardStats:
        """Count rows, segments and slots."""
        segments, index = self.segments.all, self.index
        return ShardStats(
            rows=self.alive,
            versions=sum(segment.rows for segment in segments if not segment.dropped),
            segments=sum(not segment.dropped for segment in segments),
            dropped_segments=sum(segment.dropped for segment in segments),
            index_slots=index.capacity,
            index_used=index.used,
            index_partitions=len(index.partitions),
            bytes=sum(segment.used_bytes() for segment in segments) + index.capacity * SLOT_BYTES,
        )

    def _refresh(self) -> None:
        """Replace the state if segments or index grew; readers keep what they hold."""
        changed = self._revision != self.segments.revision
        if changed or self.state.slots is not self.index.slots:
            self.state = self._new_state()
            self._tell()

    def _tell(self) -> None:
        """Tell other processes what came, then unlink what it replaced."""
        version = self.segments.layout.table.schema_version
        self._telling.tell(version, self.segments.all, self.index.partitions)
        self.index.release_replaced()

    def _new_state(self) -> State:
        segments = self.segments.all
        self._revision = self.segments.revision
        return State(segments, versions_of(segments), self.index.slots, self.index.mapped())
