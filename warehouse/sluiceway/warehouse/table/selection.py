"""Some columns of all segments, gathered row by row into Arrow batches.

Where a row-major copy has enough of the columns, they are read from it: the values of a row lie
side by side there, so a row costs a few cache lines, not one a column.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import pyarrow as pa

from ..kernels import columns as column_kernels
from ..kernels import rowmajor as row_kernels
from ..kernels.messages import Head, write_head
from ..kernels.rowmajor import RowMajor
from ..kernels.views import ROW_BITS, ROW_MASK, VARIABLE, Bools, Columns, Int64s
from .arrays import BATCH_BYTES, MAX_BYTES, check_bytes, constant, from_storage
from .column import StoredColumn
from .message import POSITION, head_of
from .rowmajor import ROW_ID
from .segment import Segment

# The copy is read for so many columns, or for all of a narrower table (tests/bench/bench_rows.py).
ROW_MAJOR_FROM_COLUMNS = 10
_NOWHERE = np.empty(0, np.int64)


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
        self.pointers = Columns(widths, *words)
        self._nulls_with_defaults: Bools = (words[0] != 0).any(axis=1)
        self._nulls: Bools = (words[0, :, :-1] != 0).any(axis=1)
        self._row_major = _row_major(columns, segments)
        self._variable = VARIABLE in widths
        self._lists = [at for at, column in enumerate(columns) if column.is_list]

    @property
    def reads_rows(self) -> bool:
        """Tell whether it reads from a row-major copy."""
        return self._row_major is not None

    def fitting(self, rids: Int64s) -> int:
        """Return how many of the rows, at least one, are no more than a batch should have."""
        if not self._variable:
            return len(rids)
        return column_kernels.rows_within(self.pointers, rids, BATCH_BYTES)

    def gather(self, rids: Int64s, *, defaults: bool = False) -> pa.RecordBatch:
        """Return the rows named as they are stored; `defaults`: `default_rid` too."""
        if not len(rids):
            return self._nothing
        nullable = self._nulls_with_defaults if defaults else self._nulls
        return self._gathered(*self._stored, rids, _NOWHERE, nullable)

    def gather_users(self, rids: Int64s) -> pa.RecordBatch:
        """Return the rows named as users see them."""
        return self._unpacked(self.gather(rids), self._users_schema)

    def gather_found(self, rids: Int64s, positions: Int64s) -> pa.RecordBatch:
        """Return `RecordBatch[_pos: int32, …]` of rows as users see them."""
        found = self._gathered(*self._found, rids, positions, self._nulls)
        return self._unpacked(found, self._found_users_schema)

    def _gathered(
        self, schema: pa.Schema, head: Head, rids: Int64s, positions: Int64s, nullable: Bools
    ) -> pa.RecordBatch:
        count, columns = len(rids), len(self.columns)
        begin = head.words.nbytes + (-(-4 * len(positions) // 64) * 64)
        at = np.empty(2 * columns, np.int64)
        widths = self.pointers.width
        end = column_kernels.place_columns(widths, nullable, count, begin, at)
        block = pa.allocate_buffer(end, resizable=True)
        addresses = at + block.address
        nulls, sizes = np.zeros(columns, np.int64), np.zeros(columns, np.int64)
        into = (addresses[:columns], addresses[columns:], nulls, sizes)
        copy = self._row_major
        if copy is None:
            column_kernels.gather(self.pointers, nullable, rids, *into)
        else:
            row_kernels.gather(self.pointers, copy, nullable, rids, *into)
        data_at = np.empty(columns, np.int64)
        end = column_kernels.place_bytes(sizes, end, data_at)
        if end > MAX_BYTES:
            self._check(sizes, count)
        block.resize(end, shrink_to_fit=False)
        values = at[columns:] + block.address
        data = data_at + block.address
        if copy is None:
            column_kernels.gather_bytes(self.pointers, rids, values, data)
        else:
            row_kernels.gather_bytes(self.pointers, copy, rids, values, data)
        write_head(head, block.address, end, count, positions, widths, nulls, at, sizes, data_at)
        return pa.ipc.read_record_batch(block, schema)

    def _check(self, sizes: Int64s, count: int) -> None:
        for column, size in zip(self.columns, sizes.tolist(), strict=True):
            check_bytes(f"{count} values of {column.name!r}", size, "read or write fewer at once")

    def _unpacked(self, batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
        """Return a batch with packed arrays as the lists that they are."""
        if not self._lists:
            return batch
        arrays = batch.columns
        shift = len(arrays) - len(self.columns)
        for at in self._lists:
            arrays[at + shift] = from_storage(self.columns[at], arrays[at + shift])
        return pa.RecordBatch.from_arrays(arrays, schema=schema)

    @cached_property
    def _users_schema(self) -> pa.Schema:
        return pa.schema([pa.field(c.name, c.arrow, nullable=c.nullable) for c in self.columns])

    @cached_property
    def _found_users_schema(self) -> pa.Schema:
        return self._users_schema.insert(0, POSITION)

    @cached_property
    def _stored(self) -> tuple[pa.Schema, Head]:
        fields = [pa.field(c.name, c.storage, nullable=c.nullable) for c in self.columns]
        return pa.schema(fields), head_of(pa.schema(fields))

    @cached_property
    def _nothing(self) -> pa.RecordBatch:
        return pa.RecordBatch.from_pylist([], self._stored[0])

    @cached_property
    def _found(self) -> tuple[pa.Schema, Head]:
        schema = self._stored[0].insert(0, POSITION)
        return schema, head_of(schema, positions=True)


def _stored_words(segment: Segment, column: StoredColumn) -> tuple[int, int, int, int] | None:
    found = segment.stored(column)
    if found is None:
        return None
    validity = found.validity.address if column.id in segment.with_nulls else 0
    data = 0 if found.data is None else found.data.address
    return validity, found.values.address, data, ROW_MASK


def _row_major(columns: Sequence[StoredColumn], segments: Sequence[Segment]) -> RowMajor | None:
    """Return where the columns lie in the copies of segments, None if it does not pay to look."""
    found = {s: segment.row_column for s, segment in enumerate(segments) if segment.row_column}
    copied = max((len(row_column.places) for row_column in found.values()), default=0)
    if not copied or len(columns) < min(copied, ROW_MAJOR_FROM_COLUMNS):
        return None
    entries = len(segments) + 1
    addresses = np.zeros((2, entries), np.int64)
    places = np.full((2, len(columns), entries), -1, np.int64)
    for s, row_column in found.items():
        _, offsets, rows = segments[s].buffers[ROW_ID].arrow()
        addresses[:, s] = offsets.address, rows.address
        for c, column in enumerate(columns):
            if segments[s].has_as_is(column):
                places[:, c, s] = row_column.places[column.id], row_column.bits[column.id]
    return RowMajor(*addresses, *places)


def _default_words(array: pa.Array) -> tuple[int, int, int, int]:
    validity, values, *rest = array.buffers()
    data = rest[0].address if rest and rest[0] is not None else 0
    return 0 if validity is None else validity.address, values.address, data, 0
