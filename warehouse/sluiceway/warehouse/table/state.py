"""What a reader holds: the segments and the index of a shard at one moment.

Invariant: a State never changes; the writer replaces it as a whole when a segment or a partition
comes. It keeps every file behind its pointers alive. It shows at least all that was published
when it was fetched, so a reader takes the LSN first and the State second.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from ..kernels import columns as kernels
from ..kernels.views import ROW_BITS, ROW_MASK, VARIABLE, Bools, Columns, Int64s, Slots, Versions
from ..mapped import Mapped
from .arrays import constant, from_storage
from .layout import StoredColumn, TableLayout
from .segment import Segment

if TYPE_CHECKING:
    from .point import Point

_MOST_SELECTIONS = 64


class Selection:
    """Some columns of all segments, in one schema version, ready to gather from."""

    def __init__(self, columns: Sequence[StoredColumn], segments: Sequence[Segment]) -> None:
        self.columns = tuple(columns)
        self.default_rid = len(segments) << ROW_BITS
        self._defaults = [constant(column, 1) for column in columns]
        words = np.empty((4, len(columns), len(segments) + 1), np.int64)
        for c, column in enumerate(columns):
            default = _default_words(self._defaults[c])
            words[:, c, -1] = default
            for s, segment in enumerate(segments):
                words[:, c, s] = _stored_words(segment, column) or default
        widths = np.array([column.width for column in columns], np.int64)
        self.schema = pa.schema(
            [pa.field(c.name, c.arrow, nullable=c.nullable) for c in self.columns]
        )
        self.pointers = Columns(widths, *words)
        self._nulls_with_defaults: Bools = (words[0] != 0).any(axis=1)
        self._nulls: Bools = (words[0, :, :-1] != 0).any(axis=1)

    def gather(self, rids: Int64s, *, defaults: bool = False) -> list[pa.Array]:
        """Return the rows named, column by column, as stored; `defaults`: `default_rid` too."""
        count, columns = len(rids), len(self.columns)
        nullable = self._nulls_with_defaults if defaults else self._nulls
        at = np.empty(2 * columns, np.int64)
        widths = self.pointers.width
        block = _block(kernels.place_columns(widths, nullable, count, at))
        addresses = at + block.address
        validity, values = addresses[:columns], addresses[columns:]
        nulls, sizes = np.zeros(columns, np.int64), np.zeros(columns, np.int64)
        kernels.gather(self.pointers, nullable, rids, validity, values, nulls, sizes)
        data_at = np.empty(columns, np.int64)
        data_block = _block(kernels.place_bytes(sizes, data_at))
        kernels.gather_bytes(self.pointers, rids, values, data_at + data_block.address)
        places = zip(
            nulls.tolist(),
            at[:columns].tolist(),
            at[columns:].tolist(),
            data_at.tolist(),
            strict=True,
        )
        return [
            _array(column, count, place, block, data_block)
            for column, place in zip(self.columns, places, strict=True)
        ]

    def gather_users(self, rids: Int64s) -> list[pa.Array]:
        """Return the rows named, column by column, as users see them."""
        stored = self.gather(rids)
        return [from_storage(c, array) for c, array in zip(self.columns, stored, strict=True)]


@dataclass(frozen=True)
class State:
    """Segments, their marks and chains, and the index."""

    segments: tuple[Segment, ...]
    versions: Versions
    slots: Slots
    index_files: tuple[Mapped, ...]
    selections: dict[tuple[int, tuple[int, ...]], Selection] = field(default_factory=dict)
    points: dict[tuple[int, tuple[str, ...] | None], Point] = field(default_factory=dict)

    def select(self, layout: TableLayout, positions: tuple[int, ...]) -> Selection:
        """Return some columns of a schema version."""
        key = (layout.table.schema_version, positions)
        found = self.selections.get(key)
        if found is None:
            if len(self.selections) >= _MOST_SELECTIONS:
                self.selections.clear()
            columns = [layout.columns[at] for at in positions]
            found = self.selections[key] = Selection(columns, self.segments)
        return found

    def bound(self, lsn: int) -> int:
        """Return the smallest row id that was born after `lsn`."""
        for segment in reversed(self.segments):
            rows = segment.side.rows(lsn)
            if rows:
                return (segment.ordinal << ROW_BITS) + rows
        return 0


def versions_of(segments: Sequence[Segment]) -> Versions:
    """Return the pointers to marks and chains of all segments, 0 for those that are dropped."""
    sides = [None if segment.dropped else segment.side for segment in segments]
    return Versions(
        np.array([0 if side is None else side.marks for side in sides], np.int64),
        np.array([0 if side is None else side.prev for side in sides], np.int64),
    )


def _stored_words(segment: Segment, column: StoredColumn) -> tuple[int, int, int, int] | None:
    found = segment.stored(column)
    if found is None:
        return None
    validity = found.validity.address if column.id in segment.with_nulls else 0
    data = 0 if found.data is None else found.data.address
    return validity, found.values.address, data, ROW_MASK


def _default_words(array: pa.Array) -> tuple[int, int, int, int]:
    validity, values, *rest = array.buffers()
    data = rest[0].address if rest and rest[0] is not None else 0
    return 0 if validity is None else validity.address, values.address, data, 0


def _block(size_bytes: int) -> pa.Buffer:
    return pa.py_buffer(np.empty(size_bytes, np.uint8))


def _array(
    column: StoredColumn,
    count: int,
    place: tuple[int, int, int, int],
    block: pa.Buffer,
    data_block: pa.Buffer,
) -> pa.Array:
    nulls, validity, values, data = place
    buffers = [block.slice(validity) if nulls else None, block.slice(values)]
    if column.width == VARIABLE:
        buffers.append(data_block.slice(data))
    return pa.Array.from_buffers(column.storage, count, buffers, nulls)
