"""The warehouse: opens a folder, commits, and shows what was committed.

Invariants: one process writes a folder; what `write`, `ddl` and `hold` answered is on disk; every
reader sees one LSN. `open` either shows everything that was ever answered or raises and names what
is damaged.
"""

import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path

import pyarrow as pa

from sluiceway.catalog import Change, SluicewayError, UserError
from sluiceway.warehouse.changelog import Log
from sluiceway.warehouse.clock import Clock, RealClock
from sluiceway.warehouse.ddl import widen_ahead
from sluiceway.warehouse.disk import Disk, RealDisk
from sluiceway.warehouse.folder import WarehouseIdentity
from sluiceway.warehouse.horizon import Pin
from sluiceway.warehouse.opening import Opened, open_parts
from sluiceway.warehouse.options import ServerOptions
from sluiceway.warehouse.past import Past
from sluiceway.warehouse.reads import Reads, ShardPosition
from sluiceway.warehouse.requests import (
    AbortWork,
    Ack,
    CommitStagedWork,
    DdlResult,
    DdlWork,
    HoldWork,
    StageNames,
    StageWork,
    TruncateWork,
    Write,
    WriteRequest,
    prepare_write,
)
from sluiceway.warehouse.stages import answered, open_stages, staged_writes
from sluiceway.warehouse.state import State
from sluiceway.warehouse.stats import WarehouseStats, warehouse_stats
from sluiceway.warehouse.table import bytes_of

__all__ = ["Ack", "DdlResult", "ShardPosition", "Warehouse", "WriteRequest"]

STAGE_NAME_MAX = 200

log = logging.getLogger(__name__)


