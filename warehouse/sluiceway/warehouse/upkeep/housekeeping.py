"""The thread that does what can wait.

Invariant: a chore that fails is logged and tried again; it never ends the thread.
"""

import logging
import threading
from collections.abc import Callable, Sequence

from sluiceway.catalog import SluicewayError

log = logging.getLogger(__name__)

EVERY_S = 30.0


class Housekeeper:
    """Does its chores every `EVERY_S` seconds."""

    def __init__(self, chores: Sequence[Callable[[], object]]) -> None:
        self._chores = chores
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="housekeeper", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """Finish the chore that is being done."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._closing.wait(EVERY_S):
            for chore in self._chores:
                try:
                    chore()
                except SluicewayError as error:
                    log.error("%s", error)
