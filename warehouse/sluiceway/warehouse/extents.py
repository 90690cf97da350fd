"""How far the buffers of a sparse mapped file have memory: whatever is stored to has it beforehand.

The first store to a page needs memory of the file system, and one that is full answers by SIGBUS.
So the pages are asked for where an error can still be told, before the commit begins.

Invariant: a buffer has all pages below `until`; it grows by as much as it has, by STEP_BYTES at
most, so that a small one takes little more than it needs and a large one asks seldom.
"""

from __future__ import annotations

import mmap
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from .kernels.views import Int64s

if TYPE_CHECKING:
    from .mapped import Mapped

STEP_BYTES = 1 << 20
_PAGE_BYTES = mmap.PAGESIZE


class Extents:
    """The buffers of one file, each from a start and with a size; one thread reserves."""

    def __init__(self, mapped: Mapped, starts: Sequence[int], sizes_bytes: Sequence[int]) -> None:
        self._mapped = mapped
        self._starts = np.array(starts, np.int64)
        self._limits = self._starts + np.array(sizes_bytes, np.int64)
        self._until = self._starts.copy()

    @property
    def reached_bytes(self) -> Int64s:
        """How many of the first bytes of each buffer have memory."""
        return self._until - self._starts

    def reach(self, needed_bytes: Int64s) -> None:
        """Have memory for the first bytes of each buffer, or raise DiskFullError."""
        ends = self._starts + needed_bytes
        short = ends > self._until
        if not short.any():
            return
        ahead = self._until + np.minimum(self._until - self._starts, STEP_BYTES)
        wanted = -(-np.maximum(ends, ahead) // _PAGE_BYTES) * _PAGE_BYTES
        wanted = np.minimum(wanted, self._limits)[short]
        self._mapped.reserve(zip(self._until[short].tolist(), wanted.tolist(), strict=True))
        self._until[short] = wanted
