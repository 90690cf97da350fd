"""The index of one shard: partitions of slots behind a directory of 256 entries.

Invariants: a key's partition is found by the top 8 bits of its hash, its slot by the low bits; no
partition is ever fuller than its limit, 50 to 70 %: keys spread evenly, and with one limit for all
every partition would have to grow in the same commit; `slots` is replaced as a whole and never
changed in place, so a reader that holds one sees all that was put before it was fetched. An index
without keys has no partition and no file. The first one has 256 slots (a page); it doubles up to
131,072 slots, then splits until it has its own directory entry, then doubles again; one in which
most slots were freed is copied as large as it was. An index that is built over stored rows begins
with the partitions that this would lead to.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from sluiceway.catalog import DiskFullError

from ..kernels import index as kernels
from ..kernels.views import Bools, Int64s, Slots
from ..mapped import Mapped, Memory

DIRECTORY_BITS = 8
FIRST_SLOTS = 256
SPLIT_SLOTS = 131_072
FULL_PERCENT, SPREAD_PERCENT = 70, 20

# Where every look-up in an index without partitions ends: one empty slot.
_NOTHING = np.zeros(kernels.SLOT_BYTES // 8, np.int64)
_NO_SLOTS = Slots(
    np.full(1 << DIRECTORY_BITS, _NOTHING.ctypes.data, np.int64),
    np.zeros(1 << DIRECTORY_BITS, np.int64),
)


# Slots, depth, prefix.
Shape: TypeAlias = tuple[int, int, int]


@dataclass
class Partition:
    """Slots for the hashes whose top `depth` bits are `prefix`."""

    mapped: Mapped
    slots: int
    depth: int
    prefix: int
    used: int = 0
    freed: int = 0

    @property
    def room(self) -> int:
        """How many more keys fit."""
        return self.slots * _limit_percent(self.depth, self.prefix) // 100 - self.used

    def entries(self) -> slice:
        """The directory entries that name it."""
        shift = DIRECTORY_BITS - self.depth
        return slice(self.prefix << shift, (self.prefix + 1) << shift)

    def holds(self, more: int) -> bool:
        """Tell whether that many more keys fit."""
        return more <= self.room


class Index:
    """Finds the newest version of a key; `table/shard.py` writes to it by the kernels."""

    def __init__(self, memory: Memory, name: str) -> None:
        self._memory = memory
        self._name = name
        self._replaced: list[Mapped] = []
        self._partitions: list[Partition] = []
        self.slots = _NO_SLOTS

    def make_room(self, hashes: Int64s, replaced: Int64s) -> Int64s:
        """Grow so that the new keys fit; return how many there are, by directory entry.

        If there is no memory for it, DiskFullError, and the index is as it was.
        """
        counts = np.zeros(1 << DIRECTORY_BITS, np.int64)
        new = kernels.count_new(hashes, replaced, counts)
        if new and not self._partitions:
            self.replace_all([self._create(FIRST_SLOTS, 0, 0)])
        if new and not all(p.holds(int(counts[p.entries()].sum())) for p in self._partitions):
            self.replace_all(self._grown(counts))
        return counts

    def _grown(self, counts: Int64s) -> list[Partition]:
        grown: list[Partition] = []
        made: list[Partition] = []
        replaced = len(self._replaced)
        waiting = list(self._partitions)
        try:
            while waiting:
                partition = waiting.pop()
                if partition.holds(int(counts[partition.entries()].sum())):
                    grown.append(partition)
                else:
                    new = self.grow(partition)
                    made += new
                    waiting += new
        except DiskFullError:
            del self._replaced[replaced:]
            self._release(made)
            raise
        return grown

    def begin(self, keys: int) -> list[Partition]:
        """Drop what is there for empty partitions where about `keys` keys fit."""
        self._release(self._partitions)
        self.replace_all(self._create_all(_shapes(keys, 0, 0)))
        return self._partitions

    def replace_all(self, partitions: list[Partition]) -> None:
        """Show readers these partitions from now on."""
        self._partitions = partitions
        self.slots = self._directory()

    def parts(self, most_slots: int) -> list[slice]:
        """Return the directory entries in parts of so many slots, or of one partition."""
        parts: list[slice] = []
        slots = 0
        for partition in sorted(self._partitions, key=lambda p: p.entries().start):
            entries = partition.entries()
            if parts and slots + partition.slots <= most_slots:
                parts[-1] = slice(parts[-1].start, entries.stop)
                slots += partition.slots
            else:
                parts.append(entries)
                slots = partition.slots
        return parts

    def free(self, dropped: Bools, entries: slice) -> int:
        """Free the slots of dropped segments in the partitions that begin in some entries."""
        freed = 0
        for partition in self._partitions:
            if entries.start <= partition.entries().start < entries.stop:
                found = kernels.free_slots(partition.mapped.address, partition.slots - 1, dropped)
                partition.freed += found
                freed += found
        return freed

    def account(self, counts: Int64s) -> None:
        """Take note of slots taken, by directory entry."""
        if counts.any():
            for partition in self._partitions:
                partition.used += int(counts[partition.entries()].sum())

    @property
    def used(self) -> int:
        """How many slots are taken, freed ones too."""
        return sum(partition.used for partition in self._partitions)

    @property
    def capacity(self) -> int:
        """How many slots there are."""
        return sum(partition.slots for partition in self._partitions)

    @property
    def partitions(self) -> list[Partition]:
        """The partitions behind `slots`."""
        return self._partitions

    def _create(self, slots: int, depth: int, prefix: int) -> Partition:
        mapped = self._memory.create_whole(f"{self._name}.index", slots * kernels.SLOT_BYTES)
        return Partition(mapped, slots, depth, prefix)

    def _create_all(self, shapes: Iterable[Shape]) -> list[Partition]:
        made: list[Partition] = []
        try:
            for shape in shapes:
                made.append(self._create(*shape))
        except DiskFullError:
            self._release(made)
            raise
        return made

    def _release(self, partitions: Sequence[Partition]) -> None:
        for partition in partitions:
            self._memory.release(partition.mapped)

    def grow(self, old: Partition) -> list[Partition]:
        """Copy a partition into one that has room, or into two; `replace_all` makes it seen."""
        crowded = old.freed * 2 <= old.used
        splits = crowded and old.slots >= SPLIT_SLOTS and old.depth < DIRECTORY_BITS
        if splits:
            halves = [(old.slots, old.depth + 1, old.prefix * 2 + half) for half in (0, 1)]
            new = self._create_all(halves)
        else:
            slots = old.slots * (2 if crowded else 1)
            new = self._create_all([(slots, old.depth, old.prefix)])
        for partition in new:
            partition.used = kernels.rehash(
                old.mapped.address,
                old.slots - 1,
                partition.mapped.address,
                partition.slots - 1,
                partition.depth,
                partition.prefix,
            )
        self._replaced.append(old.mapped)
        return new

    def release_replaced(self) -> None:
        """Unlink the files that no reader can be told of any more."""
        while self._replaced:
            self._memory.release(self._replaced.pop())

    def _directory(self) -> Slots:
        pointer = np.zeros(1 << DIRECTORY_BITS, np.int64)
        mask = np.zeros(1 << DIRECTORY_BITS, np.int64)
        for partition in self._partitions:
            pointer[partition.entries()] = partition.mapped.address
            mask[partition.entries()] = partition.slots - 1
        return Slots(pointer, mask)

    def mapped(self) -> tuple[Mapped, ...]:
        """Return the files behind `slots`, for whoever reads them later."""
        return tuple(partition.mapped for partition in self._partitions)


def _limit_percent(depth: int, prefix: int) -> int:
    """Return how full a partition may be, which its halves may be as well, or nearly."""
    return FULL_PERCENT - (SPREAD_PERCENT * prefix >> depth)


def _shapes(keys: int, depth: int, prefix: int) -> Iterator[Shape]:
    """Yield the partitions that so many keys below a prefix lead to."""
    slots = FIRST_SLOTS
    # What chance adds in one partition is added.
    while (keys + (keys >> 4)) * 100 > slots * _limit_percent(depth, prefix):
        slots *= 2
    if slots <= SPLIT_SLOTS or depth == DIRECTORY_BITS:
        yield slots, depth, prefix
    else:
        for half in (0, 1):
            yield from _shapes(keys >> 1, depth + 1, prefix * 2 + half)
