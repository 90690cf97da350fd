"""The horizon: the oldest LSN whose rows are all there, and who keeps it from rising.

Invariants: the horizon only rises; it never passes an LSN that is pinned, and nobody pins one that
it has passed. A pin ends when its holder is collected. Other processes are told of it before
anything is dropped; their reads look afterwards whether it has passed them.
"""

import threading
from collections.abc import Callable, Mapping
from typing import Protocol

from sluiceway.catalog import GoneError
from sluiceway.warehouse.checkpoint import Hold


class Kept(Protocol):
    """What a reader of one LSN relies on."""

    def check(self) -> None:
        """Raise GoneError if rows of the LSN may have been missing in what was read just now."""


class Pin:
    """Keeps the rows of one LSN for as long as it lives."""

    __slots__ = ("_pins", "lsn")

    def __init__(self, pins: dict[int, int], lsn: int) -> None:
        self._pins = pins
        self.lsn = lsn
        pins[id(self)] = lsn

    def check(self) -> None:
        """Do nothing: the horizon does not pass a pin."""

    def __del__(self) -> None:
        del self._pins[id(self)]


class Watched:
    """An LSN that nothing keeps: reads notice when the horizon has passed it."""

    def __init__(self, horizon: Callable[[], int], lsn: int) -> None:
        self._horizon = horizon
        self._lsn = lsn

    def check(self) -> None:
        """Raise GoneError once the horizon has passed the LSN."""
        if self._horizon() > self._lsn:
            raise GoneError(
                f"LSN {self._lsn} is not kept any more; the oldest is LSN {self._horizon()}: take "
                "a hold before a long read"
            )


class Horizon:
    """Where the past ends; used by any thread."""

    def __init__(self, lsn: int, tell: Callable[[int], None]) -> None:
        self._lsn = lsn
        self._tell = tell
        self._pins: dict[int, int] = {}
        self._rising = threading.Lock()

    @property
    def lsn(self) -> int:
        """The oldest LSN that shows all that it ever showed."""
        return self._lsn

    def pin(self, lsn: int) -> Pin:
        """Keep the rows of an LSN, or raise GoneError if some of them were dropped."""
        with self._rising:
            if lsn < self._lsn:
                raise GoneError(f"LSN {lsn} is not kept; the oldest is LSN {self._lsn}")
            return Pin(self._pins, lsn)

    def limit(self, lsn: int) -> int:
        """How far the horizon could rise now, at most to `lsn`."""
        return min([lsn, *list(self._pins.values())])

    def rise(self, lsn: int) -> bool:
        """Raise the horizon to `lsn`; False if a pin is in the way."""
        with self._rising:
            if self.limit(lsn) < lsn:
                return False
            self._lsn = max(self._lsn, lsn)
            self._tell(self._lsn)
            return True


def promised(lsn: int, holds: Mapping[str, Hold], now_us: int) -> int:
    """The oldest LSN that someone was promised: that of a hold, else `lsn`."""
    return min([lsn, *(hold.lsn for hold in holds.values() if hold.expires_us > now_us)])
