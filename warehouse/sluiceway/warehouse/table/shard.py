"""A shard: the rows of a table that share a distribution bucket, with their history and index.

A shard of a checkpoint may be *cold*: nothing of it is in memory until somebody asks for it. Who
comes first reads it, others wait; only then is it told to other processes, with all that it has.

Invariants: one thread writes (merge, replay, publish, alter), any number read beside it without a
lock. A commit is applied unpublished in the order columns, `prev`, marks, fence, index entries;
`publish` appends runs, and the commit LSN itself is published elsewhere (`control.py`). Readers
at LSN n ignore what is beyond n. Between merge and publish the writer sees its own rows as stored.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from sluiceway.catalog import Column, CorruptionError, Table

from ..kernels.views import Int8s, Int32s, Int64s
from ..mapped import Memory, PrivateMemory
from .arrays import packed, unpacked
from .column import HIDDEN_ID, stored_column
from .compaction import Move, Waste, living, waste_of
from .expiry import expirable
from .find import find_latest
from .image import SegmentImage, images_of, load_segments
from .layout import CAPACITIES_ROWS, TableLayout, layout_of
from .merge import (
    MergeResult,
    after_image,
    before_image,
    check_missing,
    fold,
    inserts,
    interleaved,
    missing_columns,
    replayed,
    with_row_ids,
)
from .rows import Change, VersionedRows
from .segment import Segment, StoredColumns
from .segments import widen
from .state import State
from .stored import ShardStats, StoredShard
from .telling import Telling
from .view import ShardView


class MergePlan(NamedTuple):
    """What a merge will do: the result for the log, and what to apply."""

    result: MergeResult
    change: Change
    commit_lsn: int


class Shard(ShardView):
    """Merges batches and answers reads at any LSN; see the module for who may call what."""

    def __init__(
        self,
        table: Table,
        unit: int,
        memory: Memory,
        capacities_rows: Sequence[int] = CAPACITIES_ROWS,
        stored: StoredShard | None = None,
    ) -> None:
        """Make an empty shard, or a cold one of what a checkpoint `stored`."""
        super().__init__()
        self.unit = unit
        self.table = table
        self._memory = memory
        self._capacities_rows = capacities_rows
        self._telling = Telling(memory.notices, table.id, unit)
        self._origin = stored
        self._opening = threading.Lock()
        self._opened: VersionedRows | None = None
        self._asked = True
        if stored is None:
            self.open()

    @property
    def is_cold(self) -> bool:
        """Tell whether nothing of it is in memory."""
        return self._opened is None

    def take_asked(self) -> bool:
        """Tell whether somebody asked for rows, or changed some, since the last call."""
        asked, self._asked = self._asked, False
        return asked

    def open(self) -> VersionedRows:
        """Return the rows, which are read if nobody did so before."""
        with self._opening:
            if self._opened is None:
                self._opened = self._read(self._origin)
            return self._opened

    def _read(self, stored: StoredShard | None) -> VersionedRows:
        layout = self._learn(self.table)
        segments, lsn = [], 0
        if stored is not None:
            images, lsn = stored.read(), stored.lsn
            self._memory.require(sum(2 * i.size_bytes for i in images if not i.in_place))
            for version in {i.schema_version for i in images} - {self.table.schema_version}:
                self._learn(stored.schema_of(version))
            segments = load_segments(images, self._layouts, self._memory)
            widen(segments, layout.columns)
        name = f"{self.table.id}.{self.unit}"
        return VersionedRows(
            self._memory, layout, name, self._capacities_rows, self._telling, segments, lsn
        )

    def _learn(self, table: Table) -> TableLayout:
        """Take note of a schema version, here and in other processes."""
        layout = self._layouts[table.schema_version] = layout_of(table)
        self._telling.schema(table)
        return layout

    @property
    def _rows(self) -> VersionedRows:
        return self._opened or self.open()

    @property
    def state(self) -> State:
        """The segments and the index of now."""
        self._asked = True
        return (self._opened or self.open()).state

    @property
    def newest(self) -> TableLayout:
        """The layout that merges write in."""
        return self._rows.segments.layout

    @property
    def alive(self) -> int:
        """How many rows live in the writer's eyes."""
        return self._rows.alive

    @property
    def dropped_segments(self) -> int:
        """How many segments compaction dropped."""
        if self._opened is None and self._origin is not None:
            return self._origin.stats.dropped_segments
        return sum(segment.dropped for segment in self._rows.segments.all)

    @property
    def is_spent(self) -> bool:
        """Tell whether compaction dropped everything."""
        return all(segment.dropped for segment in self._rows.segments.all)

    def merge(
        self,
        batch: pa.RecordBatch,
        ops: Int8s,
        *,
        conflict: str,
        partial: bool,
        positions: Int32s,
        writes: Int32s | None = None,
        commit_lsn: int,
        first_lsn: int = 0,
    ) -> MergeResult:
        """Apply a prepared batch unpublished and return its images.

        Row `i` owns the LSNs `first_lsn + 2 * positions[i]` and the next one; tables without a key
        keep the second as `_rid`. `writes` tells which write each row came with, if there are
        several: each has an outcome of its own.
        """
        plan = self.plan(
            batch,
            ops,
            conflict=conflict,
            partial=partial,
            positions=positions,
            writes=writes,
            commit_lsn=commit_lsn,
            first_lsn=first_lsn,
        )
        self.apply(plan)
        return plan.result

    def plan(
        self,
        batch: pa.RecordBatch,
        ops: Int8s,
        *,
        conflict: str,
        partial: bool,
        positions: Int32s,
        writes: Int32s | None = None,
        commit_lsn: int,
        first_lsn: int = 0,
    ) -> MergePlan:
        """Work out what `merge` would do, and change nothing; refuse what cannot be applied."""
        self._rows.require(batch)
        layout, state = self.newest, self._rows.state
        if not layout.keys:
            batch = with_row_ids(batch, positions, first_lsn)
            outcome = inserts(batch.num_rows)
        else:
            keys = [batch.column(name) for name in self.table.primary_key]
            writes = np.zeros(len(ops), np.int32) if writes is None else writes
            outcome = fold(find_latest(state, layout, keys), ops, conflict, writes)
        missing = state.select(layout, missing_columns(layout, batch))
        keeps_stored = partial and conflict == "update"
        ended = state.select(layout, layout.everything).gather(outcome.stored_ended)
        after = after_image(layout, batch, outcome, keeps_stored, missing, ended)
        before = before_image(outcome, ended, after)
        result = MergeResult(
            positions[outcome.rows],
            outcome.kinds,
            unpacked(layout, after),
            unpacked(layout, before),
        )
        return MergePlan(result, self._rows.plan(outcome, after), commit_lsn)

    def check_inserts(self, batches: Sequence[pa.RecordBatch]) -> None:
        """Refuse prepared batches that `plan` would refuse if all of their rows were new."""
        self._rows.require_bytes(sum(b.nbytes for b in batches), sum(len(b) for b in batches))
        for batch in batches:
            if self.newest.row_column is not None:
                self.newest.row_column.check(batch)
            missing = [self.newest.columns[at] for at in missing_columns(self.newest, batch)]
            check_missing(self.newest, [column for column in missing if column.id != HIDDEN_ID])

    def apply(self, plan: MergePlan) -> None:
        """Apply a plan unpublished; nothing may have been applied since it was made."""
        self._rows.apply(plan.change, plan.commit_lsn)

    def replay(
        self,
        kinds: Int8s,
        after: pa.RecordBatch,
        before: pa.RecordBatch,
        commit_lsn: int,
    ) -> None:
        """Apply the images of a merge unpublished, as its result gave them."""
        stored = packed(self.newest, after)
        if not self.newest.keys:
            self._rows.apply(self._rows.plan(inserts(len(kinds)), stored), commit_lsn)
            return
        keys = [interleaved(kinds, after.column(at), before.column(at)) for at in self.newest.keys]
        outcome = replayed(find_latest(self._rows.state, self.newest, keys), kinds)
        if outcome is None:
            raise CorruptionError(
                f"commit {commit_lsn} does not change what is stored of {self.table.path}: the log "
                "does not belong to this checkpoint"
            )
        self._rows.apply(self._rows.plan(outcome, stored), commit_lsn)

    def expirable(self, before_us: int, most_rows: int) -> int | None:
        """Return the LSN up to which living rows are no younger than `before_us`, if any is."""
        self._asked = True  # every round, so that rows do not come and go between rounds
        return expirable(self._rows.segments, before_us, most_rows)

    def expire(self, born_lsn: int, commit_lsn: int) -> int:
        """End all rows born at or before an LSN, unpublished; return how many lived."""
        return self._rows.expire(born_lsn, commit_lsn)

    def reset(self, commit_lsn: int) -> int:
        """End all rows, unpublished; return how many lived."""
        return self._rows.reset(commit_lsn)

    def waste(self, horizon_lsn: int, resets: Int64s) -> Waste:
        """Find what compaction can gain when nobody reads below the horizon; any thread may.

        Rows that ended at one of the `resets` are kept: changelog readers want them.
        """
        movable = bool(self.newest.keys) and not self.table.properties.rows_expire
        return waste_of(self._rows.state, horizon_lsn, movable, resets)

    def plan_move(self, move: Move) -> Change | None:
        """Work out a move and have memory for it, or raise DiskFullError; None if nothing lives."""
        segment = self._rows.segments.all[move.ordinal]
        rows = len(living(segment, move.start, move.end))
        self._rows.require_bytes(segment.used_bytes() * rows // segment.rows, rows)
        return self._rows.plan_move(move.ordinal, move.start, move.end)

    def move(self, change: Change, commit_lsn: int) -> int:
        """Append the rows of a move once more, unpublished; return how many there were."""
        self._rows.apply(change, commit_lsn)
        return change.rows

    def reserve_marks(self) -> None:
        """Have memory for the end of all rows, or raise DiskFullError."""
        self._rows.reserve_marks()

    def index_parts(self, most_slots: int) -> list[slice]:
        """Return the directory entries of the index in parts of about so many slots."""
        return self._rows.index.parts(most_slots)

    def free_slots(self, ordinals: Sequence[int], entries: slice) -> int:
        """Free the index slots of some entries that name a row of dead segments; say how many."""
        return self._rows.free_slots(ordinals, entries)

    def drop(self, ordinals: Sequence[int]) -> list[Segment]:
        """Drop dead segments, whose slots are free; who lets go of them last waits for pages."""
        return self._rows.drop(ordinals)

    def in_memory(self) -> Mapping[int, int]:
        """Return how many rows sealed segments have that lie in no data file, by ordinal."""
        segments = () if self._opened is None else self._opened.segments.all
        return {s.ordinal: s.rows for s in segments if s.sealed and s.is_in_memory}

    def relocate(self, stored: Mapping[int, StoredColumns]) -> list[Segment]:
        """Use the columns of sealed segments where they are stored; return these as `drop` does."""
        return self._rows.relocate(stored)

    def release(self, replaced: Sequence[Segment]) -> int:
        """Unlink what only replaced segments need; return the bytes they took. Any thread may."""
        return self._rows.release(replaced)

    def publish(self, commit_lsn: int, time_us: int) -> None:
        """Append the runs of everything merged since the last call."""
        self._asked = True
        self._rows.segments.publish(commit_lsn, time_us)

    def alter(self, table: Table) -> None:
        """Go on in another schema version; the tail is sealed, narrower columns are copied."""
        rows = self._rows
        self.table = table
        rows.alter(self._learn(table))
        widen(rows.state.segments, rows.segments.layout.columns)

    def widen(self, column: Column) -> None:
        """Make the copies that a wider type needs of sealed segments; any thread may, ahead."""
        if self._opened is not None:
            widen(self._opened.state.segments, [stored_column(column)])

    def images(self, lsn: int) -> list[SegmentImage]:
        """Return what a checkpoint at `lsn` keeps of each segment."""
        return images_of(self._rows.state, self._layouts, lsn)

    @classmethod
    def load(
        cls,
        table: Table,
        unit: int,
        memory: Memory,
        images: Sequence[SegmentImage],
        lsn: int,
        schema_of: Callable[[int], Table],
        capacities_rows: Sequence[int] = CAPACITIES_ROWS,
    ) -> Shard:
        """Build a shard from a checkpoint at `lsn`; sealed columns are used where they lie."""
        stored = StoredShard.of(images, lsn, schema_of)
        loaded = cls(table, unit, memory, capacities_rows, stored)
        loaded.open()
        return loaded

    def rest(self, stored: StoredShard) -> None:
        """Become cold, between two commits; `stored` has all. Who reads goes on in old files."""
        with self._opening:
            opened, self._opened, self._origin = self._opened, None, stored
            self._telling.rest()
            if opened is not None:
                opened.close()

    def tell_cold(self) -> None:
        """Tell other processes of a cold shard that their catalog does not lead them to."""
        self._telling.rest()

    def close(self) -> None:
        """Unlink the shard's files; who still reads goes on, in memory that nobody is told of."""
        with self._opening:
            self._telling.drop()
            if self._opened is not None:
                self._opened.close()
            elif self._origin is not None:
                self._origin = self._origin.at_hand()
                self._memory = PrivateMemory()
                self._telling = Telling(self._memory.notices, self.table.id, self.unit)

    def retire(self) -> None:
        """Unlink the files of a shard that is spent; it goes on as one without rows."""
        self._telling.empty()
        self._rows.close()

    def stats(self) -> ShardStats:
        """Count rows, segments and slots."""
        if self._opened is None and self._origin is not None:
            return self._origin.stats
        return self._rows.stats()
