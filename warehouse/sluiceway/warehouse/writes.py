"""Merges the waiting writes of one commit into the shards, unpublished.

Every write owns a consecutive range of the commit's LSNs, in the order of arrival. Writes that may
go together are one **step**: of each table it has one load (`load.py`), which gives one part of the
log record a unit. Writes of one commit see each other's rows: a later one finds an earlier one's
row as stored, in its step or before.

Invariant: a write is applied to all shards of all its tables or to none. What only a shard can
refuse (a row that is new but lacks a value that may not be NULL, memory that ran out) it refuses
when it plans, and nothing is applied before all shards of the step have planned. A write that may
be refused for its rows is a step alone; any other step that fails is taken again write by write. No
shard plans twice for one step, because a write names a table once. Several writes that hold
together (`whole`), and one that overwrites, are a commit of their own: all that they could be
refused for is checked before anything is applied.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import pyarrow as pa

from sluiceway.catalog import Table
from sluiceway.warehouse.load import Slice, cut_load
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
from sluiceway.warehouse.table import BATCH_BYTES, MergePlan, Shard


class MergedPart(NamedTuple):
    """What one step changed in one shard."""

    owner: Shard
    table: Table
    unit: int
    first_lsn: int
    images: Images
    events: int


@dataclass(frozen=True)
class _Placed:
    """A write with its place in the commit, and its parts in the schema of now."""

    work: WriteWork
    first_lsn: int
    parts: tuple[WritePart, ...]

    @property
    def is_sure(self) -> bool:
        """Whether no shard can refuse its rows."""
        return all(part.is_sure for part in self.parts)


class _Planned(NamedTuple):
    """What a step will do to one shard; `events` are those of its writes, by their number."""

    owner: Shard
    table: Table
    unit: int
    first_lsn: int
    plan: MergePlan
    events: Mapping[int, int]


class _Step:
    """Writes that are merged together; of each table (number of the write, first LSN, part)."""

    def __init__(self) -> None:
        self.writes: list[_Placed] = []
        self._size_bytes = 0
        self.parts: dict[int, list[tuple[int, int, WritePart]]] = {}

    def add(self, write: _Placed) -> bool:
        """Add a write, unless it may not go with those that are here."""
        size_bytes = self._size_bytes + write.work.size_bytes
        if self.writes and not (size_bytes <= BATCH_BYTES and all(map(self._takes, write.parts))):
            return False
        self._size_bytes = size_bytes
        first_lsn = write.first_lsn
        for part in write.parts:
            of_table = self.parts.setdefault(part.table.id, [])
            of_table.append((len(self.writes), first_lsn, part))
            first_lsn += 2 * part.rows
        self.writes.append(write)
        return True

    def _takes(self, part: WritePart) -> bool:
        sure = part.is_sure and self.writes[0].is_sure
        others = self.parts.get(part.table.id)
        return sure and (others is None or part.goes_with(others[0][2]))


class GroupMerge:
    """One commit in the making."""

    def __init__(
        self, state: State, first_lsn: int, works: Sequence[WriteWork], *, whole: bool = False
    ) -> None:
        self._state = state
        self._works = works
        self._whole = whole or any(work.overwrites for work in works)
        self._answers: list[tuple[WriteWork, int]] = []
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
            for piece in _slices([(0, 0, part)]):
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
        step, first_lsn = _Step(), self._next_lsn
        for work in self._works:
            try:
                write = _Placed(work, first_lsn, current_parts(self._state.catalog, work))
            except Exception as error:
                self._fail(work, error)
            else:
                if not step.add(write):
                    self._take(step)
                    step = _Step()
                    step.add(write)
            first_lsn += 2 * work.rows
        self._take(step)

    def _take(self, step: _Step) -> None:
        try:
            plans = list(self._plans(step))
        except Exception as error:
            self._take_apart(step, error)
            return
        events = [sum(part.events for part in self.resets)] * len(step.writes)
        for planned in plans:
            planned.owner.apply(planned.plan)
            for number, count in planned.events.items():
                events[number] += count
            if planned.plan.result.events:
                self.parts.append(_merged(planned))
        self._answers += zip((write.work for write in step.writes), events, strict=True)

    def _take_apart(self, step: _Step, error: Exception) -> None:
        """Let the write fail that failed; of several, find out which."""
        if len(step.writes) == 1:
            self._fail(step.writes[0].work, error)
            return
        for write in step.writes:
            alone = _Step()
            alone.add(write)
            self._take(alone)

    def _fail(self, work: WriteWork, error: Exception) -> None:
        """Answer a write that failed, unless others hold only together with it."""
        if self._whole:
            raise error
        work.future.set_exception(harmless(error))

    def _plans(self, step: _Step) -> Iterator[_Planned]:
        for parts in step.parts.values():
            (_, first_lsn, part), numbers = parts[0], [number for number, _, _ in parts]
            shards = self._state.shards_of(part.table)
            for piece in _slices(parts):
                plan = shards[piece.unit].plan(
                    piece.batch,
                    piece.ops,
                    conflict=part.request.conflict,
                    partial=part.request.partial,
                    positions=piece.positions,
                    writes=piece.writes,
                    commit_lsn=self.commit_lsn,
                    first_lsn=first_lsn,
                )
                counts = plan.change.outcome.events(piece.writes, len(parts)).tolist()
                events = dict(zip(numbers, counts, strict=True))
                yield _Planned(shards[piece.unit], part.table, piece.unit, first_lsn, plan, events)

    def encode(self) -> Sequence[Part]:
        """The parts of the log record."""
        return [*self.resets, *map(_encode, self.parts)]

    def answer(self, lsn: int) -> None:
        """Acknowledge every write that was applied."""
        for work, events in self._answers:
            work.future.set_result(Ack(lsn, work.rows, events))


def _slices(parts: Sequence[tuple[int, int, WritePart]]) -> list[Slice]:
    """The load of the parts of one table, by unit."""
    _, base_lsn, first = parts[0]
    if first.slices is not None:
        return first.slices
    batches = [((lsn - base_lsn) // 2, part.ops, part.batch) for _, lsn, part in parts]
    return cut_load(first.table, first.partitions, batches, base_lsn)


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
