"""The row-major copy of a table's rows, which lies in segments as one more variable column.

A table has it if its `orientation` says `row` (docs/options.md). To the store it is the hidden
column `_row` behind all others: what appends, checkpoints, moves and maps columns does so with it.
It is in neither batches nor the log, but made of the columns where rows are appended, so it is the
same after replay.

Invariant: a value read from the copy is the value of the column, for every row at every LSN; a
segment's copy has the columns of the schema version in which it was written, by their ids.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from sluiceway.catalog import parse_type

from ..kernels import rowmajor as kernels
from ..kernels.views import BITS, VARIABLE
from .arrays import check_bytes, rows_of
from .column import StoredColumn

ROW_ID = -1
ROW_NAME = "_row "  # as no column of a user is called
_VARIABLE_CELL_BYTES = 8


@dataclass(frozen=True)
class RowColumn(StoredColumn):
    """The hidden column `_row`: `places` has the byte of each column's cell, `bits` its bit."""

    places: Mapping[int, int]
    bits: Mapping[int, int]
    head_bytes: int
    variable_bytes: int

    @property
    def reserved_bytes(self) -> int:
        """How many bytes of address space a segment has for each row."""
        return self.head_bytes + self.variable_bytes

    @classmethod
    def of(cls, columns: Sequence[StoredColumn]) -> RowColumn:
        """Lay out the cells of some columns, in their order."""
        places, at = {}, (len(columns) + 7) // 8
        for column in columns:
            places[column.id] = at
            at += _cell_bytes(column.width)
        bits = {column.id: bit for bit, column in enumerate(columns)}
        variable = sum(c.reserved_bytes for c in columns if c.width == VARIABLE)
        binary = pa.binary()
        return cls(
            ROW_ID, ROW_NAME, parse_type("BYTES"), binary, binary, VARIABLE, False,
            pa.scalar(None, binary), places, bits, at, variable,
        )  # fmt: skip

    def check(self, rows: pa.RecordBatch) -> None:
        """Refuse rows, in columns, that `copied` could refuse."""
        size_bytes = rows.nbytes + self.head_bytes * len(rows)
        check_bytes("rows side by side", size_bytes, "write smaller batches")

    def copied(self, columns: Sequence[pa.Array]) -> pa.Array:
        """Return rows, given by stored columns, as the copy has them: `binary`."""
        rows = rows_of(columns)
        offsets = np.empty(len(columns[0]) + 1, np.int64)
        kernels.measure(rows, self.head_bytes, offsets)
        size_bytes = int(offsets[-1])
        check_bytes("rows side by side", size_bytes, "write smaller batches")
        data = pa.allocate_buffer(size_bytes)
        places = np.array(list(self.places.values()), np.int64)
        kernels.write(rows, places, self.head_bytes, offsets, data.address)
        buffers = [None, pa.py_buffer(offsets.astype(np.int32)), data]
        return pa.Array.from_buffers(self.storage, len(offsets) - 1, buffers)


def _cell_bytes(width: int) -> int:
    if width == VARIABLE:
        return _VARIABLE_CELL_BYTES
    return 1 if width == BITS else width
