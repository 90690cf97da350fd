"""What waits for the committer, in the order in which it was asked for.

Invariant: a request that was taken in is handed out once, by `take` or by `drain`; after `close`
or `drain` none is taken in any more.
"""

import threading
from collections import deque
from typing import TypeGuard

from sluiceway.catalog import UnavailableError
from sluiceway.warehouse.requests import Work, WriteWork


class WorkQueue:
    """Any thread puts, one takes."""

    def __init__(self, group_rows_max: int) -> None:
        self._group_rows_max = group_rows_max
        self._waiting: deque[Work] = deque()
        self._wake = threading.Condition()
        self._closed = False

    def __len__(self) -> int:
        return len(self._waiting)

    def check_open(self) -> None:
        """Raise UnavailableError once nothing is taken in any more."""
        if self._closed:
            raise UnavailableError("the warehouse is closed: connect again when it is open")

    def put(self, work: Work) -> None:
        """Take in a request."""
        with self._wake:
            self.check_open()
            self._waiting.append(work)
            self._wake.notify()

    def take(self) -> list[Work]:
        """Wait for what can be one commit: writes together, others alone; [] at the end."""
        with self._wake:
            self._wake.wait_for(lambda: self._waiting or self._closed)
            if not self._waiting:
                return []
            group, rows = [self._waiting.popleft()], 0
            while self._waiting and _is_joinable(group[-1]) and _is_joinable(self._waiting[0]):
                rows += group[-1].rows
                if rows + self._waiting[0].rows > self._group_rows_max:
                    break
                group.append(self._waiting.popleft())
            return group

    def close(self) -> None:
        """Take in no more; what waits is still handed out."""
        with self._wake:
            self._closed = True
            self._wake.notify()

    def drain(self) -> list[Work]:
        """Take in no more, and hand out all that waits."""
        with self._wake:
            self._closed = True
            waiting = list(self._waiting)
            self._waiting.clear()
            return waiting


def _is_joinable(work: Work) -> TypeGuard[WriteWork]:
    """Whether a request can be one commit with others: a write that leaves the rows of before."""
    return isinstance(work, WriteWork) and not work.overwrites
