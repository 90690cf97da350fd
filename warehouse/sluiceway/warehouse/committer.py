"""Group commit: one thread that turns whatever waits into the next commit.

One commit = merge and apply, unpublished → write the record → fdatasync → append the runs of all
shards it touched → one store to `ctl` → the new State → wake readers → answer writers.

Invariants:
* Commits happen in the order in which they were asked for; LSNs and commit times never go back.
* What a reader can see is on disk. What was answered is on disk.
* An error before the first change in memory or log fails the request, whatever it is. One after it
  ends the process (`disk.stop`): memory is thrown away and the log decides.
"""

import json
import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import assert_never

from sluiceway.catalog import UnavailableError
from sluiceway.warehouse.background import TaskStats, thread_stats
from sluiceway.warehouse.clock import Clock
from sluiceway.warehouse.ddl import DdlCommits, DdlPlan
from sluiceway.warehouse.disk import Disk
from sluiceway.warehouse.holds import applied, changed, to_document
from sluiceway.warehouse.horizon import Horizon
from sluiceway.warehouse.log import Located, LogIndex, LogWriter, Part, RecordKind, json_part
from sluiceway.warehouse.requests import (
    AbortWork,
    Ack,
    CommitStagedWork,
    DdlWork,
    ExpireWork,
    HoldWork,
    MomentWork,
    MoveWork,
    ReleaseWork,
    StageWork,
    StepWork,
    TruncateWork,
    Work,
    WriteWork,
    absent_partitions,
    current_parts,
    fail,
    harmless,
    target_table,
)
from sluiceway.warehouse.resets import apply_resets, reset_parts, units_to_empty
from sluiceway.warehouse.signals import Key, Signals, key_of
from sluiceway.warehouse.stages import StageCommits, StageDocument, stage_parts, state_after
from sluiceway.warehouse.state import CatalogHistory, State
from sluiceway.warehouse.table import Control, Shard
from sluiceway.warehouse.tail import TailCache, TailPart
from sluiceway.warehouse.upkeep.compaction import move_part
from sluiceway.warehouse.upkeep.expiry import expire_parts
from sluiceway.warehouse.upkeep.pauses import Pauses
from sluiceway.warehouse.workqueue import WorkQueue
from sluiceway.warehouse.writes import GroupMerge

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CommitterStats:
    """How much was committed together."""

    commits: int
    batches: int
    rows: int
    waiting: int


