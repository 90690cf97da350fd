"""Waits for commits of another process: one thread looks, whoever waits is woken.

Invariants: the thread looks while somebody waits, at least every PAUSE_MAX_S; it looks again at
once after it saw something, for commits come in flocks. At least every TICK_S it settles the pins.
"""

import logging
import threading
from collections.abc import Callable

from sluiceway.catalog import SluicewayError, UnavailableError
from sluiceway.warehouse.replica.followed import Touched
from sluiceway.warehouse.signals import Key, Signals

log = logging.getLogger(__name__)

PAUSE_MIN_S, PAUSE_MAX_S = 50e-6, 500e-6
PAUSE_AFTER_ERROR_S = 0.1
TICK_S = 0.25


class Watch:
    """Where changelog readers of a replica sleep."""

    def __init__(self, look: Callable[[], int], settle: Callable[[], None]) -> None:
        self._look = look
        self._settle = settle
        self._signals = Signals()
        self._waiters = 0
        self._lock = threading.Lock()
        self._wanted = threading.Event()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self._thread.start()

    def wait(self, key: Key, lsn: int, timeout_s: float) -> bool:
        """Wait until the shard is touched above `lsn`; False after the timeout."""
        self._count(1)
        try:
            touched = self._signals.wait(key, lsn, timeout_s)
        finally:
            self._count(-1)
        if self._closed.is_set():
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
        self._closed.set()
        self._count(0)
        self._signals.close()
        self._thread.join()

    def _count(self, more: int) -> None:
        with self._lock:
            self._waiters += more
            if self._waiters or self._closed.is_set():
                self._wanted.set()
            else:
                self._wanted.clear()

    def _run(self) -> None:
        pause_s, seen = PAUSE_MIN_S, 0
        while not self._closed.is_set():
            self._settle()
            if not self._wanted.wait(TICK_S) or self._closed.wait(pause_s):
                continue
            try:
                lsn = self._look()
            except SluicewayError as error:
                log.warning("%s", error)
                pause_s = PAUSE_AFTER_ERROR_S
                continue
            pause_s = PAUSE_MIN_S if lsn > seen else min(2 * pause_s, PAUSE_MAX_S)
            seen = lsn
