"""Row TTL inside a shard: which rows are old enough, and their end.

Rows stand in the order of their last write, so "older than" is a prefix of the shard, named by the
LSN of its last commit. Invariant: rows born at or before `Segments.expired_lsn` are all dead.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..kernels.marks import end_rows
from .segment import Segment
from .segments import Segments


def expirable(segments: Segments, before_us: int, most_rows: int) -> int | None:
    """Return the LSN up to which rows were last written at or before `before_us`, if any lives.

    It takes in `most_rows` rows at most, or those of one commit.
    """
    while True:
        lsn = _prefix(segments, before_us, most_rows)
        if lsn is None or any(_alive(s, start, end) for s, start, end in _ranges(segments, lsn)):
            return lsn
        segments.expired_lsn = lsn


def expire(segments: Segments, born_lsn: int, commit_lsn: int) -> int:
    """Mark what lives of the rows born at or before `born_lsn` as dead; return how many."""
    ended = sum(
        end_rows(segment.side.marks, start, end, commit_lsn)
        for segment, start, end in _ranges(segments, born_lsn)
    )
    segments.expired_lsn = max(segments.expired_lsn, born_lsn)
    return ended


def _prefix(segments: Segments, before_us: int, most_rows: int) -> int | None:
    found, rows = None, 0
    for segment in segments.all:
        runs = segment.side.published_runs()
        first = int(np.searchsorted(runs[:, 0], segments.expired_lsn, side="right"))
        last = int(np.searchsorted(runs[:, 1], before_us, side="right"))
        if first >= len(runs):
            continue
        start = int(runs[first - 1, 2]) if first else 0
        fits = int(np.searchsorted(runs[first:last, 2], start + most_rows - rows, side="right"))
        taken = min(first + max(fits, int(found is None)), last)
        if taken > first:
            found = int(runs[taken - 1, 0])
            rows += int(runs[taken - 1, 2]) - start
        if taken < len(runs):
            break
    return found


def _ranges(segments: Segments, born_lsn: int) -> Iterator[tuple[Segment, int, int]]:
    for segment in segments.all:
        start, end = segment.side.rows(segments.expired_lsn), segment.side.rows(born_lsn)
        if start < end:
            yield segment, start, end


def _alive(segment: Segment, start: int, end: int) -> bool:
    return bool((segment.side.mark_words[start:end] == 0).any())
