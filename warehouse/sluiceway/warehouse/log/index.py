"""Where each shard's parts lie in the log: arrays in memory, rebuilt at start.

The parts of a shard are those of all partitions, so that its subscribers meet a new one in its
place. Which units a commit touched is known beside, for the checkpoints.

Invariants: the committer appends and the checkpointer forgets, one at a time; readers in other
threads take a view without a lock, because what a view needs is one tuple that is replaced as a
whole. An element keeps its number when those before it are forgotten. Commit LSNs rise within a
list, so every question is a binary search. What was appended may be newer than what is published:
readers bound themselves by the published LSN.
"""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from sluiceway.catalog import GoneError, partition_and_shard, unit_of
from sluiceway.warehouse.log.format import ENTRY, PartKind, units
from sluiceway.warehouse.log.writer import Located

PLACE = np.dtype(
    [("commit_lsn", "<i8"), ("time_us", "<i8"), ("file", "<i8"), ("record", "<i8"), ("part", ENTRY)]
)
_FIRST_CAPACITY = 4


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
    def is_reset(self) -> bool:
        """Whether the part ends all rows of the shard."""
        return bool(self.entry["kind"] == PartKind.RESET)

    @property
    def unit(self) -> int:
        """The unit of the shard that the part belongs to."""
        return unit_of(int(self.entry["partition"]), int(self.entry["shard"]))

    @property
    def events(self) -> int:
        """How many change events the part holds."""
        return int(self.entry["events"])


# A file, an offset in it and a length.
Range = tuple[int, int, int]


@dataclass
class LogFile:
    """What one file of the log holds: its last LSN, and each table's newest commit time."""

    number: int
    last_lsn: int = 0
    size_bytes: int = 0
    newest_us: dict[int, int] = field(default_factory=dict)


class Growing:
    """An array that grows at its end and is forgotten from its begin; readers view it any time."""

    def __init__(self, dtype: npt.DTypeLike) -> None:
        # The array, the number of its first element, and the numbers from and to which it is kept.
        self._kept: tuple[npt.NDArray[Any], int, int, int] = (
            np.zeros(0, dtype), 0, 0, 0,
        )  # fmt: skip

    def append(self, value: object) -> None:
        """Add one element; it is seen by views taken afterwards."""
        array, base, first, end = self._kept
        if end - base == len(array):
            bigger = np.zeros(max(2 * (end - first), _FIRST_CAPACITY), array.dtype)
            bigger[: end - first] = array[first - base :]
            array, base = bigger, first
        array[end - base] = value
        self._kept = (array, base, first, end + 1)

    def forget(self, first: int) -> None:
        """Drop the elements before number `first`; their memory goes when the array grows."""
        array, base, _, end = self._kept
        self._kept = (array, base, first, end)

    def view(self) -> tuple[int, npt.NDArray[Any]]:
        """The number of the first element that is kept, and all elements so far."""
        array, base, first, end = self._kept
        return first, array[first - base : end - base]


class ShardParts:
    """The parts of one shard with changes, in commit order."""

    def __init__(self) -> None:
        self._lsns = Growing(np.int64)
        self._places = Growing(PLACE)
        self._forgotten_lsn = 0
        self._oldest = 1
        self._lost = False
        self.bytes = 0

    def append(self, place: tuple[int, int, int, int, np.void], length_bytes: int) -> None:
        """Add a part; the LSN goes last, so that every LSN a reader finds has its place."""
        self.bytes += length_bytes
        self._places.append(place)
        self._lsns.append(place[0])

    def ranges_before(self, lsn: int) -> list[Range]:
        """Where the bodies of parts of commits before `lsn` lie."""
        _, lsns = self._lsns.view()
        _, places = self._places.view()
        gone = places[: int(np.searchsorted(lsns, np.int64(lsn)))]
        offsets = gone["record"] + gone["part"]["offset"].astype(np.int64)
        lengths = gone["part"]["length"].tolist()
        return list(zip(gone["file"].tolist(), offsets.tolist(), lengths, strict=True))

    def forget(self, lsn: int) -> None:
        """Drop the parts of commits before `lsn`; the LSNs go first."""
        self._oldest = max(self._oldest, lsn)
        first, lsns = self._lsns.view()
        count = int(np.searchsorted(lsns, np.int64(lsn)))
        if count:
            _, places = self._places.view()
            self.bytes -= int(places["part"]["length"][:count].sum())
            self._forgotten_lsn = int(lsns[count - 1])
            self._lsns.forget(first + count)
            self._places.forget(first + count)

    def lose(self, oldest: int) -> None:
        """Take note that parts before LSN `oldest` went before they could be entered."""
        self._oldest, self._lost = oldest, True

    def after(self, lsn: int) -> int:
        """The number of the first part with a commit LSN at or above `lsn`."""
        first, lsns = self._lsns.view()
        return first + int(np.searchsorted(lsns, np.int64(lsn)))

    def last_lsn(self, limit: int) -> int:
        """The newest commit LSN at or below `limit`, also of a forgotten part; 0 without any."""
        _, lsns = self._lsns.view()
        count = int(np.searchsorted(lsns, np.int64(limit), side="right"))
        return int(lsns[count - 1]) if count else self._forgotten_lsn

    def resets(self) -> npt.NDArray[np.int64]:
        """The commit LSNs of the RESET parts that are kept."""
        _, places = self._places.view()
        lsns: npt.NDArray[np.int64] = places["commit_lsn"][places["part"]["kind"] == PartKind.RESET]
        return lsns

    def iterate(self, number: int) -> Iterator[Place]:
        """Parts from `number` on, as far as the log reaches now; GoneError if it is forgotten."""
        first, lsns = self._lsns.view()
        end = first + len(lsns)
        first, places = self._places.view()
        if number < first or self._lost:
            raise GoneError(
                f"the stream fell behind what is kept; the oldest LSN is {self._oldest}: start "
                "there, or read a snapshot first"
            )
        for row in places[number - first : end - first]:
            part = row["part"]
            offset = int(row["record"]) + int(part["offset"])
            yield Place(int(row["commit_lsn"]), int(row["time_us"]), int(row["file"]), offset, part)


