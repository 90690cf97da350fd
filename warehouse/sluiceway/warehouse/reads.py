"""The reads of a warehouse, the same whether this process writes it or another one does.

Invariant: each read shows one published LSN; what a method returns stays as it is for as long as
the caller keeps it.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from sluiceway.catalog import Catalog, GoneError, Table, UserError
from sluiceway.warehouse.changelog import ChangelogReader, Log
from sluiceway.warehouse.holds import alive
from sluiceway.warehouse.horizon import Pin
from sluiceway.warehouse.past import Past
from sluiceway.warehouse.snapshot import Snapshot
from sluiceway.warehouse.state import View


@dataclass(frozen=True)
class ShardPosition:
    """Where a shard's changelog begins, goes on, and stood at a time."""

    shard: int
    oldest: int
    next: int
    at_time: int


class Reads(ABC):
    """Snapshots, changelogs and positions. All methods may be called from any thread."""

    @abstractmethod
    def _view(self, *, with_log: bool = False) -> View:
        """The newest published state; `with_log`, the index of the log is as new."""

    @property
    @abstractmethod
    def _log(self) -> Log:
        """What changelog readers share."""

    @property
    @abstractmethod
    def _past(self) -> Past:
        """The LSNs behind the published one."""

    @abstractmethod
    def _keep(self, lsn: int) -> Pin:
        """Keep the rows of an LSN for a reader, or GoneError."""

    @abstractmethod
    def wait_published(self, seen: int, timeout_s: float) -> None:
        """Sleep until another LSN than `seen` is published, a time is over, or for less."""

    @property
    def published(self) -> int:
        """The commit LSN of the newest visible commit; 0 in an empty warehouse."""
        return self._view().lsn

    @property
    def catalog(self) -> Catalog:
        """The catalog at the published LSN."""
        return self._view().catalog

    def snapshot(
        self, lsn: int | None = None, hold: str | None = None, *, time_us: int | None = None
    ) -> Snapshot:
        """All tables at an LSN: the published one, that of a hold or a time, any that is kept."""
        if time_us is not None:
            if lsn is not None or hold is not None:
                raise UserError("a snapshot is named by its LSN, its hold or a time: name one")
            lsn = self._past.lsn_at(time_us)
        newest = self._newest()
        if hold is not None:
            held = alive(newest.state.holds, hold, self._log.clock.now_us())
            if lsn is not None and lsn != held.lsn:
                raise UserError(f"hold {hold!r} is at LSN {held.lsn}, not at {lsn}")
            lsn = held.lsn
        if lsn is None or lsn == newest.lsn:
            return newest
        catalog = self._past.catalog(lsn, newest.lsn)
        return Snapshot(newest.state, lsn, catalog, self._keep(lsn))

    def _newest(self) -> Snapshot:
        """All tables at the published LSN."""
        while True:
            state = self._view()
            try:
                return Snapshot(state, state.lsn, state.catalog, self._keep(state.lsn))
            except GoneError:
                continue  # commits and compaction overtook; the next state is newer

    def changelog(
        self,
        table: Table,
        shard: int,
        start: int,
        *,
        until: int | None = None,
        columns: Sequence[str] | None = None,
        batch_rows: int = 8192,
    ) -> ChangelogReader:
        """Subscribe to the changes of one shard from LSN `start` on."""
        self._view(with_log=True)
        return ChangelogReader(
            self._log, table, shard, start,
            until=until, columns=columns, batch_rows=batch_rows,
        )  # fmt: skip

    def shards(self, table: Table, time_us: int | None = None) -> list[ShardPosition]:
        """Where the changelog of each shard can be read, and where it stood at `time_us`."""
        published = self._view(with_log=True).lsn
        index, oldest = self._log.index, self._log.oldest_of(table.id)
        at_time = oldest if time_us is None else index.at_time(time_us)
        if at_time is None or at_time > published:
            at_time = published + 1
        return [
            ShardPosition(shard, oldest, published + 1, max(at_time, oldest))
            for shard in range(table.shards)
        ]
