"""Merges the waiting batches of one commit into the shards, unpublished.

Every batch owns a consecutive range of the commit's LSNs, in the order of arrival, and gives one
part a shard. Batches of one commit see each other's rows: a later one finds an earlier one's row as
stored.

Invariant: a batch is applied to all of its shards or to none. What only a shard can refuse (a row
that is new but lacks a value that may not be NULL, memory that ran out) it refuses when it plans,
and nothing is applied before all shards of the batch have planned.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sluiceway.catalog import Table
from sluiceway.warehouse.log import Images, Part, PartKind, serialize
from sluiceway.warehouse.requests import (
    Ack,
    WriteWork,
    harmless,
    prepare_write,
    target_table,
)
from sluiceway.warehouse.state import State
from sluiceway.warehouse.table import MergePlan, MergeResult, Shard


@dataclass(frozen=True)
class MergedPart:
    """What one batch changed in one shard."""

    owner: Shard
    table: Table
    shard: int
    first_lsn: int
    images: Images
    events: int


class GroupMerge:
    """One commit in the making."""

    def __init__(self, state: State, first_lsn: int, rows: int) -> None:
        self._state = state
        self._next_lsn = first_lsn
        self._applied: list[tuple[WriteWork, int]] = []
        self.first_lsn = first_lsn
        self.commit_lsn = first_lsn + 2 * rows
        self.parts: list[MergedPart] = []

    def apply(self, work: WriteWork) -> None:
        """Merge one batch; if it cannot be planned, it fails alone and changes nothing."""
        first_lsn = self._next_lsn
        self._next_lsn += 2 * work.rows
        try:
            current = self._current(work)
            plans = self._plan(current, first_lsn)
        except Exception as error:
            work.future.set_exception(harmless(error))
            return
        events = 0
        for number, plan in plans:
            owner = self._state.shards_of(current.table)[number]
            owner.apply(plan)
            self._changed(owner, current.table, number, first_lsn, plan.result)
            events += plan.result.events
        self._applied.append((work, events))

    def _current(self, work: WriteWork) -> WriteWork:
        """The batch in the schema of now, which a DDL may have changed since it was prepared."""
        catalog = self._state.catalog
        table = target_table(catalog, work.request)
        if table.id == work.table.id and table.schema_version == work.table.schema_version:
            return work
        return prepare_write(catalog, work.request, work.original)

    def _plan(self, work: WriteWork, first_lsn: int) -> list[tuple[int, MergePlan]]:
        shards = self._state.shards_of(work.table)
        return [
            (
                piece.shard,
                shards[piece.shard].plan(
                    piece.batch,
                    piece.ops,
                    conflict=work.request.conflict,
                    partial=work.request.partial,
                    positions=piece.positions,
                    commit_lsn=self.commit_lsn,
                    first_lsn=first_lsn,
                ),
            )
            for piece in work.slices
        ]

    def _changed(
        self, owner: Shard, table: Table, shard: int, first_lsn: int, result: MergeResult
    ) -> None:
        if result.events:
            images = Images(result.positions, result.kinds, result.after, result.before)
            part = MergedPart(owner, table, shard, first_lsn, images, result.events)
            self.parts.append(part)

    def encode(self) -> Sequence[Part]:
        """The parts of the log record."""
        return [_encode(part) for part in self.parts]

    def answer(self, lsn: int) -> None:
        """Acknowledge every batch that was applied."""
        for work, events in self._applied:
            work.future.set_result(Ack(lsn, work.rows, events))


def _encode(part: MergedPart) -> Part:
    images = part.images
    return Part(
        table=part.table.id,
        generation=part.table.generation,
        shard=part.shard,
        schema_version=part.table.schema_version,
        kind=PartKind.ROWS,
        first_lsn=part.first_lsn,
        rows=len(images.positions),
        events=part.events,
        pieces=(
            images.positions.data.cast("B"),
            images.kinds.data.cast("B"),
            serialize(images.after),
            serialize(images.before),
        ),
    )
