"""The horizon: the oldest LSN whose rows are all there, and who keeps it from rising.

Invariants: the horizon only rises; it never passes an LSN that is pinned, and nobody pins one that
it has passed, in this process or another. A pin ends when its holder is collected. Who pins does so
and then looks at the horizon; who raises it does so and then looks at the pins, and takes it back
if one is below: so one of them sees the other, without a lock.
"""

import threading
from collections.abc import Callable, Mapping

from sluiceway.catalog import GoneError
from sluiceway.warehouse.checkpoint import Hold


class Pin:
    """Keeps the rows of one LSN for as long as it lives."""

    __slots__ = ("_pins", "lsn")

    def __init__(self, pins: dict[int, int], lsn: int) -> None:
        self._pins = pins
        self.lsn = lsn
        pins[id(self)] = lsn

    def __del__(self) -> None:
        del self._pins[id(self)]


class Horizon:
    """Where the past ends; used by any thread."""

    def __init__(
        self, lsn: int, tell: Callable[[int], None], foreign: Callable[[], list[int]]
    ) -> None:
        self._lsn = lsn
        self._tell = tell
        self._foreign = foreign
        self._pins: dict[int, int] = {}
        self._rising = threading.Lock()

    @property
    def lsn(self) -> int:
        """The oldest LSN that shows all that it ever showed."""
        return self._lsn

    def pin(self, lsn: int) -> Pin:
        """Keep the rows of an LSN, or raise GoneError if some of them were dropped."""
        pin = Pin(self._pins, lsn)
        if lsn < self._lsn:
            del pin  # or the error would hold it
            raise GoneError(f"LSN {lsn} is not kept; the oldest is LSN {self._lsn}")
        return pin

    def limit(self, lsn: int) -> int:
        """How far the horizon could rise now, at most to `lsn`."""
        return min([lsn, *list(self._pins.values()), *self._foreign()])

    def rise(self, lsn: int) -> bool:
        """Raise the horizon to `lsn`; False if a pin is in the way."""
        with self._rising:
            if self.limit(lsn) < lsn:
                return False
            before, self._lsn = self._lsn, max(self._lsn, lsn)
            self._tell(self._lsn)
            if self.limit(lsn) < lsn:  # somebody pinned before
                self._lsn = before
                self._tell(before)
                return False
            return True


def promised(lsn: int, holds: Mapping[str, Hold], now_us: int) -> int:
    """The oldest LSN that someone was promised: that of a hold, else `lsn`."""
    return min([lsn, *(hold.lsn for hold in holds.values() if hold.expires_us > now_us)])
