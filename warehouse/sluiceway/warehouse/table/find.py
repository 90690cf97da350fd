"""Finding keys in a shard: hash, probe, verify, walk back to a snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from ..kernels import hashing
from ..kernels import index as kernels
from ..kernels.views import Bools, Int64s, Rows
from .arrays import rows_of
from .layout import TableLayout
from .state import State


@dataclass(frozen=True)
class Found:
    """The keys of a batch with the newest version of each (-1 = none), dead or alive."""

    rows: Rows
    hashes: Int64s
    exact: bool
    rids: Int64s
    alive: Bools


def hash_keys(keys: Sequence[pa.Array]) -> tuple[Rows, Int64s]:
    """Return the addresses and the index hashes of some keys."""
    rows = rows_of(keys)
    hashes = np.empty(len(keys[0]), np.int64)
    hashing.hash_index(rows, hashes)
    return rows, hashes


def find_latest(state: State, layout: TableLayout, keys: Sequence[pa.Array]) -> Found:
    """Find keys for the writer, who sees its own unpublished rows."""
    rows, hashes = hash_keys(keys)
    rids, alive = np.empty(len(hashes), np.int64), np.empty(len(hashes), np.bool_)
    stored = state.select(layout, layout.keys).pointers
    kernels.find_latest(
        state.slots, hashes, layout.exact, rows, stored, state.versions, rids, alive
    )
    return Found(rows, hashes, layout.exact, rids, alive)


def find_visible(
    state: State, layout: TableLayout, keys: Sequence[pa.Array], lsn: int
) -> Int64s | None:
    """Find what is visible of some keys at `lsn`; None when `state` is too old to tell."""
    rows, hashes = hash_keys(keys)
    rids = np.empty(len(hashes), np.int64)
    stored = state.select(layout, layout.keys).pointers
    bound = state.bound(lsn)
    unknown = kernels.find_visible(
        state.slots, hashes, layout.exact, rows, stored, state.versions, bound, lsn, rids
    )
    return None if unknown else rids
