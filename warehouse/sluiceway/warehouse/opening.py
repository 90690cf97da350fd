"""Puts a warehouse together: lock → manifest → segments → log → a new log file.

Invariants: nothing is written before the log was read to its end and found sound; the last record
is made durable and a new file is open before anybody sees the state; on any error everything that
was opened is closed again.
"""

import contextlib
from dataclasses import dataclass
from pathlib import Path

from sluiceway.catalog import Table
from sluiceway.warehouse.budget import Budget, budget_bytes
from sluiceway.warehouse.changelog import Log
from sluiceway.warehouse.checkpoint import HistoryBase, Manifest, Manifests, ShardFiles
from sluiceway.warehouse.clock import Clock
from sluiceway.warehouse.committer import Committer
from sluiceway.warehouse.ddl import DdlCommits
from sluiceway.warehouse.disk import Disk, RunFolder, disk_error, remove_run, run_path
from sluiceway.warehouse.folder import Folder
from sluiceway.warehouse.horizon import Horizon, promised
from sluiceway.warehouse.log import LogFiles, LogIndex, LogScan, LogWriter, Outlines
from sluiceway.warehouse.mapped import Memory
from sluiceway.warehouse.options import ServerOptions
from sluiceway.warehouse.past import Past
from sluiceway.warehouse.pins import ForeignPins
from sluiceway.warehouse.replay import Replay, state_of
from sluiceway.warehouse.resident import resident, trim_heap
from sluiceway.warehouse.stages import StageCommits, oldest_staged
from sluiceway.warehouse.table import Control, Shard, retire
from sluiceway.warehouse.tail import TailCache
from sluiceway.warehouse.upkeep.checkpointer import Checkpointer
from sluiceway.warehouse.upkeep.compaction import Compaction
from sluiceway.warehouse.upkeep.cooling import Cooling
from sluiceway.warehouse.upkeep.expiry import Expiry
from sluiceway.warehouse.upkeep.housekeeping import Chore, Housekeeper
from sluiceway.warehouse.upkeep.partitions import PartitionExpiry
from sluiceway.warehouse.upkeep.relocation import Relocation
from sluiceway.warehouse.upkeep.retention import Retention, agreed
from sluiceway.warehouse.upkeep.stages import StageExpiry


@dataclass(frozen=True)
class Opened:
    """The parts of an open warehouse."""

    folder: Folder
    clock: Clock
    index: LogIndex
    past: Past
    writer: LogWriter
    log: Log
    committer: Committer
    budget: Budget
    memory: Memory
    checkpointer: Checkpointer
    expiry: Expiry
    partition_expiry: PartitionExpiry
    stages: StageExpiry
    horizon: Horizon
    compaction: Compaction
    cooling: Cooling
    housekeeper: Housekeeper
    incarnation: int
    resources: contextlib.ExitStack

    def release(self) -> None:
        """Close files and maps, remove the run folder, drop the lock."""
        self.resources.close()


def open_parts(path: Path, options: ServerOptions, disk: Disk, clock: Clock) -> Opened:
    """Open or create the warehouse in a folder; nothing runs yet."""
    with contextlib.ExitStack() as stack:
        try:
            folder = Folder.open(path, disk)
            stack.callback(folder.close)
            return _Opening(folder, options, disk, clock, stack).run()
        except OSError as error:
            raise disk_error(f"cannot open {path}", error) from error


