"""A warehouse that another process writes, read from that one's memory and log.

Invariants: nothing here changes a byte of the warehouse. Every read shows one published LSN, never
an older one than the read before it, and each commit from the moment it is published. Without a
writing process the last published LSN stays readable; a new one is attached to when it is open.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from sluiceway.catalog import Catalog, Table, UnavailableError, UserError
from sluiceway.warehouse.background import TaskStats
from sluiceway.warehouse.changelog import Log
from sluiceway.warehouse.checkpoint import Hold
from sluiceway.warehouse.clock import Clock, RealClock
from sluiceway.warehouse.disk import Disk, RealDisk
from sluiceway.warehouse.folder import LockNote, WarehouseIdentity, read_identity
from sluiceway.warehouse.horizon import Pin
from sluiceway.warehouse.past import Past
from sluiceway.warehouse.pins import ReaderPins
from sluiceway.warehouse.reads import Reads
from sluiceway.warehouse.replica.cold import ColdShards
from sluiceway.warehouse.replica.followed import Followed, Touched
from sluiceway.warehouse.replica.link import WriterLink
from sluiceway.warehouse.replica.watch import Watch
from sluiceway.warehouse.requests import Ack, Write, WriteRequest
from sluiceway.warehouse.signals import Key
from sluiceway.warehouse.snapshot import Snapshot
from sluiceway.warehouse.state import dropped
from sluiceway.warehouse.table import AttachedShards, AttachedStats, ControlView, ShardView
from sluiceway.warehouse.tail import TailCache

# The newest changes in memory are the writing process's; here they come from its files.
_NO_TAIL = TailCache(0)


@dataclass(frozen=True)
class Attachment:
    """The memory of one incarnation."""

    control: ControlView
    shards: AttachedShards
    cold: ColdShards
    pins: ReaderPins
    incarnation: int

    def of_dropped(self, table_id: int) -> Mapping[int, ShardView]:
        """The units of a dropped table that are kept still."""
        return self.shards.of_dropped(table_id, self.cold.units(table_id))


@dataclass(frozen=True)
class ReplicaState:
    """Catalog, holds and shards (by table id and unit) at `lsn`."""

    lsn: int
    time_us: int
    catalog: Catalog
    holds: Mapping[str, Hold] = field(default_factory=dict)
    shards: Mapping[int, Mapping[int, ShardView]] = field(default_factory=dict)
    of_dropped: Callable[[int], Mapping[int, ShardView]] = lambda table_id: {}

    def shards_of(self, table: Table) -> Mapping[int, ShardView]:
        """What holds a table's rows, by unit, or GoneError if they are not kept any more."""
        if table.id in self.shards:
            return self.shards[table.id]
        shards = self.of_dropped(table.id)
        if not shards and not table.partition_by:
            raise dropped(table, self.lsn)
        return shards


@dataclass(frozen=True)
class ReplicaStats:
    """What a reading process shows and has mapped."""

    published: int
    incarnation: int
    log_lsn: int
    horizon: int
    attached: AttachedStats
    background: list[TaskStats]


