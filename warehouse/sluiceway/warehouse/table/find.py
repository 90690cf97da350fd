"""Finding keys in a shard: hash, probe, verify, walk back to a snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from ..kernels import hashing, point
from ..kernels import index as kernels
from ..kernels.views import Bools, Int64s, Rows
from .arrays import rows_of
from .cells import Form
from .layout import TableLayout
from .selection import Selection
from .state import State


class Found(NamedTuple):
    """The keys of a batch with the newest version of each (-1 = none), dead or alive."""

    rows: Rows
    hashes: Int64s
    exact: bool
    rids: Int64s
    alive: Bools


def hash_keys(keys: Sequence[pa.Array]) -> Int64s:
    """Return the index hashes of some keys."""
    hashes = np.empty(len(keys[0]), np.int64)
    hashing.hash_index(rows_of(keys), hashes)
    return hashes


def find_latest(state: State, layout: TableLayout, keys: Sequence[pa.Array]) -> Found:
    """Find keys for the writer, who sees its own unpublished rows."""
    rows, count = rows_of(keys), len(keys[0])
    hashes, rids = np.empty(count, np.int64), np.empty(count, np.int64)
    alive = np.empty(count, np.bool_)
    stored = state.select(layout, layout.keys).pointers
    kernels.find_latest(
        state.slots, hashes, layout.exact, rows, stored, state.versions, rids, alive
    )
    return Found(rows, hashes, layout.exact, rids, alive)


class Finder:
    """Finds keys in one State, which the caller keeps; its layout can read every segment."""

    def __init__(self, state: State, layout: TableLayout) -> None:
        self.layout = layout
        # It owns the defaults and the widened copies behind the plan's addresses.
        self._stored = state.select(layout, layout.keys)
        self._plan = Plan(state, layout, self._stored)

    def find(self, keys: Sequence[pa.Array], lsn: int) -> tuple[Int64s, Int64s] | None:
        """Return rows and positions of the keys that exist at `lsn`.

        None when the State is too old to tell.
        """
        count = len(keys[0])
        rids, positions = np.empty(count, np.int64), np.empty(count, np.int64)
        found = point.find_rows(self._plan.address, lsn, rows_of(keys), rids, positions)
        return None if found == kernels.UNKNOWN else (rids[:found], positions[:found])


class Plan:
    """All pointers and what else a look-up needs, laid out as `kernels/point.py` reads them."""

    def __init__(
        self,
        state: State,
        layout: TableLayout,
        keys: Selection,
        values: Selection | None = None,
        forms: Sequence[Form] = (),
    ) -> None:
        sides = [None if segment.dropped else segment.side for segment in state.segments]
        head = [len(keys.columns), len(forms), len(sides), int(layout.exact)]
        runs = [0 if side is None else side.runs for side in sides]
        counters = [0 if side is None else side.counter for side in sides]
        pointers = [*keys.pointers, *(values.pointers if values else ())]
        parts = [head, *state.slots, *state.versions, runs, counters, *pointers]
        parts += zip(*(form.words for form in forms), strict=True)
        self._forms = forms
        self._words = np.concatenate([np.asarray(part, np.int64).ravel() for part in parts])
        self.address: int = self._words.ctypes.data
