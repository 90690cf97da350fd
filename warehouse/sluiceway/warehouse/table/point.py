"""The row of one key, as Python values: a look-up that makes few objects.

Invariants: a Point belongs to one State, whose files the caller keeps alive by keeping the State;
it answers as `snapshot.lookup` does, value for value as pyarrow's `as_py` gives them; each call has
a buffer of its own, so any thread may read.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from sluiceway.catalog import UserError

from ..kernels import point as kernels
from ..kernels.index import UNKNOWN
from ..kernels.views import Int64s
from .cells import cell_format, decoder_of, encoder_of, integer_format
from .find import plan_of
from .layout import TableLayout
from .state import State

# Room for the bytes of variable columns at first; a row that needs more is read again.
_FIRST_BYTES = 512


class TooOldError(Exception):
    """The State is older than the row: fetch a newer one and ask again."""


class Point:
    """Finds a key and decodes some columns of its row."""

    def __init__(
        self, state: State, layout: TableLayout, newest: TableLayout, positions: tuple[int, ...]
    ) -> None:
        self.layout = layout
        # Selections own the defaults and the widened copies behind the plan's addresses.
        self._stored = state.select(newest, newest.keys)
        self._wanted = state.select(layout, positions)
        self._plan = plan_of(state, newest, self._stored, self._wanted)
        keys, columns = self._stored.columns, self._wanted.columns
        self._key_count = len(keys)
        self._encoders = [encoder_of(column) for column in keys]
        self._integers = integer_format(keys)
        flags_bytes = -(-len(columns) // 8) * 8
        self._cells = struct.Struct(f"<q{flags_bytes}x{''.join(map(cell_format, columns))}")
        self._null_flags = slice(8, 8 + len(columns))
        decoders = [(at, decoder_of(column)) for at, column in enumerate(columns)]
        self._decoders = [(at, decode) for at, decode in decoders if decode is not None]
        self._bytes = self._cells.size + _FIRST_BYTES

    def read(self, key: Sequence[Any], lsn: int) -> tuple[Any, ...] | None:
        """Return the row visible at `lsn`, None if there is none; key columns in their order."""
        if len(key) != self._key_count:
            raise self._refused(key)
        for value in key:
            if value is None:
                return None
        work = self._begin(key, self._bytes)
        rid = kernels.read_row(self._plan, lsn, work)
        if rid == kernels.TOO_SMALL:
            work = self._begin(key, int(work[0]))
            rid = kernels.read_row(self._plan, lsn, work)
        if rid >= 0:
            return self._decoded(work)
        if rid == UNKNOWN:
            raise TooOldError
        return None

    def _begin(self, key: Sequence[Any], room_bytes: int) -> Int64s:
        """Return a buffer that holds the key and has room for the row."""
        try:
            if self._integers is not None:
                work = np.empty((room_bytes + 7) // 8, np.int64)
                self._integers.pack_into(work.data, 0, *key)
                return work
            values = [encode(value) for encode, value in zip(self._encoders, key, strict=True)]
        except (struct.error, TypeError, pa.ArrowException, OverflowError, ValueError) as error:
            raise self._refused(key) from error
        fixed, tail = bytearray(), bytearray()
        for encoded, is_variable in values:
            if is_variable:
                fixed += struct.pack("<ii8x", len(tail), len(tail) + len(encoded))
                tail += encoded
            else:
                fixed += encoded.ljust(kernels.KEY_BYTES, b"\0")
        fixed += tail
        work = np.empty((max(room_bytes, len(fixed)) + 7) // 8, np.int64)
        struct.pack_into(f"{len(fixed)}s", work.data, 0, fixed)
        return work

    def _decoded(self, work: Int64s) -> tuple[Any, ...]:
        nulls, *row = self._cells.unpack_from(work.data)
        if not nulls and not self._decoders:
            return tuple(row)
        raw = work.tobytes()
        flags = raw[self._null_flags] if nulls else None
        for at, decode in self._decoders:
            if flags is None or not flags[at]:
                row[at] = decode(row[at], raw)
        if flags is not None:
            row = [None if null else value for null, value in zip(flags, row, strict=True)]
        return tuple(row)

    def _refused(self, key: Sequence[Any]) -> UserError:
        kinds = ", ".join(f"{c.name} {c.type}" for c in self._stored.columns)
        return UserError(
            f"{tuple(key)!r} is no key of {self.layout.table.path}: "
            f"give one value for each of ({kinds})",
            sqlstate="42804",
        )
