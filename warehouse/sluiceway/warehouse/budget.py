"""The budget of memory that cannot be evicted (`--memory`), and who waits when it is used up.

Files on tmpfs (open segments, what was sealed since the last checkpoint, marks, the index) and the
heap count; page cache does not. From three quarters on a checkpoint is asked for early, since it
lets sealed segments leave memory. From seven eighths on writers wait, and make that checkpoint
themselves; what is left is for commits and checkpoints on their way.

Invariants: a write that waits has changed nothing; it goes on by itself as soon as there is room,
and is refused as one to repeat when there was none for `WAIT_S`. Bytes in line for a commit are
bounded, a single write excepted.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from sluiceway.catalog import UnavailableError
from sluiceway.warehouse.clock import Clock
from sluiceway.warehouse.resident import Resident, given_bytes

WAIT_S = 30.0
DEFAULT_PERCENT = 60
# How often is measured: a look at what the process holds costs as much as a small commit.
MEASURE_BYTES, MEASURE_WRITES = 4 << 20, 64
_LOOK_AGAIN_S = 0.25


def budget_bytes(chosen_bytes: int) -> int:
    """Return the limit that was chosen, or what is left to a store for 0."""
    return chosen_bytes or given_bytes() * DEFAULT_PERCENT // 100


@dataclass(frozen=True)
class BudgetStats:
    """The limit, what was measured last, bytes in line, and how often a write waited in vain."""

    limit_bytes: int
    heap_bytes: int
    tmpfs_bytes: int
    line_bytes: int
    waits: int
    refused: int


class Budget:
    """Lets writes in; used by any thread."""

    def __init__(
        self,
        limit_bytes: int,
        measure: Callable[[], Resident],
        press: Callable[[], object],
        relieve: Callable[[], object],
        clock: Clock,
    ) -> None:
        """Take what asks for a checkpoint soon (`press`) and what gives back all it can now."""
        self._limit_bytes = limit_bytes
        self._measure = measure
        self._press = press
        self._relieve = relieve
        self._clock = clock
        self._changed = threading.Condition()
        self._line_bytes = self._waits = self._refused = 0
        self._unmeasured_bytes = self._unmeasured_writes = 0
        self._seen = measure()

    def enter(self, size_bytes: int) -> None:
        """Stand in line with a write, or wait until there is room for it."""
        self._wait_for_memory(size_bytes)
        self._wait_for_line(size_bytes)

    def leave(self, size_bytes: int) -> None:
        """Leave the line; the write was committed or failed."""
        with self._changed:
            self._line_bytes -= size_bytes
            self._changed.notify_all()

    def _wait_for_memory(self, size_bytes: int) -> None:
        if self._is_measured_lately(size_bytes):
            return
        if self._holds() * 4 > self._limit_bytes * 3:
            self._press()
        deadline, waits = self._clock.monotonic() + WAIT_S, 0
        while self._holds() * 8 > self._limit_bytes * 7:
            if waits and self._clock.monotonic() >= deadline:
                self._refuse()
            waits += 1
            self._waits += waits == 1
            self._relieve()
            with self._changed:
                self._changed.wait(_LOOK_AGAIN_S)

    def _is_measured_lately(self, size_bytes: int) -> bool:
        """Tell whether little came since the last look, and that found room."""
        with self._changed:
            self._unmeasured_bytes += size_bytes
            self._unmeasured_writes += 1
            if (
                self._unmeasured_bytes < MEASURE_BYTES
                and self._unmeasured_writes < MEASURE_WRITES
                and self._seen.total_bytes * 8 <= self._limit_bytes * 7
            ):
                return True
            self._unmeasured_bytes = self._unmeasured_writes = 0
            return False

    def _holds(self) -> int:
        self._seen = self._measure()
        return self._seen.total_bytes

    def _wait_for_line(self, size_bytes: int) -> None:
        most_bytes = self._limit_bytes // 8
        with self._changed:
            if not self._changed.wait_for(
                lambda: not self._line_bytes or self._line_bytes + size_bytes <= most_bytes, WAIT_S
            ):
                self._refuse()
            self._line_bytes += size_bytes

    def _refuse(self) -> None:
        self._refused += 1
        raise UnavailableError(
            f"the store holds {self._seen.total_bytes >> 20} MiB that cannot be evicted, its "
            f"budget is {self._limit_bytes >> 20} MiB and nothing was given back for {WAIT_S:.0f} "
            "s: repeat the write later, or start with a larger --memory (docs/format.md says what "
            "a row takes)"
        )

    def stats(self) -> BudgetStats:
        """What is held now."""
        seen = self._measure()
        return BudgetStats(
            self._limit_bytes,
            seen.heap_bytes,
            seen.tmpfs_bytes,
            self._line_bytes,
            self._waits,
            self._refused,
        )