class Committer:
    """Owns the end of the log and the published state."""

    def __init__(
        self,
        *,
        disk: Disk,
        clock: Clock,
        writer: LogWriter,
        index: LogIndex,
        tail: TailCache,
        control: Control,
        history: CatalogHistory,
        ddl: DdlCommits,
        horizon: Horizon,
        stages: StageCommits,
        state: State,
        next_lsn: int,
        group_rows_max: int,
    ) -> None:
        self._disk = disk
        self._clock = clock
        self._writer = writer
        self._index = index
        self._tail = tail
        self.control = control
        self._history = history
        self._ddl = ddl
        self._horizon = horizon
        self._stages = stages
        self._state = state
        self._next_lsn = next_lsn
        self._queue = WorkQueue(group_rows_max)
        self._signals = Signals()
        self.pauses = Pauses(clock)
        self._dead: BaseException | None = None
        self._half_way = False
        self._settled_us = 0
        self._commits = self._batches = self._rows = 0
        self._thread = threading.Thread(target=self._run, name="committer", daemon=True)

    @property
    def state(self) -> State:
        """The newest published state."""
        return self._state

    @property
    def healthy(self) -> bool:
        """Whether memory and log agree, so that a checkpoint may be written."""
        return self._dead is None

    def start(self) -> None:
        """Begin to commit."""
        self._thread.start()

    def submit(self, work: Work) -> None:
        """Put a request in the queue; its future is resolved once it is durable."""
        self._queue.put(work)

    def settle(self, time_us: int) -> int:
        """Let the commits on their way pass, and none follow at or before a time; their LSN."""
        work = MomentWork(time_us)
        self.submit(work)
        return work.future.result()

    def wait_beyond(self, key: Key, lsn: int, timeout_s: float) -> bool:
        """Wait until a commit above `lsn` touches the shard; False after the timeout."""
        if self._signals.wait(key, lsn, timeout_s):
            return True
        self._queue.check_open()
        return False

    def close(self) -> None:
        """Commit what waits, then end."""
        self._queue.close()
        if self._thread.is_alive():
            self._thread.join()
        self._signals.close()

    def stats(self) -> CommitterStats:
        """How much was committed together."""
        return CommitterStats(self._commits, self._batches, self._rows, len(self._queue))

    def background(self) -> TaskStats:
        """How the thread does; once it ended, nothing is written any more."""
        return thread_stats(self._thread, self._dead)

    def _run(self) -> None:
        group: list[Work] = []
        try:
            while group := self._queue.take():
                with self.pauses.during(group[0]):
                    self._commit(group)
        except BaseException as error:
            self._dead = error
            if isinstance(error, Exception):  # who is told "try again" would be told it for ever
                self._disk.stop(f"the committer failed between commits: {error!r}")
            waiting = [*group, *self._queue.drain()]
            fail(waiting, UnavailableError(f"the warehouse stopped: {error!r}; open it again"))
            self._signals.close()

    def _commit(self, group: list[Work]) -> None:
        self._half_way = False
        try:
            self._carry_out(group)
        except Exception as error:
            if self._half_way:
                log.exception("a commit failed half-way")
                self._disk.stop(f"the commit at LSN {self._next_lsn} failed half-way: {error!r}")
            fail(group, harmless(error))

    def _carry_out(self, group: list[Work]) -> None:
        match group[0]:
            case WriteWork():
                self._commit_writes([work for work in group if isinstance(work, WriteWork)])
            case DdlWork() as work:
                self._commit_ddl(work)
            case HoldWork() as work:
                self._commit_hold(work)
            case MomentWork() as work:
                self._settle(work)
            case ExpireWork() as work:
                self._commit_expiry(work)
            case MoveWork() as work:
                self._commit_move(work)
            case TruncateWork() as work:
                self._commit_truncate(work)
            case ReleaseWork() as work:
                self._release(work)
            case StageWork() | AbortWork() as work:
                self._change_stages(work)
            case CommitStagedWork() as work:
                self._commit_staged(work)
            case StepWork() as work:
                work.future.set_result(work.step(self._state))
            case unknown:
                assert_never(unknown)

    def _commit_writes(self, works: list[WriteWork]) -> None:
        merge = self._merged([work for work in works if self._has_partitions(work)])
        if merge.parts or merge.resets:
            self._commit_merge(merge, RecordKind.COMMIT)
            self._batches += len(works)
        merge.answer(self._state.lsn)

    def _merged(self, works: Sequence[WriteWork], *, whole: bool = False) -> GroupMerge:
        """Merge and apply, unpublished."""
        self._writer.reserve(self._next_lsn, sum(work.size_bytes for work in works))
        merge = GroupMerge(self._state, self._next_lsn, works, whole=whole)
        self._half_way = True
        merge.apply_all()
        return merge

    def _commit_merge(
        self, merge: GroupMerge, kind: RecordKind, ending: StageDocument | None = None
    ) -> None:
        """Make durable what was merged, and show it; `ending` the stages that it came from."""
        state, time_us = self._state, self._time_us()
        parts = [*(() if ending is None else stage_parts(ending)), *merge.encode()]
        located = self._writer.append(kind, merge.first_lsn, merge.commit_lsn, time_us, parts)
        self._index.add(located)
        images = located.entries[len(parts) - len(merge.parts) :]
        for merged, entry in zip(merge.parts, images, strict=True):
            key = (located.file, located.offset + int(entry["offset"]))
            part = TailPart(merged.images, merged.table, merged.first_lsn, time_us)
            self._tail.put(key, part)
        touched = {id(part.owner): part.owner for part in merge.parts}
        self._publish(state_after(located, state, ending), list(touched.values()))
        self._signals.touch(merge.touched, merge.commit_lsn)
        self._rows += merge.rows

    def _commit_ddl(self, work: DdlWork) -> None:
        state = self._state
        plan = self._ddl.plan(state, work)
        if plan is None:
            work.future.set_result(self._ddl.known(state, work))
            return
        work.future.set_result(plan.result(self._change_catalog(plan)))

    def _has_partitions(self, work: WriteWork) -> bool:
        """Create what a write's rows need; if that fails, the write does."""
        try:
            self._create_partitions(work)
        except Exception as error:
            if self._half_way:
                raise
            work.future.set_exception(harmless(error))
            return False
        return True

    def _create_partitions(self, work: WriteWork) -> None:
        """Create the partitions that a write's rows need, in a commit of its own."""
        if self._state.catalog.partitions:
            work.parts = current_parts(self._state.catalog, work)
            changes = absent_partitions(self._state.catalog, work.parts)
            plan = self._ddl.plan(self._state, DdlWork(changes, None))
            if plan is not None:
                self._change_catalog(plan)
                self._half_way = False

    def _change_catalog(self, plan: DdlPlan) -> int:
        state = self._state
        changes = [json_part(text) for text in plan.documents]
        resets = reset_parts(state, plan.ending, self._next_lsn + 2 * len(changes))
        rows = len(changes) + sum(part.rows for part in resets)
        lsn, time_us = self._append(RecordKind.DDL, [*changes, *resets], rows)
        after = self._ddl.carry_out(state, plan, lsn, time_us)
        self._history.add(lsn, after.catalog)
        self.control.change(lsn)
        self._publish(after, [])
        self._signals.touch_all(lsn)
        return lsn

    def _commit_hold(self, work: HoldWork) -> None:
        """Take, renew or release a hold; nothing it needs is cut off meanwhile."""
        state, released = self._state, work.ttl_ms is None
        with self._index.cutting:
            hold = changed(
                state.holds, work.name, work.lsn, work.ttl_ms,
                published=state.lsn, oldest=max(self._index.oldest, self._horizon.lsn),
                now_us=self._clock.now_us(),
            )  # fmt: skip
            if hold is not None:
                document = to_document(hold, released=released)
                part = json_part(json.dumps(document).encode())
                lsn, time_us = self._append(RecordKind.HOLD, [part])
                self.control.change(lsn)
                holds = applied(state.holds, document)
                self._publish(replace(state, lsn=lsn, time_us=time_us, holds=holds), [])
        work.future.set_result(state.lsn if hold is None else hold.lsn)

    def _commit_expiry(self, work: ExpireWork) -> None:
        state, ended = self._state, 0
        parts = expire_parts(state, work)
        if parts:
            lsn, time_us = self._append(RecordKind.COMMIT, parts)
            for unit, born_lsn in work.born.items():
                ended += state.shards[work.table_id][unit].expire(born_lsn, lsn)
            self._publish(replace(state, lsn=lsn, time_us=time_us), [])
        work.future.set_result(ended)

    def _commit_move(self, work: MoveWork) -> None:
        state, moved = self._state, 0
        table = state.catalog.tables.get(work.table_id)
        if table is not None:
            shard = state.shards[table.id][work.unit]
            change = shard.plan_move(work.move)
            if change is not None:
                lsn, time_us = self._append(RecordKind.COMMIT, [move_part(table, work)])
                moved = shard.move(change, lsn)
                self._publish(replace(state, lsn=lsn, time_us=time_us), [shard])
        work.future.set_result(moved)

    def _commit_truncate(self, work: TruncateWork) -> None:
        state = self._state
        table = target_table(state.catalog, work.request)
        units = units_to_empty(state.catalog, table, work.partition)
        parts = reset_parts(state, units, self._next_lsn)
        rows = sum(part.rows for part in parts)
        if rows:
            lsn, time_us = self._append(RecordKind.COMMIT, parts, rows)
            apply_resets(state, parts, lsn)
            self._publish(replace(state, lsn=lsn, time_us=time_us), [])
            self._signals.touch({key_of(part.table, part.unit) for part in parts}, lsn)
        work.future.set_result(Ack(self._state.lsn, rows, rows))

    def _release(self, work: ReleaseWork) -> None:
        """Forget shards of which nothing is left; nobody is told, for nothing changes."""
        self._state, gone = self._state.without(work.table_id, work.unit)
        for shard in gone:
            if work.unit is None:
                shard.close()
            else:
                shard.retire()
        work.future.set_result(None)

    def _change_stages(self, work: StageWork | AbortWork) -> None:
        ack, document = self._stages.plan(self._state, work, self._time_us())
        if document is not None:
            kind = RecordKind.STAGE if isinstance(work, StageWork) else RecordKind.ABORT
            batch = work.batch if isinstance(work, StageWork) else None
            located = self._record(kind, stage_parts(document, batch))
            self._publish(state_after(located, self._state, document), [])
            ack = replace(ack, lsn=self._state.lsn)
        work.future.set_result(ack)

    def _commit_staged(self, work: CommitStagedWork) -> None:
        ack = self._stages.committed(self._state, work)
        if ack is None:
            for each in work.works:
                self._create_partitions(each)
            merge = self._merged(work.works, whole=True)
            ack = Ack(merge.commit_lsn, merge.rows, merge.events)
            ending = self._stages.ending(work.stages, ack, self._time_us())
            self._commit_merge(merge, RecordKind.COMMIT_STAGED, ending)
        work.future.set_result(ack)

    def _settle(self, work: MomentWork) -> None:
        self._settled_us = max(self._settled_us, work.time_us)
        work.future.set_result(self._state.lsn)

    def _append(
        self, kind: RecordKind, parts: Sequence[Part], rows: int | None = None
    ) -> tuple[int, int]:
        """Make a record without images durable: its commit LSN and time."""
        header = self._record(kind, parts, rows).header
        return header.commit_lsn, header.time_us

    def _record(self, kind: RecordKind, parts: Sequence[Part], rows: int | None = None) -> Located:
        first = self._next_lsn
        lsn = first + 2 * (len(parts) if rows is None else rows)
        self._writer.reserve(first, sum(len(part.pieces[2]) for part in parts))
        self._half_way = True
        located = self._writer.append(kind, first, lsn, self._time_us(), parts)
        self._index.add(located)
        return located

    def _publish(self, state: State, touched: Sequence[Shard]) -> None:
        for shard in touched:
            shard.publish(state.lsn, state.time_us)
        self.control.publish(state.lsn)
        self._next_lsn = state.lsn + 1
        self._commits += 1
        self._state = state

    def _time_us(self) -> int:
        return max(self._clock.now_us(), self._state.time_us, self._settled_us + 1)
