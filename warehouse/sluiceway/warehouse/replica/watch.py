"""Waits for commits of another process: one thread looks, whoever waits is woken.

Invariants: while somebody waits the thread sleeps on the word that publishes, and looks whenever it
changed; at least every TICK_S it looks for another writing process, and settles the pins.
"""

import threading
from collections.abc import Callable

from sluiceway.catalog import UnavailableError
from sluiceway.warehouse.background import PAUSE_MIN_S, Background, TaskStats
from sluiceway.warehouse.replica.followed import Touched
from sluiceway.warehouse.signals import Key, Signals

TICK_S = 0.25


class Watch:
    """Where changelog readers of a replica sleep.

    `look` takes over what is published and returns its LSN, `sleep` waits for a later one.
    """

    def __init__(
        self,
        look: Callable[[], int],
        settle: Callable[[], None],
        sleep: Callable[[int, float], None],
        wake: Callable[[], None],
    ) -> None:
        self._look = look
        self._settle = settle
        self._sleep = sleep
        self._wake = wake
        self._signals = Signals()
        self._waiters = 0
        self._lock = threading.Lock()
        self._wanted = threading.Event()
        self._thread = Background("watch", self._turn, pause_max_s=PAUSE_MIN_S)
        self._thread.start()

    def wait(self, key: Key, lsn: int, timeout_s: float) -> bool:
        """Wait until the shard is touched above `lsn`; False after the timeout."""
        self._count(1)
        try:
            touched = self._signals.wait(key, lsn, timeout_s)
        finally:
            self._count(-1)
        if self._thread.closing:
            raise UnavailableError("this process stops reading: connect again")
        return touched

    def touch(self, touched: Touched, lsn: int) -> None:
        """Wake those whom records up to `lsn` concern."""
        if touched.catalog:
            self._signals.touch_all(lsn)
        elif touched.shards:
            self._signals.touch(touched.shards, lsn)

    def close(self) -> None:
        """Wake everybody for good and end the thread."""
        self._thread.close(self._wake_all)

    def stats(self) -> TaskStats:
        """How the thread does."""
        return self._thread.stats()

    def _wake_all(self) -> None:
        self._count(0)
        self._signals.close()
        self._wake()

    def _count(self, more: int) -> None:
        with self._lock:
            self._waiters += more
            if self._waiters or self._thread.closing:
                self._wanted.set()
            else:
                self._wanted.clear()

    def _turn(self) -> None:
        self._settle()
        if self._wanted.wait(TICK_S) and not self._thread.closing:
            self._sleep(self._look(), TICK_S)
