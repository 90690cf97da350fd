"""The file `notices`: what the writing process tells reading ones about its mapped files.

    0    i64 how many bytes are good, from 64 on
    64   lines of JSON (docs/format.md, "Reading processes")

Invariants: the count only rises, by release stores, after the bytes are in place; it always stands
at the end of a line; bytes below it never change. Threads of one process append, one after the
other; any process follows. The file is sparse; there is memory for more than any commit tells
before the commit begins.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sluiceway.catalog import DiskFullError

from .extents import Extents
from .kernels.atomics import load_word, store_word

if TYPE_CHECKING:
    from .mapped import Mapped

NOTICES_NAME, NOTICES_BYTES = "notices", 256 << 20
AHEAD_BYTES = 1 << 20
_FIRST = 64


def _bytes_of(buffer: pa.Buffer) -> npt.NDArray[np.uint8]:
    return np.frombuffer(buffer, np.uint8)


class Notices:
    """The writer's end."""

    def __init__(self, mapped: Mapped) -> None:
        self._buffer = mapped.buffer
        self._bytes = _bytes_of(mapped.buffer)
        self._extents = Extents(mapped, [0], [mapped.size_bytes])
        self._end = self._reached = _FIRST
        self._last: dict[tuple[int, int], int] = {}
        self._appending = threading.Lock()
        self.reserve()

    def reserve(self) -> None:
        """Have memory for what is told next, or raise DiskFullError."""
        with self._appending:
            self._reach(AHEAD_BYTES)

    def append_new(self, key: tuple[int, int], notice: Mapping[str, Any]) -> None:
        """Tell one thing unless the same was told last under this key."""
        digest = hash(json.dumps(notice))
        if self._last.get(key) != digest:
            self.append(notice)
            self._last[key] = digest

    def append(self, notice: Mapping[str, Any]) -> None:
        """Tell one thing; who loads the count afterwards knows it."""
        line = json.dumps(notice, separators=(",", ":")).encode() + b"\n"
        with self._appending:
            end = self._end + len(line)
            if end > len(self._bytes):
                raise DiskFullError(
                    f"the notices of this process are full ({len(self._bytes) >> 20} MiB): start "
                    "the server again, they begin anew"
                )
            self._reach(len(line))
            self._bytes[self._end : end] = np.frombuffer(line, np.uint8)
            self._end = end
            store_word(self._buffer.address, end - _FIRST)

    def _reach(self, ahead_bytes: int) -> None:
        until = min(self._end + ahead_bytes, len(self._bytes))
        if until > self._reached:
            self._extents.reach(np.array([until], np.int64))
            self._reached = until


class NoNotices(Notices):
    """Tells nobody: for memory that no other process can map."""

    def append(self, notice: Mapping[str, Any]) -> None:
        """Tell nobody."""


class NoticeTail:
    """A reader's end: everything that was told, each line once."""

    def __init__(self, buffer: pa.Buffer) -> None:
        self._buffer = buffer
        self._bytes = _bytes_of(buffer)
        self._address: int = buffer.address
        self._words = memoryview(buffer).cast("q")
        self._read = 0

    @property
    def bytes(self) -> int:
        """How many bytes were read."""
        return self._read

    def has_more(self) -> bool:
        """Tell whether there are lines that were not read yet."""
        # No order is asked of a word that may be found as it was: `read` loads it.
        return self._words[0] != self._read

    def read(self) -> Iterator[dict[str, Any]]:
        """Yield the lines that are new; they count as read when they are yielded."""
        good = load_word(self._address)
        text = self._bytes[_FIRST + self._read : _FIRST + good].tobytes()
        for line in text.splitlines(keepends=True):
            self._read += len(line)
            yield json.loads(line)
