"""What a reader holds: the segments and the index of a shard at one moment.

Invariant: a State never changes; the writer replaces it as a whole when a segment or a partition
comes. It keeps every file behind its pointers alive. It shows at least all that was published
when it was fetched, so a reader takes the LSN first and the State second.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from ..kernels import columns as kernels
from ..kernels.views import BITS, ROW_BITS, ROW_MASK, VARIABLE, Columns, Int64s, Slots, Versions
from ..mapped import Mapped
from .arrays import constant, from_storage
from .layout import StoredColumn, TableLayout
from .segment import Segment

_MOST_SELECTIONS = 64
_ONES = pa.py_buffer(b"\xff" * 8)


class Selection:
    """Some columns of all segments, in one schema version, ready to gather from."""

    def __init__(self, columns: Sequence[StoredColumn], segments: Sequence[Segment]) -> None:
        self.columns = tuple(columns)
        self.default_rid = len(segments) << ROW_BITS
        self._defaults = [constant(column, 1) for column in columns]
        self._nullable = np.array([c.nullable for c in columns], np.bool_)
        words = np.empty((4, len(columns), len(segments) + 1), np.int64)
        for c, column in enumerate(columns):
            words[:, c, -1] = default = _default_words(self._defaults[c])
            for s, segment in enumerate(segments):
                found = segment.buffers.get(column.id)
                words[:, c, s] = (
                    default
                    if found is None
                    else (
                        found.validity.address,
                        found.values.address,
                        0 if found.data is None else found.data.address,
                        ROW_MASK,
                    )
                )
        widths = np.array([column.width for column in columns], np.int64)
        self.pointers = Columns(widths, *words)

    def gather(self, rids: Int64s) -> list[pa.Array]:
        """Return the rows named, column by column, as stored."""
        count, width = len(rids), self.pointers.width
        bitmap_bytes = np.where(self._nullable, (count + 7) // 8, 0)
        value_bytes = np.where(width == VARIABLE, 4 * count + 4, width * count)
        value_bytes = np.where(width == BITS, (count + 7) // 8, value_bytes)
        block, at = _block(np.concatenate([bitmap_bytes, value_bytes]))
        validity, values = np.split(at + block.address, 2)
        nulls, sizes = np.zeros(len(width), np.int64), np.zeros(len(width), np.int64)
        kernels.gather(self.pointers, self._nullable, rids, validity, values, nulls, sizes)
        data_block, data_at = _block(sizes)
        kernels.gather_bytes(self.pointers, rids, values, data_at + data_block.address)
        places = np.stack([*np.split(at, 2), data_at], axis=1).tolist()
        return [
            _array(column, count, nulled, block, place, data_block)
            for column, nulled, place in zip(self.columns, nulls.tolist(), places, strict=True)
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
    """Return the pointers to marks and chains of all segments."""
    return Versions(
        np.array([segment.side.marks for segment in segments], np.int64),
        np.array([segment.side.prev for segment in segments], np.int64),
    )


def _default_words(array: pa.Array) -> tuple[int, int, int, int]:
    buffers = array.buffers()
    validity = _ONES if buffers[0] is None else buffers[0]
    data = buffers[2].address if len(buffers) == 3 and buffers[2] is not None else 0
    return validity.address, buffers[1].address, data, 0


def _block(sizes: Int64s) -> tuple[pa.Buffer, Int64s]:
    """Return one buffer for pieces of these sizes and where each begins."""
    ends = np.cumsum((sizes + 63) & ~63)
    buffer = pa.py_buffer(np.empty(int(ends[-1]) + 8 if len(ends) else 8, np.uint8))
    return buffer, np.concatenate([[0], ends[:-1]]).astype(np.int64)


def _array(
    column: StoredColumn,
    count: int,
    nulls: int,
    block: pa.Buffer,
    places: tuple[int, int, int],
    data_block: pa.Buffer,
) -> pa.Array:
    validity, values, data = places
    buffers = [block.slice(validity) if nulls else None, block.slice(values)]
    if column.width == VARIABLE:
        buffers.append(data_block.slice(data))
    return pa.Array.from_buffers(column.storage, count, buffers, nulls)
