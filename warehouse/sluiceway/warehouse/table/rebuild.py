"""The index of a shard that was loaded: built over all stored rows, dead ones too.

Dead rows belong to it because a snapshot of any kept LSN finds a row through `prev`, from the
newest version of its key back. The index is sized once, for the rows alive; only keys whose rows
are all dead can make it grow. Rows come in groups of segments: hashed and scattered by segment,
then inserted by partition, each step by several threads, since kernels hold no interpreter lock.

Invariant: rows of one key have one directory entry and stay in birth order on the way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from typing import Any

import numpy as np

from ..kernels import rebuild as kernels
from ..kernels.views import ROW_BITS, Int64s
from .find import hash_keys
from .index import DIRECTORY_BITS, Index, Partition
from .layout import TableLayout
from .segment import Segment
from .state import State

GROUP_ROWS = 4 << 20
THREADS_FROM_ROWS = 1 << 18
_Each = Callable[..., Iterator[Any]]


def rebuild(
    index: Index, segments: Sequence[Segment], layout: TableLayout, state: State, alive: int
) -> None:
    """Fill an empty index with the keys of all rows and chain the versions of each."""
    partitions = index.begin(alive)
    threads = sum(segment.rows for segment in segments) >= THREADS_FROM_ROWS
    with ThreadPoolExecutor() if threads else nullcontext() as pool:
        each: _Each = map if pool is None else pool.map
        for group in _groups(segments):
            rows = _Group(group, layout, state, each)

            def fill(partition: Partition, rows: _Group = rows) -> list[Partition]:
                return rows.fill(index, partition, 0)

            partitions = [new for found in each(fill, partitions) for new in found]
    index.replace_all(partitions)


def _groups(segments: Sequence[Segment]) -> Iterator[list[Segment]]:
    group: list[Segment] = []
    for segment in segments:
        if group and sum(s.rows for s in group) + segment.rows > GROUP_ROWS:
            yield group
            group = []
        group.append(segment)
    if group:
        yield group


class _Group:
    """The rows of some segments by directory entry: hashes and row ids, in birth order."""

    def __init__(
        self, segments: Sequence[Segment], layout: TableLayout, state: State, each: _Each
    ) -> None:
        self._layout = layout
        self._versions = state.versions
        self._keys = state.select(layout, layout.keys).pointers
        hashed = list(each(self._hash, segments))
        counts = np.array([count for _, count in hashed])
        self._bounds = np.concatenate([[0], np.cumsum(counts.sum(axis=0))])
        places = self._bounds[:-1] + np.cumsum(counts, axis=0) - counts
        self._hashes = np.empty(self._bounds[-1], np.int64)
        self._rids = np.empty(self._bounds[-1], np.int64)
        firsts = [segment.ordinal << ROW_BITS for segment in segments]
        list(each(self._scatter, [hashes for hashes, _ in hashed], firsts, places))

    def fill(self, index: Index, partition: Partition, done: int) -> list[Partition]:
        """Insert the rows of a partition from row `done` of the group on; it grows at need."""
        entries = partition.entries()
        start = max(done, int(self._bounds[entries.start]))
        end = int(self._bounds[entries.stop])
        taken, new = kernels.insert_stored(
            (partition.mapped.address, partition.slots - 1, partition.room),
            self._hashes[start:end],
            self._rids[start:end],
            self._layout.exact,
            self._keys,
            self._versions,
        )
        partition.used += new
        if start + taken >= end:
            return [partition]
        grown = index.grow(partition)
        return [new for part in grown for new in self.fill(index, part, start + taken)]

    def _hash(self, segment: Segment) -> tuple[Int64s, Int64s]:
        columns = [self._layout.columns[at] for at in self._layout.keys]
        hashes = hash_keys([segment.array(column, 0, segment.rows) for column in columns])
        counts = np.zeros(1 << DIRECTORY_BITS, np.int64)
        kernels.count_entries(hashes, counts)
        return hashes, counts

    def _scatter(self, hashes: Int64s, first: int, places: Int64s) -> None:
        kernels.scatter(hashes, first, places, self._hashes, self._rids)
