"""Sealed segments leave memory once a checkpoint has their columns.

The columns are mapped from the data file, where the kernel keeps of them in its page cache what is
read; readers that hold an older State go on in the run folder's file, whose name is gone.

Invariants: what is mapped was named by a manifest, and its checksums were found right; a write
waits for the replacement of one shard's segments at most; others are told before files go.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from sluiceway.catalog import UnavailableError
from sluiceway.warehouse.checkpoint import ShardEntry, ShardFiles
from sluiceway.warehouse.requests import StepWork, Work
from sluiceway.warehouse.state import State
from sluiceway.warehouse.table import Segment, StoredColumns


@dataclass(frozen=True)
class RelocationStats:
    """How many segments went from memory to data files, and what they took."""

    segments: int
    bytes: int


class Relocation:
    """Follows the checkpoints of one warehouse."""

    def __init__(self, files: ShardFiles, submit: Callable[[Work], None]) -> None:
        self._files = files
        self._submit = submit
        self._segments = self._bytes = 0

    def run(self, state: State, entries: Mapping[tuple[int, int], ShardEntry]) -> None:
        """Relocate what a checkpoint has of the shards of a state, as long as there are commits."""
        with suppress(UnavailableError):  # a warehouse that closes gives all back anyway
            self._run(state, entries)

    def _run(self, state: State, entries: Mapping[tuple[int, int], ShardEntry]) -> None:
        for (table_id, unit), entry in entries.items():
            shard = state.shards[table_id][unit]
            rows = shard.in_memory() if entry.unit is None else {}
            stored = {
                segment.ordinal: self._files.columns(segment)
                for segment in entry.segments
                if rows.get(segment.ordinal) == segment.rows
            }
            if stored:
                replaced = self._replace(table_id, unit, stored)
                self._bytes += shard.release(replaced)
                self._segments += len(replaced)

    def _replace(
        self, table_id: int, unit: int, stored: Mapping[int, StoredColumns]
    ) -> list[Segment]:
        """Let the committer replace segments between two commits, unless the table is gone."""

        def step(state: State) -> list[Segment]:
            shard = state.shards.get(table_id, {}).get(unit)
            return [] if shard is None else shard.relocate(stored)

        work = StepWork(step)
        self._submit(work)
        replaced: list[Segment] = work.future.result()
        return replaced

    def stats(self) -> RelocationStats:
        """What was relocated."""
        return RelocationStats(self._segments, self._bytes)