class LogIndex:
    """All shards' parts, when each commit happened, and what each file holds."""

    def __init__(self) -> None:
        self._shards: dict[tuple[int, int], ShardParts] = {}
        self._touched: dict[tuple[int, int], int] = {}
        self._first_lsns = Growing(np.int64)
        self._times_us = Growing(np.int64)
        self._files: list[LogFile] = []
        self._changing = threading.Lock()
        self.oldest = 1
        self.forgotten: dict[int, int] = {}
        # Held while a cut is chosen and made, and while a hold is granted: none falls between.
        self.cutting = threading.Lock()

    def add(self, located: Located) -> None:
        """Enter one record."""
        with self._changing:
            self._add_file(located)
            self._add_parts(located)
            # The time goes last, so that every time a reader finds has its LSN.
            self._first_lsns.append(located.header.first_lsn)
            self._times_us.append(located.header.time_us)

    def _add_file(self, located: Located) -> None:
        header = located.header
        if not self._files or self._files[-1].number != located.file:
            self._files.append(LogFile(located.file))
        file = self._files[-1]
        file.last_lsn = header.commit_lsn
        file.size_bytes = located.offset + header.length_bytes
        file.newest_us.update(dict.fromkeys(located.entries["table"].tolist(), header.time_us))

    def _add_parts(self, located: Located) -> None:
        header, entries = located.header, located.entries
        owners = zip(
            entries["kind"].tolist(),
            entries["table"].tolist(),
            units(entries),
            entries["length"].tolist(),
            strict=True,
        )
        for number, (kind, table, unit, length) in enumerate(owners):
            if kind != PartKind.JSON:
                self._touched[table, unit] = header.commit_lsn
            if kind in (PartKind.ROWS, PartKind.RESET):
                place = (
                    header.commit_lsn,
                    header.time_us,
                    located.file,
                    located.offset,
                    entries[number],
                )
                _, shard = partition_and_shard(unit)
                self.parts(table, shard).append(place, length)

    def files(self) -> Sequence[LogFile]:
        """The files that hold a record, oldest first."""
        with self._changing:
            return tuple(self._files)

    def forget(self, oldest: int) -> None:
        """Drop all that lies before LSN `oldest`, at which a file begins."""
        self.oldest = oldest
        for parts in tuple(self._shards.values()):
            with self._changing:  # one shard at a time: a commit may be waiting
                parts.forget(oldest)
        with self._changing:
            self._files = [file for file in self._files if file.number >= oldest]
            first, lsns = self._first_lsns.view()
            count = int(np.searchsorted(lsns, np.int64(oldest)))
            self._times_us.forget(first + count)
            self._first_lsns.forget(first + count)

    def oldest_of(self, table: int) -> int:
        """The LSN from which on the changes of a table are kept."""
        return max(self.oldest, self.forgotten.get(table, 1))

    def forget_table(self, table: int, lsn: int) -> list[Range]:
        """Drop a table's changes before an LSN; return where they lie."""
        if lsn <= self.oldest_of(table):
            return []
        self.forgotten[table] = lsn
        ranges = []
        for (owner, _), parts in tuple(self._shards.items()):
            if owner == table:
                with self._changing:
                    ranges += parts.ranges_before(lsn)
                    parts.forget(lsn)
        return ranges

    def begin_at(self, lsn: int) -> None:
        """Drop the files that end before an LSN, though they may be there still."""
        later = [file.number for file in self.files() if file.last_lsn >= lsn]
        if later and later[0] > self.oldest:
            self.forget(later[0])

    def lose(self, oldest: int) -> None:
        """End all streams: the log before LSN `oldest` went before it was read here."""
        for parts in tuple(self._shards.values()):
            parts.lose(oldest)

    def parts(self, table: int, shard: int) -> ShardParts:
        """The parts of a shard; an empty list grows later."""
        found = self._shards.get((table, shard))
        return found or self._shards.setdefault((table, shard), ShardParts())

    def touched_lsn(self, table: int, unit: int) -> int:
        """The newest commit LSN at which rows of a unit changed or were moved; 0 if none is kept.

        It may be above what is published.
        """
        return self._touched.get((table, unit), 0)

    def at_time(self, time_us: int) -> int | None:
        """The first LSN committed at or after a time; None if nothing was."""
        first, times = self._times_us.view()
        number = first + int(np.searchsorted(times, np.int64(time_us)))
        kept, lsns = self._first_lsns.view()
        at = max(number - kept, 0)
        return int(lsns[at]) if number < first + len(times) else None

    def time_of(self, lsn: int) -> int:
        """When the record with this LSN was committed, in µs; that of the oldest for older ones."""
        first, times = self._times_us.view()
        kept, lsns = self._first_lsns.view()
        number = kept + int(np.searchsorted(lsns, np.int64(lsn), side="right")) - 1
        return int(times[min(max(number - first, 0), len(times) - 1)]) if len(times) else 0
