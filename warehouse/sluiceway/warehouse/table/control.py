"""The control file `ctl`: what the writing process tells every reader with one word each.

    0    i64 the published commit LSN
    8    i64 the commit LSN of the newest record that changed the catalog or a hold
    16   i64 the incarnation; 0 until the other words are good, and from when the process ends
    24   i64 the LSN at which the log begins, raised before a file of it goes
    32   i64 the oldest LSN whose rows are all there, raised before any of them go

Invariants: words only rise, by release stores, after all that the commit wrote is in place; the
word at 8 is stored before the LSN that it belongs to is published. The incarnation alone becomes 0
again, by the process itself or by the next one, before the file is unlinked.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from ..futex import sleep_on, wake_all
from ..kernels.atomics import load_word, store_word
from ..mapped import Mapped, Memory

NAME = "ctl"
_SIZE_BYTES = 4096
_CHANGED, _INCARNATION, _OLDEST, _HORIZON = 8, 16, 24, 32


class ControlView:
    """What any process may read."""

    def __init__(self, mapped: Mapped) -> None:
        self._mapped = mapped
        self._address = mapped.address
        self._words = memoryview(mapped.buffer).cast("q")

    @classmethod
    def attach(cls, run: Path) -> ControlView:
        """Map the file in a run folder; FileNotFoundError if it is not there."""
        return ControlView(Mapped.attach(run / NAME))

    def published(self) -> int:
        """Return the newest visible commit LSN, 0 before the first."""
        return load_word(self._address)

    def wait_published(self, seen: int, timeout_s: float) -> None:
        """Sleep while `seen` is the newest LSN; until another is published, or `wake`, or less."""
        sleep_on(self._address, seen, timeout_s)

    def wake(self) -> None:
        """Let everybody look who waits for an LSN, in any process."""
        wake_all(self._address)

    def shows(self, lsn: int) -> bool:
        """Tell whether an LSN that was seen published is the newest still, of a process that lives.

        What was loaded before needs no order when it is found again, so this loads plainly.
        """
        words = self._words
        return bool(words[0] == lsn and words[_INCARNATION // 8] != 0)

    def changed(self) -> int:
        """Return the newest commit LSN, perhaps unpublished, that changed catalog or holds."""
        return load_word(self._address + _CHANGED)

    def incarnation(self) -> int:
        """Return the incarnation of the writing process; 0 while it still starts."""
        return load_word(self._address + _INCARNATION)

    def oldest(self) -> int:
        """Return the LSN at which the log begins."""
        return load_word(self._address + _OLDEST)

    def horizon(self) -> int:
        """Return the oldest LSN whose rows are all there."""
        return load_word(self._address + _HORIZON)

    def is_current(self) -> bool:
        """Tell whether no later process has taken the run folder down."""
        return self._mapped.is_current()


def retire(run: Path) -> None:
    """Tell who still reads from the run folder of a dead process that another one comes."""
    with suppress(FileNotFoundError):
        mapped = Mapped.attach(run / NAME, writable=True)
        store_word(mapped.address + _INCARNATION, 0)


class Control(ControlView):
    """The words that publish commits for all tables at once; one thread stores them."""

    def __init__(self, memory: Memory) -> None:
        mapped = memory.create_single(NAME, _SIZE_BYTES)
        mapped.reserve([(0, _SIZE_BYTES)])
        super().__init__(mapped)

    def publish(self, lsn: int) -> None:
        """Make every commit up to `lsn` visible."""
        store_word(self._address, lsn)
        wake_all(self._address)

    def change(self, lsn: int) -> None:
        """Tell that the record at `lsn`, published next, changes the catalog or a hold."""
        store_word(self._address + _CHANGED, lsn)

    def forget(self, oldest_lsn: int) -> None:
        """Tell that the log before an LSN is no longer kept."""
        store_word(self._address + _OLDEST, oldest_lsn)

    def compact(self, horizon_lsn: int) -> None:
        """Tell that rows that lived before an LSN go."""
        store_word(self._address + _HORIZON, horizon_lsn)

    def open(self, incarnation: int) -> None:
        """Let other processes attach."""
        store_word(self._address + _INCARNATION, incarnation)

    def close(self) -> None:
        """Tell that nothing more is published here."""
        store_word(self._address + _INCARNATION, 0)
