"""The thread that does what can wait.

Invariant: each chore is done in every round, whatever the others did (`background.py`).
"""

import re
import threading
from collections.abc import Sequence
from typing import Protocol

from sluiceway.warehouse.background import Background, Task, TaskStats

EVERY_S = 30.0


class Chore(Protocol):
    """What is done in each round; it is called by its class."""

    def run(self) -> object:
        """Do it once."""


class Housekeeper:
    """Does its chores every `EVERY_S` seconds."""

    def __init__(self, chores: Sequence[Chore]) -> None:
        self._chores = [Task(_name(chore), chore.run) for chore in chores]
        self._wake = threading.Event()
        self._thread = Background("housekeeper", self._round)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """Begin a round now."""
        self._wake.set()

    def close(self) -> None:
        """Finish the chore that is being done."""
        self._thread.close(self.wake)

    def stats(self) -> list[TaskStats]:
        """How the thread and its chores do."""
        return [self._thread.stats(), *(chore.stats() for chore in self._chores)]

    def _round(self) -> None:
        self._wake.wait(EVERY_S)
        self._wake.clear()
        for chore in self._chores:
            if not self._thread.closing:
                chore.run()


def _name(chore: Chore) -> str:
    """Return `partition expiry` for a PartitionExpiry."""
    return re.sub(r"(?<!^)(?=[A-Z])", " ", type(chore).__name__).lower()
