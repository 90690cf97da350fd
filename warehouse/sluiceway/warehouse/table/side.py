"""The history of a segment's rows: the side file, sparse, in mapped memory.

    0     i64 count of runs
    8     i64 1 once a row has ended
    64    mark i64[capacity], prev i64[capacity],
          runs (i64 commit LSN, i64 commit time µs, i64 end row)[capacity]

Invariants: a mark goes from 0 to its value once, after the word at 8; runs rise.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from ..extents import Extents
from ..kernels import marks as mark_kernels
from ..kernels.atomics import load_word, store_word
from ..kernels.views import NEVER, Int64s
from ..mapped import Mapped, Memory
from .layout import ALIGNMENT_BYTES

RUN_WORDS = 3


class Side:
    """Marks, `prev` and runs of one segment."""

    def __init__(self, mapped: Mapped, capacity_rows: int) -> None:
        self.mapped = mapped
        self.counter = mapped.address
        self.marks = self.counter + ALIGNMENT_BYTES
        self._ended = self.marks - mark_kernels.ENDED_BYTES
        self.prev = self.marks + capacity_rows * 8
        self.runs = self.prev + capacity_rows * 8
        view = np.frombuffer(self.mapped.buffer, np.int64)[ALIGNMENT_BYTES // 8 :]
        self.mark_words: Int64s = view[:capacity_rows]
        self.run_words: Int64s = view[capacity_rows * 2 :].reshape(-1, RUN_WORDS)
        self._ready = (0, 0, 0)

    @cached_property
    def _extents(self) -> Extents:
        starts = [self.counter, self.marks, self.prev, self.runs]
        sizes = [ALIGNMENT_BYTES, self.mark_words.nbytes, self.mark_words.nbytes]
        begin = self.mapped.address
        return Extents(self.mapped, [s - begin for s in starts], [*sizes, self.run_words.nbytes])

    def reserve(self, marks: int, prev: int = 0, runs: int = 0) -> None:
        """Have memory for so many marks, `prev` and runs, or raise DiskFullError."""
        ready_marks, ready_prev, ready_runs = self._ready
        if marks > ready_marks or prev > ready_prev or runs > ready_runs:
            needed = (ALIGNMENT_BYTES, marks * 8, prev * 8, runs * RUN_WORDS * 8)
            self._extents.reach(np.array(needed, np.int64))
            _, *words = (self._extents.reached_bytes // 8).tolist()
            self._ready = (words[0], words[1], words[2] // RUN_WORDS)

    @classmethod
    def create(cls, memory: Memory, name: str, capacity_rows: int) -> Side:
        """Make the side file of a segment that begins."""
        words = capacity_rows * (2 + RUN_WORDS)
        return cls(memory.create(name, ALIGNMENT_BYTES + words * 8), capacity_rows)

    def has_ended(self) -> bool:
        """Tell whether some row has ended, perhaps in a commit that is not published."""
        return load_word(self._ended) != 0

    def restore(self, marks: Int64s, runs: Int64s) -> None:
        """Take over what a checkpoint kept of so many rows."""
        ended = bool(marks.any())
        self.reserve(len(marks) if ended else 0, runs=len(runs))
        if ended:
            self.mark_words[: len(marks)] = marks
            store_word(self._ended, 1)
        self.run_words[: len(runs)] = runs
        store_word(self.counter, len(runs))

    def append_run(self, lsn: int, time_us: int, end: int) -> None:
        """Publish the rows before `end` as of commit `lsn`."""
        mark_kernels.append_run(self.runs, self.counter, lsn, time_us, end)

    def run_count(self, lsn: int) -> int:
        """Return how many runs are of commits at or before `lsn`."""
        return mark_kernels.find_run(self.runs, self.counter, lsn)

    def published_runs(self) -> Int64s:
        """Return all runs so far: commit LSN, commit time in µs, end row."""
        return self.run_words[: self.run_count(NEVER)]

    def rows(self, lsn: int) -> int:
        """Return how many rows of the segment were born at or before `lsn`."""
        count = self.run_count(lsn)
        return int(self.run_words[count - 1, 2]) if count else 0


class NoSide(Side):
    """The history of a dropped segment: no rows at any LSN."""

    def __init__(self) -> None:
        self.marks = self.prev = 0
        self.mark_words = np.empty(0, np.int64)
        self.run_words = np.empty((0, RUN_WORDS), np.int64)

    def has_ended(self) -> bool:
        """Return that no row shows that it ended."""
        return False

    def run_count(self, lsn: int) -> int:
        """Return that there is no run."""
        return 0
