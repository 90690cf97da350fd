"""Compaction: gives back the memory and the disk of rows that nobody can see any more.

In the background, one step at a time: rows that live move out of a sealed segment that is dead in
great part, some thousand a commit; a segment that is dead as a whole is dropped. What was dead for
less than `history_s`, or is seen by a hold, a snapshot or a checkpoint in progress, is kept, and so
are rows that a RESET of the log ended, for changelog readers (docs/format.md, "Compaction").

Invariant: a write waits for one step at most, and a step is short.
"""

import json
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from sluiceway.catalog import Table
from sluiceway.warehouse.clock import SECOND_US, Clock
from sluiceway.warehouse.horizon import Horizon, promised
from sluiceway.warehouse.log import LogIndex, Part, PartKind
from sluiceway.warehouse.requests import MoveWork, ReleaseWork, StepWork, Work
from sluiceway.warehouse.signals import key_of
from sluiceway.warehouse.state import State
from sluiceway.warehouse.table import Segment, Shard

SLOTS_AT_ONCE = 1 << 20


@dataclass(frozen=True)
class CompactionStats:
    """Where the past ends, and what this process gave back."""

    horizon: int
    moved_rows: int
    dropped_segments: int
    dropped_bytes: int
    postponed: int
    dropped_tables: int


class Compaction:
    """Looks for waste and submits the steps that remove it."""

    def __init__(
        self,
        clock: Clock,
        index: LogIndex,
        horizon: Horizon,
        history_s: int,
        state: Callable[[], State],
        submit: Callable[[Work], None],
    ) -> None:
        self._clock = clock
        self._index = index
        self._horizon = horizon
        self._history_us = history_s * SECOND_US
        self._state = state
        self._submit = submit
        self.running = threading.Lock()
        self._closing = threading.Event()
        self._moved = self._segments = self._bytes = self._postponed = self._tables = 0

    def run(self) -> int:
        """Look at every shard in memory once; returns how many segments were dropped."""
        with self.running:
            before = self._segments
            state = self._state()
            for table_id in state.catalog.tables:
                for unit, shard in state.shards[table_id].items():
                    if not shard.is_cold:
                        self._compact(table_id, unit, shard)
            self._release()
            self._bury()
            return self._segments - before

    def close(self) -> None:
        """Let a run that goes on end after its present step."""
        self._closing.set()

    def _compact(self, table_id: int, unit: int, shard: Shard) -> None:
        lsn = self._horizon.limit(self._past(self._state()))
        waste = shard.waste(lsn, self._index.parts(*key_of(table_id, unit)).resets())
        if waste.dead and not self._closing.is_set():
            self._drop(table_id, unit, shard, waste.dead, lsn)
        for move in waste.moves:
            if not self._closing.is_set():
                start = self._clock.monotonic()
                work = MoveWork(table_id, unit, move)
                self._submit(work)
                self._moved += work.future.result()
                self._closing.wait(self._clock.monotonic() - start)

    def _release(self) -> None:
        """Let go of the units of dropped partitions of which nothing is left."""
        state = self._state()
        for table_id in state.catalog.partitions:
            living = set(state.catalog.units(state.catalog.tables[table_id]))
            for unit, shard in state.shards[table_id].items():
                if unit not in living and not shard.is_cold and shard.is_spent:
                    work = ReleaseWork(table_id, unit)
                    self._submit(work)
                    work.future.result()

    def _bury(self) -> None:
        """Let go of dropped tables that no LSN that is kept shows."""
        state = self._state()
        limit_lsn = self._horizon.limit(self._past(state))
        for table_id, dropped in state.dropped.items():
            if self._closing.is_set():
                return
            if dropped.lsn <= limit_lsn and self._step(partial(self._rise, dropped.lsn)):
                work = ReleaseWork(table_id)
                self._submit(work)
                work.future.result()
                self._tables += 1

    def _past(self, state: State) -> int:
        """The LSN that was published `history_s` ago, or is promised to a hold."""
        now_us = self._clock.now_us()
        younger = self._index.at_time(now_us - self._history_us + 1)
        lsn = state.lsn if younger is None else min(younger - 1, state.lsn)
        return promised(lsn, state.holds, now_us)

    def _drop(
        self, table_id: int, unit: int, shard: Shard, dead: tuple[int, ...], lsn: int
    ) -> None:
        """Raise the horizon, free the index slots of dead keys, drop their segments."""

        def rise(state: State) -> bool:
            return _is_there(state, table_id, unit) and self._rise(lsn, state)

        if not self._step(rise):
            self._postponed += 1
            return
        for entries in shard.index_parts(SLOTS_AT_ONCE):
            self._step(partial(_free, shard, dead, entries))
        dropped = self._step(partial(_drop, table_id, unit, shard, dead))
        self._bytes += shard.release(dropped)
        self._segments += len(dropped)

    def _rise(self, lsn: int, state: State) -> bool:
        """Raise the horizon, unless an older LSN was promised or is read."""
        held_lsn = promised(lsn, state.holds, self._clock.now_us())
        return held_lsn == lsn and self._horizon.rise(lsn)

    def _step(self, step: Callable[[State], Any]) -> Any:
        """Let the committer take a step between two commits."""
        work = StepWork(step)
        self._submit(work)
        return work.future.result()

    def stats(self) -> CompactionStats:
        """What was given back."""
        return CompactionStats(
            self._horizon.lsn, self._moved, self._segments, self._bytes, self._postponed,
            self._tables,
        )  # fmt: skip


def _free(shard: Shard, dead: tuple[int, ...], entries: slice, state: State) -> int:
    return shard.free_slots(dead, entries)


def _is_there(state: State, table_id: int, unit: int) -> bool:
    return unit in state.shards.get(table_id, ())


def _drop(
    table_id: int, unit: int, shard: Shard, dead: tuple[int, ...], state: State
) -> list[Segment]:
    """Drop segments, unless the shard was let go of meanwhile."""
    return shard.drop(dead) if _is_there(state, table_id, unit) else []


def move_part(table: Table, work: MoveWork) -> Part:
    """The MOVE part of the record of a move."""
    return Part(
        table.id, table.generation, work.unit, table.schema_version, PartKind.MOVE, 0, 0, 0,
        (b"", b"", json.dumps(asdict(work.move)).encode(), b""),
    )  # fmt: skip
