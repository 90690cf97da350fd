"""The registry of open changelog readers, which `status` shows.

Invariants: an entry lives exactly as long as its stream; `lsn` is the position that the reader
would resume at, so `lag` counts positions, not rows, and is 0 for a reader that has seen all.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sluiceway.catalog import Table


@dataclass(frozen=True)
class ReaderStatus:
    """One open reader: who reads what, where it stands, and how far behind that is."""

    peer: str
    table: str
    shard: int
    lsn: int
    lag: int


@dataclass
class Reader:
    """The position of one open stream, written by its own thread alone."""

    peer: str
    table: str
    shard: int
    lsn: int


class Readers:
    """All open changelog readers of this server."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[int, Reader] = {}

    @contextmanager
    def reading(self, peer: str, table: Table, shard: int, lsn: int) -> Iterator[Reader]:
        """Register a reader while the block runs."""
        reader = Reader(peer, f"{table.database}.{table.name}", shard, lsn)
        with self._lock:
            self._open[id(reader)] = reader
        try:
            yield reader
        finally:
            with self._lock:
                del self._open[id(reader)]

    def stats(self, published: int) -> tuple[ReaderStatus, ...]:
        """Return the open readers as of this published LSN, oldest stream first."""
        with self._lock:
            readers = list(self._open.values())
        return tuple(
            ReaderStatus(r.peer, r.table, r.shard, r.lsn, max(0, published + 1 - r.lsn))
            for r in readers
        )
