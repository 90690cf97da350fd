"""Checkpoints beside the commits: when the log has grown, and on demand.

A checkpoint shows the State that was published when it began. Commits go on meanwhile: rows, marks
and runs above that LSN are left out, for replay brings them back.

Invariants: one checkpoint at a time; a shard without a commit since the last one keeps its files,
unless it lies in a pack that is mostly garbage; the manifest comes last; files go only after the
manifest that no longer needs them is durable, and files of the log only when neither kept manifest
does.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from sluiceway.catalog import GoneError
from sluiceway.warehouse.background import Background, TaskStats
from sluiceway.warehouse.checkpoint import (
    KEPT,
    HistoryBase,
    Manifest,
    Manifests,
    ShardEntry,
    ShardFiles,
)
from sluiceway.warehouse.clock import Clock
from sluiceway.warehouse.disk import disk_error
from sluiceway.warehouse.holds import remembered
from sluiceway.warehouse.horizon import Horizon, Pin
from sluiceway.warehouse.log import LogIndex, Outlines
from sluiceway.warehouse.state import State
from sluiceway.warehouse.upkeep.relocation import Relocation, RelocationStats
from sluiceway.warehouse.upkeep.retention import Retention, RetentionStats

RETENTION_EVERY_S = 60.0
PRESSED_TIMES = 8


@dataclass(frozen=True)
class CheckpointerStats:
    """The newest checkpoint, how many this process wrote, what left memory and the log since."""

    lsn: int
    written: int
    relocation: RelocationStats
    retention: RetentionStats


class Checkpointer:
    """Writes checkpoints of one warehouse."""

    def __init__(
        self,
        *,
        files: ShardFiles,
        manifests: Manifests,
        outlines: Outlines,
        kept: list[Manifest],
        index: LogIndex,
        clock: Clock,
        horizon: Horizon,
        retention: Retention,
        relocation: Relocation,
        incarnation: int,
        state: Callable[[], State],
        log_bytes: Callable[[], int],
        every_bytes: int,
    ) -> None:
        self._files = files
        self._manifests = manifests
        self._outlines = outlines
        self._kept = kept
        self._index = index
        self._clock = clock
        self._horizon = horizon
        self._retention = retention
        self._relocation = relocation
        self._written = 0
        self._incarnation = incarnation
        self._state = state
        self._log_bytes = log_bytes
        self._every_bytes = every_bytes
        self._at_bytes = log_bytes()
        self._one_at_a_time = threading.Lock()
        self._wake = threading.Event()
        self._failed = False
        self._thread = Background("checkpointer", self._turn)

    @property
    def lsn(self) -> int:
        """The LSN of the newest checkpoint; 0 before the first."""
        return self._kept[0].lsn if self._kept else 0

    @property
    def newest(self) -> Manifest | None:
        """The newest checkpoint."""
        return self._kept[0] if self._kept else None

    def start(self) -> None:
        """Watch the log, if checkpoints are automatic."""
        if self._every_bytes:
            self._thread.start()

    def notice(self, *, pressed: bool = False) -> None:
        """Called after commits: wakes the thread once the log has grown enough.

        While memory is short, so many times as often.
        """
        grown_bytes = self._log_bytes() - self._at_bytes
        if grown_bytes * (PRESSED_TIMES if pressed else 1) >= self._every_bytes > 0:
            self._wake.set()

    def checkpoint(self) -> int:
        """Write a checkpoint of what is published now; returns its LSN."""
        with self._one_at_a_time:
            self._at_bytes = self._log_bytes()
            state, pin = self._pinned()
            base = self._retention.base(state, self._clock.now_us())
            try:
                if self.lsn < state.lsn or self._held_lsn() < base.lsn:
                    self._write(state, base)
                    self._relocation.run(state, self._files.entries)
                self._cut_log()
            except OSError as error:
                if not self._manifests.damaged:
                    self._clean()  # what was written for nothing gives its room back
                what = f"the checkpoint at LSN {state.lsn} failed, the log still has everything"
                raise disk_error(what, error) from error
            return pin.lsn

    def _pinned(self) -> tuple[State, Pin]:
        while True:
            state = self._state()
            try:
                return state, self._horizon.pin(state.lsn)
            except GoneError:
                continue  # commits and compaction overtook; the next state is newer

    def _cut_log(self) -> None:
        """Remove what nobody wants, nor wanted since the checkpoint began."""
        with self._index.cutting:
            cut = self._retention.cut(self._state(), self._clock.now_us())
            self._retention.remove(min(cut, self._held_lsn()))
            if len(self._kept) == KEPT:
                self._retention.punch(self._state(), self._clock.now_us(), self._kept)

    def _held_lsn(self) -> int:
        """The LSN from which on one of the two manifests that are kept wants the log."""
        whole = len(self._kept) < KEPT
        return 1 if whole else min(manifest.base.lsn for manifest in self._kept)

    def _write(self, state: State, base: HistoryBase) -> None:
        self._outlines.write()
        manifest = Manifest(
            lsn=state.lsn,
            time_us=state.time_us,
            catalog=state.catalog,
            shards=self._write_shards(state),
            holds=remembered(state.holds, self._clock.now_us()),
            stages=tuple(state.stages.values()),
            ddl=state.ddl,
            horizon=self._horizon.lsn,
            base=base,
            forgotten=self._retention.forgotten(state, self._clock.now_us()),
            dropped=state.dropped,
        )
        self._manifests.write(manifest, self._incarnation)
        self._kept = [manifest, *self._kept[:1]]
        self._files.entries = manifest.shards
        self._written += 1
        self._clean()

    def _clean(self) -> None:
        self._files.clean(name for kept in self._kept for name in kept.files())

    def _write_shards(self, state: State) -> dict[tuple[int, int], ShardEntry]:
        last = self._kept[0] if self._kept else None
        known = {name for kept in self._kept for name in kept.files()}
        worn = self._files.worn_packs(last) if last else set()
        packs = self._files.packs()
        entries = {}
        for table_id, shards in state.shards.items():
            catalog = state.catalog_of(table_id)
            table = catalog.tables[table_id]
            for unit, shard in shards.items():
                key = (table_id, unit)
                before = last.shards.get(key) if last else None
                touched = min(self._index.touched_lsn(*key), state.lsn)
                if before is not None and before.lsn == state.lsn:
                    entries[key] = before
                    continue
                whole = before is not None and before.dropped_segments == shard.dropped_segments
                if before is not None and touched <= before.lsn and whole:
                    is_worn = before.unit is not None and before.unit.file in worn
                    entries[key] = self._files.repack(before, packs) if is_worn else before
                    continue
                entries[key] = self._files.write(
                    shard, table, unit, state.lsn, catalog, known, packs
                )
        packs.finish()
        return entries

    def _log_has_expired(self) -> bool:
        return self._retention.cut(self._state(), self._clock.now_us()) > self._held_lsn()

    def stats(self) -> CheckpointerStats:
        """What was written and what is kept."""
        return CheckpointerStats(
            self.lsn, self._written, self._relocation.stats(), self._retention.stats()
        )

    def close(self) -> None:
        """Stop watching; a checkpoint that runs is finished."""
        self._thread.close(self._wake.set)

    def background(self) -> TaskStats:
        """How the thread does."""
        return self._thread.stats()

    def _turn(self) -> None:
        wanted = self._failed or self._wake.wait(RETENTION_EVERY_S)
        self._wake.clear()
        if not self._thread.closing and (wanted or self._log_has_expired()):
            self._failed = True
            self.checkpoint()
            self._failed = False
