"""Idle small shards become cold again: their memory goes, their rows stay in the checkpoint's pack.

A shard rests when nobody asked for its rows during `IDLE_ROUNDS` rounds and the newest checkpoint
shows all of it (docs/format.md, "Cold shards").

Invariant: a shard becomes cold between two commits, and never while it is compacted.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from sluiceway.warehouse.checkpoint import Manifest, ShardFiles
from sluiceway.warehouse.log import LogIndex
from sluiceway.warehouse.requests import StepWork, Work
from sluiceway.warehouse.signals import Key
from sluiceway.warehouse.state import State

# Of the housekeeper's 30 s.
IDLE_ROUNDS = 10


@dataclass(frozen=True)
class CoolingStats:
    """How many shards are in memory, and how often one left it."""

    warm_shards: int
    cooled: int


class Cooling:
    """Looks for idle shards and submits the steps that let them rest."""

    def __init__(
        self,
        files: ShardFiles,
        index: LogIndex,
        compacting: threading.Lock,
        newest: Callable[[], Manifest | None],
        state: Callable[[], State],
        submit: Callable[[Work], None],
    ) -> None:
        self._files = files
        self._index = index
        self._compacting = compacting
        self._newest = newest
        self._state = state
        self._submit = submit
        self._idle_rounds: Mapping[Key, int] = {}
        self._cooled = 0

    def run(self) -> int:
        """Look at every shard once; returns how many became cold."""
        with self._compacting:
            self._idle_rounds = self._count_rounds()
            idle = [key for key, rounds in self._idle_rounds.items() if rounds >= IDLE_ROUNDS]
            cooled = sum(self._rest(key) for key in idle)
        self._cooled += cooled
        return cooled

    def _count_rounds(self) -> dict[Key, int]:
        rounds = {}
        for table_id, shards in self._state().shards.items():
            for unit, shard in shards.items():
                if not shard.is_cold:
                    key = (table_id, unit)
                    rounds[key] = 0 if shard.take_asked() else self._idle_rounds.get(key, 0) + 1
        return rounds

    def _rest(self, key: Key) -> bool:
        state = self._state()
        if not self._is_kept(state, key):
            return False
        work = StepWork(partial(self._step, key))
        self._submit(work)
        return bool(work.future.result())

    def _step(self, key: Key, state: State) -> bool:
        if not self._is_kept(state, key):
            return False
        table = state.catalog.tables[key[0]]
        schema_of = partial(state.catalog.schema, table.id)
        state.shards[table.id][key[1]].rest(self._files.stored(table, key[1], schema_of))
        return True

    def _is_kept(self, state: State, key: Key) -> bool:
        """Whether the newest checkpoint has all that a small shard has, as cold ones are read."""
        manifest, table = self._newest(), state.catalog.tables.get(key[0])
        entry = manifest.shards.get(key) if manifest else None
        if manifest is None or table is None or entry is None or not entry.is_small:
            return False
        if key[1] not in state.catalog.units(table):
            return False  # compaction looks for what is left of a dropped partition
        shard = state.shards[table.id].get(key[1])
        return (
            shard is not None
            and manifest.catalog.tables[table.id].schema_version == table.schema_version
            and self._index.touched_lsn(*key) <= entry.lsn
            and entry.dropped_segments == shard.dropped_segments
        )

    def stats(self) -> CoolingStats:
        """What is in memory, and what left it."""
        units = self._state().shards.values()
        warm = sum(not shard.is_cold for shards in units for shard in shards.values())
        return CoolingStats(warm, self._cooled)
