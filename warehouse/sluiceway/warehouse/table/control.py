"""The control file `ctl`: what the writing process tells every reader.

    0    i64 the published commit LSN

Invariant: the word only rises, by release stores, after all that the commit wrote is in place.
"""

from __future__ import annotations

from ..kernels.atomics import load_word, store_word
from ..mapped import Memory

_SIZE_BYTES = 4096


class Control:
    """One word that publishes commits for all tables at once."""

    def __init__(self, memory: Memory) -> None:
        self._mapped = memory.create("ctl", _SIZE_BYTES)

    def publish(self, lsn: int) -> None:
        """Make every commit up to `lsn` visible."""
        store_word(self._mapped.address, lsn)

    def published(self) -> int:
        """Return the newest visible commit LSN, 0 before the first."""
        return load_word(self._mapped.address)
