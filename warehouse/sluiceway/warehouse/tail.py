"""The newest changes in memory, so that a reader at the tail touches neither file nor decoder.

Invariants: entries leave oldest first once the bound is passed; an entry's events are interleaved
at most once, by the first reader that wants them, and shared by all.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass

import pyarrow as pa

from sluiceway.catalog import Table
from sluiceway.warehouse.events import interleave
from sluiceway.warehouse.log import Images


@dataclass(frozen=True)
class TailStats:
    """What the cache holds and how often it was asked."""

    parts: int
    bytes: int
    hits: int
    misses: int


class TailPart:
    """One part as it was committed."""

    def __init__(self, images: Images, table: Table, first_lsn: int, time_us: int) -> None:
        self.table = table
        # All of the buffers, not only the rows in them: that is what stays in memory.
        buffers = (images.after, images.before)
        self.size_bytes = sum(int(image.get_total_buffer_size()) for image in buffers)
        self._images = images
        self._first_lsn = first_lsn
        self._time_us = time_us
        self._events: pa.RecordBatch | None = None
        self._mutex = threading.Lock()

    def events(self) -> pa.RecordBatch:
        """All events with all columns of the table as it was then."""
        with self._mutex:
            if self._events is None:
                names = [column.name for column in self.table.columns]
                self._events = interleave(self._images, self._first_lsn, self._time_us, names)
            return self._events


class TailCache:
    """Newest parts by (log file, offset of the body)."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._parts: OrderedDict[tuple[int, int], TailPart] = OrderedDict()
        self._bytes = 0
        self._hits = 0
        self._misses = 0
        self._mutex = threading.Lock()

    def put(self, key: tuple[int, int], part: TailPart) -> None:
        """Add the newest part."""
        with self._mutex:
            self._parts[key] = part
            self._bytes += part.size_bytes
            while self._bytes > self._limit_bytes and self._parts:
                _, oldest = self._parts.popitem(last=False)
                self._bytes -= oldest.size_bytes

    def find(self, key: tuple[int, int]) -> TailPart | None:
        """The part, if it is still here."""
        with self._mutex:
            part = self._parts.get(key)
            if part is None:
                self._misses += 1
            else:
                self._hits += 1
            return part

    def stats(self) -> TailStats:
        """What the cache holds."""
        with self._mutex:
            return TailStats(len(self._parts), self._bytes, self._hits, self._misses)