class Replica(Reads):
    """A warehouse to read. All methods may be called from any thread."""

    def __init__(self, path: Path, disk: Disk, clock: Clock) -> None:
        identity = read_identity(path, disk)
        self.path = path
        self._disk = disk
        self.link = WriterLink(lambda: self.writer)
        self._identity = identity
        self._lock = threading.Lock()
        self._clock = clock
        self._followed = Followed(disk, path, identity)
        self._attached = self._attach(LockNote.read(path, disk))
        self._state = ReplicaState(-1, 0, Catalog.empty())
        self._shared: Snapshot | None = None
        self._watch = Watch(self._look, self._let_go, self.wait_published, self._wake)
        try:
            self._view(with_log=True)
        except BaseException:
            self.close()
            raise

    @classmethod
    def open(cls, path: Path, *, disk: Disk | None = None, clock: Clock | None = None) -> Replica:
        """Attach to the warehouse in a folder, or UnavailableError if nobody writes it."""
        return cls(path, disk or RealDisk(), clock or RealClock())

    def close(self) -> None:
        """End subscriptions; what was read stays good for whoever holds it."""
        self._watch.close()
        self._shared = None
        self._attached.pins.close()
        self._followed.close()
        self.link.close()

    @property
    def identity(self) -> WarehouseIdentity:
        """Who the warehouse is, and which start of the writing process is read."""
        return WarehouseIdentity.of(self._identity, self._attached.incarnation)

    @property
    def writer(self) -> str | None:
        """Where the writing process answers now, as far as the lock file tells."""
        return LockNote.read(self.path, self._disk).endpoint

    @property
    def state(self) -> ReplicaState:
        """The newest published state, for changelog readers: the log is as new."""
        return self._view(with_log=True)

    def wait_beyond(self, key: Key, lsn: int, timeout_s: float) -> bool:
        """Wait until a commit above `lsn` touches the shard; False after the timeout."""
        return self._watch.wait(key, lsn, timeout_s)

    def wait_published(self, seen: int, timeout_s: float) -> None:
        """Sleep until another LSN than `seen` is published, a time is over, or for less."""
        self._attached.control.wait_published(seen, timeout_s)

    def submit(self, *writes: Write) -> Future[Ack]:
        """Refuse: another process writes."""
        raise self._refusal([request for request, _ in writes])

    def stage(
        self, name: str, epoch: int, sequence: int, request: WriteRequest, batch: pa.RecordBatch
    ) -> Future[Ack]:
        """Refuse: another process writes."""
        raise self._refusal([request])

    def _refusal(self, requests: Sequence[WriteRequest]) -> UserError:
        tables = ", ".join(f"{request.database}.{request.table}" for request in requests)
        return UserError(
            f"a write to {tables} came to a process that only reads: "
            f"write to {self.writer or 'the writing process, which is not running'}",
            sqlstate="25006",
        )

    def stats(self) -> ReplicaStats:
        """What is shown and mapped."""
        state, attached = self._view(), self._attached
        return ReplicaStats(
            published=state.lsn,
            incarnation=attached.incarnation,
            log_lsn=self._followed.lsn,
            horizon=attached.control.horizon(),
            attached=attached.shards.stats(),
            background=[self._watch.stats()],
        )

    @property
    def _log(self) -> Log:
        followed = self._followed
        return Log(followed.files, followed.index, _NO_TAIL, self, self._clock, self._learn)

    @property
    def _past(self) -> Past:
        followed = self._followed
        return Past(
            self._clock,
            followed.index,
            followed.history,
            self._attached.control.horizon,
            lambda: self.state,
            self._settle,
        )

    def _keep(self, lsn: int) -> Pin:
        return self._attached.pins.keep(lsn)

    def _settle(self, time_us: int) -> int:
        """Ask: only the writing process knows which commits are on their way."""
        return int(self.link.act("at_time", {"time_us": time_us})["lsn"])

    def _newest(self) -> Snapshot:
        """All tables at the published LSN; one snapshot is shared while that stays, for a tick."""
        shared, control = self._shared, self._attached.control
        if shared is None or shared.state is not self._state or not control.shows(shared.lsn):
            shared = self._shared = super()._newest()
        return shared

    def _let_go(self) -> None:
        """Keep no LSN that nobody reads at."""
        self._shared = None
        self._attached.pins.settle()

    def _wake(self) -> None:
        self._attached.control.wake()

    def _look(self) -> int:
        return self._view(with_log=True).lsn

    def _view(self, *, with_log: bool = False) -> ReplicaState:
        control, state = self._attached.control, self._state
        known = control.published() == state.lsn and control.is_current()
        if known and not (with_log and not self._log_is_known(state.lsn)):
            return state
        with self._lock:
            return self._advance(with_log)

    def _log_is_known(self, lsn: int) -> bool:
        followed = self._followed
        return followed.lsn >= lsn and followed.index.oldest >= self._attached.control.oldest()

    def _advance(self, with_log: bool) -> ReplicaState:
        """Take over what is published now; the LSN is loaded before the word about changes.

        What a writing process published last may have gone with it before it was mapped here; then
        all stays as it is until there is another one.
        """
        fresh = self._attach_again()
        lsn = self._attached.control.published()
        before = self._state
        if not self._attached.shards.follow():
            if not self._attach_again():
                return before
            fresh, lsn = True, self._attached.control.published()
        changed = self._attached.control.changed() > self._followed.lsn
        if changed or with_log or before.lsn < 0:
            self._watch.touch(self._follow(lsn), lsn)
        followed = self._followed
        catalog, shards = followed.catalog, before.shards
        if fresh or catalog is not before.catalog:
            shards = self._shards(catalog, None if fresh else before)
        self._state = ReplicaState(
            lsn, followed.time_us, catalog, followed.holds, shards, self._attached.of_dropped
        )
        return self._state

    def _follow(self, lsn: int) -> Touched:
        """Read the log up to `lsn`; anew, if some of it went before it was read here."""
        oldest = self._attached.control.oldest()
        if self._followed.lsn and oldest > self._followed.lsn + 1:
            self._followed.index.lose(oldest)
            self._followed.close()
            self._followed = Followed(self._disk, self.path, self._identity)
        touched = self._followed.catch_up(lsn, self._attached.incarnation)
        self._followed.forget(oldest)
        self._forget_tables()
        return touched

    def _learn(self) -> None:
        """Take note of changes of single tables that went since the log was read."""
        with self._lock:
            self._forget_tables()

    def _forget_tables(self) -> None:
        for table, lsn in self._attached.shards.forgotten().items():
            self._followed.index.forget_table(table, lsn)

    def _shards(
        self, catalog: Catalog, before: ReplicaState | None
    ) -> dict[int, Mapping[int, ShardView]]:
        shards: dict[int, Mapping[int, ShardView]] = {}
        for table in catalog.tables.values():
            known = before.shards.get(table.id) if before else None
            partitions = catalog.partitions.get(table.id)
            if before and known and partitions is before.catalog.partitions.get(table.id):
                shards[table.id] = known
            else:
                shards[table.id] = self._attached.shards.of(table, catalog.units(table))
        return shards

    def _attach_again(self) -> bool:
        """Turn to a later writing process, if there is one and it is ready; tell whether."""
        if self._attached.control.is_current():
            return False
        before = self._attached
        try:
            self._attached = self._attach(LockNote.read(self.path, self._disk))
        except UnavailableError:
            return False
        before.pins.close()
        return True

    def _attach(self, note: LockNote) -> Attachment:
        hint = f"nobody writes {self.path} now: start `sluiceway serve --data {self.path}` first"
        if note.run is None:
            raise UnavailableError(hint)
        try:
            control = ControlView.attach(note.run)
            incarnation = control.incarnation()
            if incarnation == 0:
                raise UnavailableError(f"process {note.pid} still opens {self.path}: ask again")
            cold = ColdShards(self._disk, self.path, self._identity, control.horizon)
            shards = AttachedShards(note.run, self.path, cold.open)
            pins = ReaderPins(note.run, control.horizon)
            return Attachment(control, shards, cold, pins, incarnation)
        except FileNotFoundError as error:
            raise UnavailableError(hint) from error