class Warehouse(Reads):
    """An open warehouse. All methods may be called from any thread."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self._committer = opened.committer
        self._closed = False
        me = opened.folder.identity
        self.identity = WarehouseIdentity.of(me, opened.incarnation)

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        options: ServerOptions | None = None,
        disk: Disk | None = None,
        clock: Clock | None = None,
    ) -> "Warehouse":
        """Open the folder, or make a new warehouse in an empty one."""
        opened = open_parts(
            path, options or ServerOptions(data=path), disk or RealDisk(), clock or RealClock()
        )
        opened.committer.start()
        opened.checkpointer.start()
        opened.housekeeper.start()
        return cls(opened)

    def close(self) -> None:
        """Commit what waits, write a checkpoint, give the folder back."""
        if self._closed:
            return
        self._closed = True
        self._opened.compaction.close()
        self._opened.housekeeper.close()
        self._committer.close()
        self._opened.checkpointer.close()
        try:
            if self._committer.healthy:
                self._opened.checkpointer.checkpoint()
        except SluicewayError as error:
            log.error("%s", error)
        finally:
            self._opened.release()

    def wait_published(self, seen: int, timeout_s: float) -> None:
        """Sleep until another LSN than `seen` is published, a time is over, or for less."""
        self._committer.control.wait_published(seen, timeout_s)

    def _keep(self, lsn: int) -> Pin:
        return self._opened.horizon.pin(lsn)

    def _view(self, *, with_log: bool = False) -> State:
        return self._committer.state

    @property
    def _log(self) -> Log:
        return self._opened.log

    @property
    def _past(self) -> Past:
        return self._opened.past

    @property
    def last_port(self) -> int | None:
        """The port that the last process listened at."""
        return self._opened.folder.last_port()

    def announce(self, endpoint: str) -> None:
        """Tell others (lock file) and the next start (endpoint file) where this one listens."""
        self._opened.folder.announce(endpoint=endpoint)
        host, _, port = endpoint.rpartition("/")[2].rpartition(":")
        self._opened.folder.remember_endpoint(host, int(port))

    def ddl(self, changes: Sequence[Change], change_id: str | None = None) -> DdlResult:
        """Apply changes to the catalog, all or none; durable on return."""
        work = DdlWork(tuple(changes), change_id)
        widen_ahead(self._committer.state, work.changes)
        self._committer.submit(work)
        return work.future.result()

    def submit(self, *writes: Write) -> "Future[Ack]":
        """Validate batches and put them in line as one write; the future says when it is durable.

        This waits while memory is short, and raises UnavailableError if it stays so.
        A write holds together or not at all, and has one LSN; it names a table once.
        """
        budget, size_bytes = self._opened.budget, sum(bytes_of(batch) for _, batch in writes)
        budget.enter(size_bytes)
        try:
            work = prepare_write(self.catalog, writes)
            self._committer.submit(work)
        except BaseException:
            budget.leave(size_bytes)
            raise
        work.future.add_done_callback(lambda _: budget.leave(size_bytes))
        self._opened.checkpointer.notice()
        return work.future

    def write(self, request: WriteRequest, batch: pa.RecordBatch) -> Ack:
        """Commit one batch RecordBatch[_op: int8, columns…]; durable and visible on return."""
        return self.submit((request, batch)).result()

    def write_all(self, writes: Sequence[Write]) -> Ack:
        """Commit batches of several tables, all or none, at one LSN; durable on return."""
        return self.submit(*writes).result()

    def truncate(
        self,
        database: str,
        table: str,
        table_id: int | None = None,
        *,
        partition: Mapping[str, str] | None = None,
    ) -> Ack:
        """End all rows of a table, or of one partition, at one LSN; durable on return.

        They count as rows and events.
        """
        work = TruncateWork(WriteRequest(database, table, table_id), partition)
        self._committer.submit(work)
        return work.future.result()

    def stage(
        self, name: str, epoch: int, sequence: int, request: WriteRequest, batch: pa.RecordBatch
    ) -> "Future[Ack]":
        """Keep a batch for a later commit; the future says when it is durable.

        The batches of a stage are numbered from 0; one that was staged before is left as it is. A
        higher epoch takes a stage over and begins it anew.
        """
        if not 0 < len(name) <= STAGE_NAME_MAX:
            raise UserError(f"a stage has a name of 1 to {STAGE_NAME_MAX} characters, not {name!r}")
        prepare_write(self.catalog, [(request, batch)])
        work = StageWork(name, epoch, sequence, request, batch)
        self._committer.submit(work)
        self._opened.checkpointer.notice()
        return work.future

    def commit_staged(
        self,
        stages: StageNames,
        *,
        overwrite: bool = False,
        partition: Mapping[str, str] | None = None,
    ) -> Ack:
        """Commit stages, named with their epochs, at one LSN: all of their rows or none.

        With `overwrite` the rows that their tables had before end at that LSN, or those of one
        `partition`.
        """
        if not stages or len({name for name, _ in stages}) < len(stages):
            raise UserError("a commit names at least one stage, and each once")
        state = self._committer.state
        ack = answered(state.stages, stages)
        if ack is not None:
            return ack
        found = open_stages(state.stages, stages)
        writes = staged_writes(
            self._log.files, state, found, overwrite=overwrite, partition=partition
        )
        work = CommitStagedWork(stages, tuple(found), writes)
        self._committer.submit(work)
        return work.future.result()

    def abort_staged(self, stages: StageNames) -> Ack:
        """Give stages up, named with their epochs; those that are gone are left alone."""
        work = AbortWork(stages)
        self._committer.submit(work)
        return work.future.result()

    def expire_stages(self) -> int:
        """Abort the stages that nobody went on with; returns how many were found."""
        return self._opened.stages.run()

    def hold(self, name: str, lsn: int | None, ttl_ms: int) -> int:
        """Take or renew a named lease on a snapshot (None = published now); returns its LSN."""
        work = HoldWork(name, lsn, ttl_ms)
        self._committer.submit(work)
        return work.future.result()

    def release(self, name: str) -> None:
        """Give a hold back; nothing happens if there is none."""
        work = HoldWork(name)
        self._committer.submit(work)
        work.future.result()

    def checkpoint(self) -> int:
        """Write a checkpoint of what is published; returns its LSN."""
        return self._opened.checkpointer.checkpoint()

    def expire(self) -> int:
        """End the rows that are older than their table's TTL now; returns how many."""
        return self._opened.expiry.run()

    def drop_expired_partitions(self) -> int:
        """Drop the partitions that are older than their table keeps them; returns how many."""
        return self._opened.partition_expiry.run()

    def compact(self) -> int:
        """Give back what nobody can see any more; returns how many segments were dropped."""
        return self._opened.compaction.run()

    def cool(self) -> int:
        """Let small shards rest that nobody asked for in many calls; returns how many now do."""
        return self._opened.cooling.run()

    def stats(self) -> WarehouseStats:
        """What the warehouse holds and does."""
        return warehouse_stats(self._opened)