class _Opening:
    """The steps of a start."""

    def __init__(
        self,
        folder: Folder,
        options: ServerOptions,
        disk: Disk,
        clock: Clock,
        stack: contextlib.ExitStack,
    ) -> None:
        self._folder = folder
        self._options = options
        self._disk = disk
        self._clock = clock
        self._stack = stack
        self._memory = self._open_memory()
        self._index = LogIndex()
        self._log_files = LogFiles(disk, folder.log)
        stack.callback(self._log_files.close)
        self._manifests = Manifests(disk, folder.checkpoint, folder.identity)
        self._kept = self._manifests.good()
        self._shard_files = ShardFiles(
            disk, folder.data, folder.identity, options.packed_shard_bytes
        )
        self._ddl = DdlCommits(self._make_shard, options.shards)

    def _open_memory(self) -> Memory:
        identity = self._folder.identity
        if self._folder.left_behind is not None:
            remove_run(self._folder.left_behind, retire)
        limit_bytes = budget_bytes(self._options.memory)
        run = RunFolder(
            run_path(self._folder.path, identity.warehouse, self._options.run_dir, limit_bytes // 2)
        )
        self._stack.callback(run.close)
        self._folder.announce(run=run.path)
        memory = Memory(run.path)
        self._stack.callback(memory.close)
        return memory

    def _make_shard(self, table: Table, unit: int) -> Shard:
        return Shard(table, unit, self._memory)

    def run(self) -> Opened:
        """Read everything, then open a new log file."""
        manifest = self._kept[0] if self._kept else None
        scan = LogScan(self._log_files, self._folder.identity, manifest.lsn if manifest else 0)
        replay = self._replay(manifest, scan)
        incarnation = max(scan.incarnation, self._manifests.incarnation) + 1
        first_lsn = scan.next_file
        writer = self._open_log(scan, first_lsn, incarnation)
        self._shard_files.incarnation = incarnation
        self._remove_garbage(scan)
        return self._assemble(replay, writer, first_lsn, incarnation)

    def _replay(self, manifest: Manifest | None, scan: LogScan) -> Replay:
        state = state_of(manifest, self._shard_files, self._memory)
        base = manifest.base if manifest else HistoryBase()
        replay = Replay(self._log_files, self._index, self._ddl, state, base)
        for located in scan:
            if scan.records == 1:
                replay.begin(scan.oldest)
            replay.take(located)
        # Before its base, a checkpoint may lack the rows that a RESET record of the log ended.
        wanted = promised(base.lsn, replay.state.holds, self._clock.now_us())
        self._index.begin_at(oldest_staged(replay.state.stages, wanted))
        return replay

    def _open_log(self, scan: LogScan, first_lsn: int, incarnation: int) -> LogWriter:
        scan.settle()
        writer = LogWriter(
            self._log_files,
            self._folder.identity,
            incarnation,
            file_bytes=self._options.log_file_bytes,
            last_lsn=scan.last_lsn,
            log_bytes=scan.bytes,
            records=scan.records,
        )
        writer.open_file(first_lsn)
        self._stack.callback(writer.close)
        return writer

    def _remove_garbage(self, scan: LogScan) -> None:
        """Log files without a record, bad outlines, data files that no manifest names."""
        for file in scan.empty:
            self._log_files.remove(file)
        for file in scan.bad_outlines:
            self._disk.unlink(self._log_files.outline_path(file))
        if not self._manifests.damaged:
            self._shard_files.clean(name for kept in self._kept for name in kept.files())

    def _assemble(
        self, replay: Replay, writer: LogWriter, first_lsn: int, incarnation: int
    ) -> Opened:
        control, horizon = self._open_control(replay.state.lsn, incarnation)
        tail = TailCache(self._options.tail_cache_bytes)
        committer = Committer(
            disk=self._disk,
            clock=self._clock,
            writer=writer,
            index=self._index,
            tail=tail,
            control=control,
            history=replay.history,
            ddl=self._ddl,
            horizon=horizon,
            stages=StageCommits(self._options.stage_ttl_s),
            state=replay.state,
            next_lsn=first_lsn,
            group_rows_max=self._options.group_rows_max,
        )
        checkpointer = self._checkpointer(replay, writer, committer, control, horizon)
        partition_expiry = PartitionExpiry(self._clock, lambda: committer.state, committer.submit)
        expiry = Expiry(self._clock, lambda: committer.state, committer.submit)
        stage_expiry = StageExpiry(self._clock, lambda: committer.state, committer.submit)
        compaction = Compaction(
            self._clock,
            self._index,
            horizon,
            self._options.history_s,
            lambda: committer.state,
            committer.submit,
        )
        cooling = Cooling(
            self._shard_files,
            self._index,
            compaction.running,
            lambda: checkpointer.newest,
            lambda: committer.state,
            committer.submit,
        )
        chores: list[Chore] = [expiry, partition_expiry, stage_expiry, compaction, cooling]
        return Opened(
            folder=self._folder,
            clock=self._clock,
            index=self._index,
            past=Past(
                self._clock,
                self._index,
                replay.history,
                lambda: horizon.lsn,
                lambda: committer.state,
                committer.settle,
            ),
            writer=writer,
            log=Log(self._log_files, self._index, tail, committer, self._clock),
            committer=committer,
            budget=self._budget(checkpointer),
            memory=self._memory,
            checkpointer=checkpointer,
            expiry=expiry,
            partition_expiry=partition_expiry,
            horizon=horizon,
            compaction=compaction,
            stages=stage_expiry,
            cooling=cooling,
            housekeeper=Housekeeper(chores),
            incarnation=incarnation,
            resources=self._stack.pop_all(),
        )

    def _open_control(self, lsn: int, incarnation: int) -> tuple[Control, Horizon]:
        """Let other processes see what is published."""
        control = Control(self._memory)
        self._stack.callback(control.close)
        foreign = ForeignPins(self._memory)
        self._stack.callback(foreign.close)
        known = self._kept[0].horizon if self._kept else 0
        horizon = Horizon(known, control.compact, foreign.lsns)
        control.change(lsn)
        control.forget(self._index.oldest)
        control.compact(horizon.lsn)
        control.publish(lsn)
        control.open(incarnation)
        return control, horizon

    def _budget(self, checkpointer: Checkpointer) -> Budget:
        def relieve() -> None:
            checkpointer.checkpoint()
            trim_heap()

        def press() -> None:
            checkpointer.notice(pressed=True)

        limit_bytes = budget_bytes(self._options.memory)
        return Budget(limit_bytes, resident, press, relieve, self._clock)

    def _checkpointer(
        self,
        replay: Replay,
        writer: LogWriter,
        committer: Committer,
        control: Control,
        horizon: Horizon,
    ) -> Checkpointer:
        return Checkpointer(
            files=self._shard_files,
            manifests=self._manifests,
            outlines=Outlines(self._log_files),
            kept=self._kept,
            index=self._index,
            clock=self._clock,
            horizon=horizon,
            retention=self._retention(replay, control),
            relocation=Relocation(self._shard_files, committer.submit),
            incarnation=self._shard_files.incarnation,
            state=lambda: committer.state,
            log_bytes=lambda: writer.total_bytes,
            every_bytes=self._options.checkpoint_log_bytes,
        )

    def _retention(self, replay: Replay, control: Control) -> Retention:
        retention = Retention(
            self._log_files,
            self._index,
            replay.history,
            control,
            self._options.log_keep_bytes,
            self._memory.notices.append,
        )
        retention.forget(agreed(self._kept))
        return retention
