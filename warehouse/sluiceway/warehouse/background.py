"""What is done beside the requests, and what happens when it fails: one rule for all threads.

Whatever a task raises is logged under its name, counted and shown (`stats()`, `sluiceway status`);
the thread pauses, longer with each failure in a row, and goes on. What must not go on ends the
process (`Disk.stop`): a sync that failed, a commit that failed half-way, a committer that failed
between commits.

Invariant: no `Exception` ends a thread, however it comes, not even one of telling of another.
"""

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from sluiceway.catalog import SluicewayError

log = logging.getLogger(__name__)

PAUSE_MIN_S, PAUSE_MAX_S = 0.1, 30.0


@dataclass(frozen=True)
class TaskStats:
    """A task: `state` is running, failing (the last time it was done), off or ended.

    `failures` counts since the start, `in_a_row` since it last went well; `error` is the last one.
    """

    name: str
    state: str
    failures: int
    in_a_row: int
    error: str | None


class Task:
    """Something that is done again and again, and how it went."""

    def __init__(self, name: str, do: Callable[[], object]) -> None:
        self.name = name
        self._do = do
        self._failures = self._in_a_row = 0
        self._error: str | None = None

    def run(self) -> bool:
        """Do it once; tell whether it went well."""
        try:
            self._do()
        except Exception as error:
            self._failures += 1
            self._in_a_row += 1
            with suppress(Exception):  # without memory there are no words either
                self._tell(error)
            return False
        self._in_a_row = 0
        return True

    def forget(self) -> None:
        """Let go of what it was about: it is never done again, and holds no memory any more."""
        self._do = _nothing

    def stats(self, state: str = "running") -> TaskStats:
        """How it went; `state` if the last time was well."""
        failing = state == "running" and self._in_a_row
        return TaskStats(
            self.name,
            "failing" if failing else state,
            self._failures,
            self._in_a_row,
            self._error,
        )

    def _tell(self, error: Exception) -> None:
        known = isinstance(error, SluicewayError)
        kind = error.sqlstate if isinstance(error, SluicewayError) else type(error).__name__
        self._error = f"[{kind}] {error}"
        if self._in_a_row & (self._in_a_row - 1) == 0:  # the first, second, fourth, … in a row
            often = f" ({self._in_a_row} times in a row)" if self._in_a_row > 1 else ""
            log.error(
                "%s failed%s, it is tried again: %s",
                self.name, often, self._error, exc_info=not known,
            )  # fmt: skip


class Background:
    """A thread that takes one turn after the other until it is closed."""

    def __init__(
        self, name: str, turn: Callable[[], object], pause_max_s: float = PAUSE_MAX_S
    ) -> None:
        self._task = Task(name, turn)
        self._pause_max_s = pause_max_s
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def closing(self) -> bool:
        """Whether no turn follows."""
        return self._closing.is_set()

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def rest(self, seconds: float) -> bool:
        """Sleep within a turn; True at once when the thread is to end."""
        return self._closing.wait(seconds)

    def close(
        self, wake: Callable[[], object] = lambda: None, timeout_s: float | None = None
    ) -> None:
        """Let the turn that is being taken end, and wait for it; `wake` ends what it waits for."""
        self._closing.set()
        wake()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def stats(self) -> TaskStats:
        """How its turns went."""
        return self._task.stats(_state(self._thread))

    def _run(self) -> None:
        pause_s = PAUSE_MIN_S
        while not self.closing:
            if self._task.run():
                pause_s = PAUSE_MIN_S
            else:
                self.rest(pause_s)
                pause_s = min(2 * pause_s, self._pause_max_s)
        self._task.forget()  # in a circle it would keep the maps of a closed warehouse


def _nothing() -> None:
    """Do nothing."""


def thread_stats(thread: threading.Thread, error: BaseException | None) -> TaskStats:
    """How a thread does that no failure may leave running; `error` is what ended it."""
    failures = int(error is not None)
    state = _state(thread)
    return TaskStats(thread.name, state, failures, failures, repr(error) if failures else None)


def _state(thread: threading.Thread) -> str:
    if thread.is_alive():
        return "running"
    return "off" if thread.ident is None else "ended"
