"""Where each shard's parts lie in the log: arrays in memory, rebuilt at start.

Invariants: only the committer appends; readers in other threads take a view without a lock, because
arrays grow by replacement and the count is read before the array. Commit LSNs rise within a list,
so every question is a binary search. What was appended may be newer than what is published:
readers bound themselves by the published LSN.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sluiceway.warehouse.log.format import ENTRY, PartKind
from sluiceway.warehouse.log.writer import Located

PLACE = np.dtype(
    [("commit_lsn", "<i8"), ("time_us", "<i8"), ("file", "<i8"), ("record", "<i8"), ("part", ENTRY)]
)
_FIRST_CAPACITY = 16


@dataclass(frozen=True, slots=True)
class Place:
    """One part of one shard: what it holds and where its body is."""

    commit_lsn: int
    time_us: int
    file: int
    offset: int
    entry: np.void

    @property
    def first_lsn(self) -> int:
        """The LSN that row 0 of the writer's batch would own."""
        return int(self.entry["first_lsn"])

    @property
    def schema_version(self) -> int:
        """The version of the table that both images use."""
        return int(self.entry["schema_version"])

    @property
    def events(self) -> int:
        """How many change events the part holds."""
        return int(self.entry["events"])


class Growing:
    """An append-only array that readers may view at any time."""

    def __init__(self, dtype: npt.DTypeLike) -> None:
        self._array = np.zeros(_FIRST_CAPACITY, dtype)
        self._count = 0

    def append(self, value: object) -> None:
        """Add one element; it is seen by views taken afterwards."""
        if self._count == len(self._array):
            bigger = np.zeros(2 * self._count, self._array.dtype)
            bigger[: self._count] = self._array
            self._array = bigger
        self._array[self._count] = value
        self._count += 1

    def view(self) -> npt.NDArray[Any]:
        """All elements so far."""
        count = self._count
        return self._array[:count]


class ShardParts:
    """The parts of one shard in commit order."""

    def __init__(self) -> None:
        self._lsns = Growing(np.int64)
        self._places = Growing(PLACE)
        self.bytes = 0

    def append(self, place: tuple[int, int, int, int, np.void], length_bytes: int) -> None:
        """Add a part; the LSN goes last, so that every LSN a reader finds has its place."""
        self.bytes += length_bytes
        self._places.append(place)
        self._lsns.append(place[0])

    def after(self, lsn: int) -> int:
        """The number of the first part with a commit LSN at or above `lsn`."""
        return int(np.searchsorted(self._lsns.view(), np.int64(lsn)))

    def last_lsn(self, limit: int) -> int:
        """The newest commit LSN at or below `limit`; 0 if there is none."""
        lsns = self._lsns.view()
        count = int(np.searchsorted(lsns, np.int64(limit), side="right"))
        return int(lsns[count - 1]) if count else 0

    def iterate(self, number: int) -> Iterator[Place]:
        """Parts from `number` on, as far as the log reaches now."""
        count = len(self._lsns.view())
        places = self._places.view()
        for at in range(number, count):
            row = places[at]
            part = row["part"]
            offset = int(row["record"]) + int(part["offset"])
            yield Place(int(row["commit_lsn"]), int(row["time_us"]), int(row["file"]), offset, part)


class LogIndex:
    """All shards' parts, and when each commit happened."""

    def __init__(self) -> None:
        self._shards: dict[tuple[int, int], ShardParts] = {}
        self._first_lsns = Growing(np.int64)
        self._times_us = Growing(np.int64)
        self.oldest = 1

    def add(self, located: Located) -> None:
        """Enter one record."""
        header, entries = located.header, located.entries
        owners = zip(
            entries["kind"].tolist(),
            entries["table"].tolist(),
            entries["shard"].tolist(),
            entries["length"].tolist(),
            strict=True,
        )
        for number, (kind, table, shard, length) in enumerate(owners):
            if kind == PartKind.ROWS:
                place = (
                    header.commit_lsn,
                    header.time_us,
                    located.file,
                    located.offset,
                    entries[number],
                )
                self.parts(table, shard).append(place, length)
        self._first_lsns.append(header.first_lsn)
        self._times_us.append(header.time_us)

    def parts(self, table: int, shard: int) -> ShardParts:
        """The parts of a shard; an empty list grows later."""
        found = self._shards.get((table, shard))
        return found or self._shards.setdefault((table, shard), ShardParts())

    def at_time(self, time_us: int) -> int | None:
        """The first LSN committed at or after a time; None if nothing was."""
        times = self._times_us.view()
        number = int(np.searchsorted(times, np.int64(time_us)))
        return int(self._first_lsns.view()[number]) if number < len(times) else None

    def time_of(self, lsn: int) -> int:
        """When the record with this LSN was committed, in µs; that of the oldest for older ones."""
        times = self._times_us.view()
        firsts = self._first_lsns.view()[: len(times)]
        number = int(np.searchsorted(firsts, np.int64(lsn), side="right"))
        return int(times[max(number - 1, 0)]) if len(times) else 0
