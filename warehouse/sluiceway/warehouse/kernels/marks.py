"""Marks, `prev` chains and runs: which rows a snapshot sees.

A mark is NEVER minus the LSN at which the row died, 0 while it lives. `ENDED_BYTES` before the
marks of a segment is a word that is 1 once one of them was set: while it is 0, all rows that a
snapshot has seen be born it sees. A run is three words: commit LSN, commit time in µs, end row;
runs rise in all three.
"""

from typing import Final

from .atomics import fence_release, load_acquire, load_relaxed, store_release
from .jit import kernel
from .views import NEVER, ROW_BITS, ROW_MASK, Int64s, Versions
from .words import store_64

RUN_BYTES: Final = 24
ENDED_BYTES: Final = 56


@kernel
def chain(versions: Versions, rids: Int64s, replaced: Int64s) -> None:
    """Let each new row name the version before it; one without (-1) leaves its page untouched."""
    for i in range(len(rids)):
        if replaced[i] >= 0:
            rid = rids[i]
            store_64(versions.prev[rid >> ROW_BITS] + (rid & ROW_MASK) * 8, replaced[i] + 1)


@kernel
def mark_dead(versions: Versions, rids: Int64s, lsn: int) -> None:
    """Mark rows as dead from `lsn` on; what else the commit wrote is visible before its marks."""
    fence_release()
    for i in range(len(rids)):
        marks = versions.mark[rids[i] >> ROW_BITS]
        store_64(marks - ENDED_BYTES, 1)
        store_release(marks + (rids[i] & ROW_MASK) * 8, NEVER - lsn)


@kernel
def end_rows(marks: int, start: int, end: int, lsn: int) -> int:
    """Mark the rows that live as dead from `lsn` on; return how many there were."""
    fence_release()
    count = 0
    for row in range(start, end):
        if load_relaxed(marks + row * 8) == 0:
            store_64(marks - ENDED_BYTES, 1)
            store_release(marks + row * 8, NEVER - lsn)
            count += 1
    return count


@kernel
def visible_rows(marks: int, start: int, end: int, lsn: int, base: int, out: Int64s) -> int:
    """Fill `out` with the ids of rows visible at `lsn`; return how many there were room for."""
    count = 0
    for row in range(start, end):
        if load_relaxed(marks + row * 8) < NEVER - lsn:
            if count == len(out):
                break
            out[count] = base + row
            count += 1
    return count


@kernel
def count_visible(marks: int, end: int, lsn: int) -> int:
    """Count the rows visible at `lsn`."""
    count = 0
    for row in range(end):
        if load_relaxed(marks + row * 8) < NEVER - lsn:
            count += 1
    return count


@kernel
def find_run(runs: int, counter: int, lsn: int) -> int:
    """Return how many runs are of commits at or before `lsn`."""
    low = 0
    high = load_acquire(counter)
    if high > 0 and load_relaxed(runs + (high - 1) * RUN_BYTES) <= lsn:
        return high  # most ask for the newest
    while low < high:
        middle = (low + high) >> 1
        if load_relaxed(runs + middle * RUN_BYTES) <= lsn:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def append_run(runs: int, counter: int, lsn: int, time_us: int, end: int) -> None:
    """Append a run; readers see it whole or not at all."""
    count = load_relaxed(counter)
    store_64(runs + count * RUN_BYTES, lsn)
    store_64(runs + count * RUN_BYTES + 8, time_us)
    store_64(runs + count * RUN_BYTES + 16, end)
    store_release(counter, count + 1)
