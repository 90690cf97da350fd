"""The file `readers`: which LSNs reading processes rely on, one slot a process.

    slot * 64    i64 an LSN at or below all that the process reads at; 0 = none

Invariants: a process owns a slot as long as it holds the lock of its 64 bytes, which the kernel
drops with the process; nobody else stores to it. A reader stores its word, then looks at the
horizon; the writer tells the horizon, then looks at the words: so one of them sees the other.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np

from sluiceway.catalog import GoneError, UnavailableError

from .horizon import Pin
from .kernels.atomics import full_fence, store_word
from .mapped import Mapped, Memory, RangeLocks

NAME, SLOTS, SLOT_BYTES = "readers", 1_024, 64


class ForeignPins:
    """What the writing process sees of the others."""

    def __init__(self, memory: Memory) -> None:
        mapped = memory.create_single(NAME, SLOTS * SLOT_BYTES)
        mapped.reserve([(0, SLOTS * SLOT_BYTES)])
        self._words = np.frombuffer(mapped.buffer, np.int64)[:: SLOT_BYTES // 8]
        self._locks = RangeLocks(mapped.path)

    def lsns(self) -> list[int]:
        """Return the words of all processes that live; those of dead ones are forgotten."""
        full_fence()
        return [
            int(self._words[slot])
            for slot in np.flatnonzero(self._words).tolist()
            if self._locks.is_taken(slot * SLOT_BYTES, SLOT_BYTES)
        ]

    def close(self) -> None:
        """Close the file."""
        self._locks.close()


class ReaderPins:
    """The pins of a reading process behind its one word."""

    def __init__(self, run: Path, horizon: Callable[[], int]) -> None:
        self._horizon = horizon
        self._mapped = Mapped.attach(run / NAME, writable=True)
        self._locks = RangeLocks(run / NAME)
        taken = (slot for slot in range(SLOTS) if self._locks.take(slot * SLOT_BYTES, SLOT_BYTES))
        slot = next(taken, None)
        if slot is None:
            self._locks.close()
            raise UnavailableError(f"{SLOTS} processes read this warehouse already: stop one")
        self._address = self._mapped.address + slot * SLOT_BYTES
        self._pins: dict[int, int] = {}
        self._lock = threading.Lock()
        self._store(0)

    def keep(self, lsn: int) -> Pin:
        """Keep the rows of an LSN, or raise GoneError if some of them were dropped."""
        with self._lock:
            pin = Pin(self._pins, lsn)
            if not 0 < self._told <= lsn:
                self._store(min(list(self._pins.values())))
            oldest = self._horizon()
        if lsn < oldest:
            raise GoneError(f"LSN {lsn} is not kept; the oldest is LSN {oldest}")
        return pin

    def settle(self) -> None:
        """Store what is pinned now: an old pin may have ended."""
        with self._lock:
            oldest = min(list(self._pins.values()), default=0)
            if oldest != self._told:
                self._store(oldest)

    def close(self) -> None:
        """Give the slot back."""
        self._store(0)
        self._locks.close()

    def _store(self, lsn: int) -> None:
        self._told = lsn
        store_word(self._address, lsn)
        full_fence()
