"""Wakes the readers of a shard when a commit touched it, and everybody when the catalog changed.

A commit touches few shards and a warehouse has many subscribers: each that is woken for nothing
costs the committer's thread its turn at the interpreter.

Invariants: `touch`, `touch_all` and `wait` hold one lock, so no commit slips between a reader's
look at the published state and its sleep; after `close` nobody sleeps.
"""

import threading
from collections.abc import Iterable

from sluiceway.catalog import partition_and_shard

Key = tuple[int, int]  # table id, shard


def key_of(table_id: int, unit: int) -> Key:
    """The shard whose readers read a unit."""
    return table_id, partition_and_shard(unit)[1]


class Signals:
    """Where readers sleep until there is something for them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sleepers: dict[Key, threading.Condition] = {}
        self._touched: dict[Key, int] = {}
        self._all_touched = 0
        self._closed = False

    def touch(self, keys: Iterable[Key], lsn: int) -> None:
        """Wake the readers of these shards: there is something at `lsn`."""
        with self._lock:
            for key in keys:
                self._touched[key] = lsn
                if key in self._sleepers:
                    self._sleepers[key].notify_all()

    def touch_all(self, lsn: int) -> None:
        """Wake everybody: the catalog changed at `lsn`."""
        with self._lock:
            self._all_touched = lsn
            self._wake_all()

    def wait(self, key: Key, lsn: int, timeout_s: float) -> bool:
        """Sleep until the shard is touched above `lsn`; False after the timeout or `close`."""
        with self._lock:
            sleeper = self._sleepers.get(key)
            if sleeper is None:
                sleeper = self._sleepers[key] = threading.Condition(self._lock)
            sleeper.wait_for(lambda: self._closed or self._newest(key) > lsn, timeout_s)
            return not self._closed and self._newest(key) > lsn

    def close(self) -> None:
        """Wake everybody for good."""
        with self._lock:
            self._closed = True
            self._wake_all()

    def _newest(self, key: Key) -> int:
        return max(self._touched.get(key, 0), self._all_touched)

    def _wake_all(self) -> None:
        for sleeper in self._sleepers.values():
            sleeper.notify_all()
