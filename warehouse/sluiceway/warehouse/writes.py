"""Merges the waiting writes of one commit into the shards, unpublished.

Every batch owns a consecutive range of the commit's LSNs, in the order of arrival, and gives one
part a unit. Writes of one commit see each other's rows: a later one finds an earlier one's row as
stored.

Invariant: a write is applied to all shards of all its tables or to none. What only a shard can
refuse (a row that is new but lacks a value that may not be NULL, memory that ran out) it refuses
when it plans, and nothing is applied before all shards of the write have planned. No shard plans
twice for one write, because a write names a table once. Several writes that hold together
(`whole`), and one that overwrites, are a commit of their own: all that they could be refused for is
checked before anything is applied.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa

from sluiceway.catalog import Table
from sluiceway.warehouse.log import Images, Part, PartKind, serialize
from sluiceway.warehouse.requests import (
    Ack,
    WritePart,
    WriteWork,
    current_parts,
    harmless,
    overwritten_units,
)
from sluiceway.warehouse.resets import apply_resets, reset_parts
from sluiceway.warehouse.signals import Key, key_of
from sluiceway.warehouse.state import State
from sluiceway.warehouse.table import MergePlan, Shard


@dataclass(frozen=True)
class MergedPart:
    """What one batch changed in one shard."""

    owner: Shard
    table: Table
    unit: int
    first_lsn: int
    images: Images
    events: int


@dataclass(frozen=True)
class _Planned:
    """What one batch will do to one shard."""

    owner: Shard
    table: Table
    unit: int
    first_lsn: int
    plan: MergePlan


class GroupMerge:
    """One commit in the making."""

    def __init__(
        self, state: State, first_lsn: int, works: Sequence[WriteWork], *, whole: bool = False
    ) -> None:
        self._state = state
        self._works = works
        self._whole = whole or any(work.overwrites for work in works)
        self._applied: list[tuple[WriteWork, int]] = []
        self.resets = reset_parts(state, self._overwritten(), first_lsn)
        ended = sum(part.rows for part in self.resets)
        self.first_lsn = first_lsn
        self.rows = sum(work.rows for work in works)
        self.commit_lsn = first_lsn + 2 * (ended + self.rows)
        self._next_lsn = first_lsn + 2 * ended
        self.parts: list[MergedPart] = []

    @property
    def events(self) -> int:
        """How many events the changelog gets."""
        ended = sum(part.events for part in self.resets)
        return ended + sum(part.events for part in self.parts)

    def _overwritten(self) -> list[tuple[Table, int]]:
        """The units whose rows go first; of a whole, refuses now what a shard could later."""
        if not self._whole:
            return []
        catalog = self._state.catalog
        parts = [part for work in self._works for part in current_parts(catalog, work)]
        batches: dict[Shard, list[pa.RecordBatch]] = {}
        for part in parts:
            shards = self._state.shards_of(part.table)
            for piece in part.slices:
                batches.setdefault(shards[piece.unit], []).append(piece.batch)
        for shard, its in batches.items():
            shard.check_inserts(its)
        overwritten = (part for part in parts if part.request.overwrite)
        units = ((p.table, unit) for p in overwritten for unit in overwritten_units(catalog, p))
        return list({(table.id, unit): (table, unit) for table, unit in units}.values())

    @property
    def touched(self) -> set[Key]:
        """The shards that change."""
        reset = {key_of(part.table, part.unit) for part in self.resets}
        return reset | {key_of(part.table.id, part.unit) for part in self.parts}

    def apply_all(self) -> None:
        """End the rows that are overwritten, then merge the writes in order."""
        apply_resets(self._state, self.resets, self.commit_lsn)
        for work in self._works:
            self._apply(work)

    def _apply(self, work: WriteWork) -> None:
        """Merge one write; if it cannot be planned, it fails alone and changes nothing."""
        first_lsn = self._next_lsn
        self._next_lsn += 2 * work.rows
        try:
            plans = list(self._plans(current_parts(self._state.catalog, work), first_lsn))
        except Exception as error:
            if self._whole:
                raise
            work.future.set_exception(harmless(error))
            return
        for planned in plans:
            planned.owner.apply(planned.plan)
            if planned.plan.result.events:
                self.parts.append(_merged(planned))
        events = sum(planned.plan.result.events for planned in plans)
        self._applied.append((work, events + sum(part.events for part in self.resets)))

    def _plans(self, parts: Sequence[WritePart], first_lsn: int) -> Iterator[_Planned]:
        for part in parts:
            shards = self._state.shards_of(part.table)
            for piece in part.slices:
                plan = shards[piece.unit].plan(
                    piece.batch,
                    piece.ops,
                    conflict=part.request.conflict,
                    partial=part.request.partial,
                    positions=piece.positions,
                    commit_lsn=self.commit_lsn,
                    first_lsn=first_lsn,
                )
                yield _Planned(shards[piece.unit], part.table, piece.unit, first_lsn, plan)
            first_lsn += 2 * part.rows

    def encode(self) -> Sequence[Part]:
        """The parts of the log record."""
        return [*self.resets, *map(_encode, self.parts)]

    def answer(self, lsn: int) -> None:
        """Acknowledge every write that was applied."""
        for work, events in self._applied:
            work.future.set_result(Ack(lsn, work.rows, events))


def _merged(planned: _Planned) -> MergedPart:
    result = planned.plan.result
    images = Images(result.positions, result.kinds, result.after, result.before)
    return MergedPart(
        planned.owner, planned.table, planned.unit, planned.first_lsn, images, result.events
    )


def _encode(part: MergedPart) -> Part:
    images = part.images
    return Part(
        table=part.table.id,
        generation=part.table.generation,
        unit=part.unit,
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
