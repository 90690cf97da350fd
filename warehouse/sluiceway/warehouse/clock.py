"""The clock: wall time for commit times and leases, monotonic time for waits.

Wall time may jump back. The committer corrects that: commit times never do.
"""

import time
from typing import Protocol

SECOND_US = 1_000_000


class Clock(Protocol):
    """Where time comes from. Tests pass one that they move by hand."""

    def now_us(self) -> int:
        """Microseconds since 1970 UTC."""

    def monotonic(self) -> float:
        """Seconds that never go back, for deadlines."""


class RealClock:
    """The clock of this machine."""

    def now_us(self) -> int:
        return time.time_ns() // 1_000

    def monotonic(self) -> float:
        return time.monotonic()
