"""Compaction inside a shard: rows that live move out of segments of dead ones, which are dropped.

A row moves as an update moves it: its values are appended once more and the old row is marked dead,
all at one commit LSN; no event tells of it. So whoever reads at an older LSN finds the old row, and
index, `prev`, checkpoints and replay need to know nothing new. A segment whose rows are all dead at
or below the horizon is dropped as a whole: nobody reads an LSN at which they lived. What is left of
it is its place: ordinals, and so row ids, still rise with birth.

Invariants: only sealed segments are dropped, and no index slot names a row of one afterwards; rows
of a table with a TTL or without a key do not move, so that their age stays what it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..kernels.fold import UPDATE
from ..kernels.marks import count_visible
from ..kernels.views import NEVER, ROW_BITS, Int64s
from .find import hash_keys
from .layout import TableLayout
from .merge import Outcome
from .segment import Segment
from .state import State

MOVED_AT_ONCE = 1 << 14
# Of variable values: a larger row moves alone.
MOVED_BYTES = 1 << 22
DEAD_PERCENT = 50


@dataclass(frozen=True)
class Move:
    """Living rows of one segment that move together: those of a range."""

    ordinal: int
    start: int
    end: int


@dataclass(frozen=True)
class Waste:
    """What can be gained in a shard: segments to drop, rows to move."""

    dead: tuple[int, ...]
    moves: tuple[Move, ...]


def waste_of(state: State, horizon_lsn: int, movable: bool, resets: Int64s) -> Waste:
    """Find sealed segments that are dead at the horizon, and those that are so in great part.

    A segment in which a row ended at one of `resets` is not dropped.
    """
    dead: list[int] = []
    moves: list[Move] = []
    for segment in state.segments:
        if not segment.sealed or segment.dropped:
            continue
        kept = count_visible(segment.side.marks, segment.rows, horizon_lsn)
        if not kept and segment.published_rows == segment.rows:
            if not np.isin(segment.side.mark_words[: segment.rows], NEVER - resets).any():
                dead.append(segment.ordinal)
        elif movable and kept * 100 < segment.rows * (100 - DEAD_PERCENT):
            moves.extend(_moves(segment))
    return Waste(tuple(dead), tuple(moves))


def living(segment: Segment, start: int, end: int) -> Int64s:
    """Return the rows of a range that no commit has ended."""
    end = min(end, segment.rows)
    return np.flatnonzero(segment.side.mark_words[start:end] == 0) + start


def moved(state: State, layout: TableLayout, segment: Segment, rows: Int64s) -> Outcome:
    """Return the outcome that replaces rows of a segment by themselves, without their values."""
    rids = (segment.ordinal << ROW_BITS) + rows
    keys = state.select(layout, layout.keys).gather(rids).columns
    hashes = hash_keys(keys)
    count = len(rids)
    kinds = np.full(count, UPDATE, np.int8)
    fresh = np.zeros(count, np.bool_)
    return Outcome(np.arange(count), kinds, hashes, rids, fresh, updates=count)


def _moves(segment: Segment) -> Iterator[Move]:
    alive = living(segment, 0, segment.rows)
    ends = np.cumsum(segment.variable_bytes(alive))
    first, done = 0, 0
    while first < len(alive):
        within = int(np.searchsorted(ends, done + MOVED_BYTES, side="right"))
        end = min(max(within, first + 1), first + MOVED_AT_ONCE, len(alive))
        yield Move(segment.ordinal, int(alive[first]), int(alive[end - 1]) + 1)
        first, done = end, int(ends[end - 1])
