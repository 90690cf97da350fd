"""One value of a key as bytes, and what makes one of a row: for `kernels/point.py`, `values.py`.

Invariant: a row's values are what pyarrow's `as_py` gives of the same, to the type.
"""

from __future__ import annotations

import datetime
import decimal
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from ..kernels import values
from ..kernels.point import KEY_BYTES
from ..kernels.views import VARIABLE
from .arrays import from_storage
from .column import StoredColumn

_INTEGERS = {1: "b", 2: "h", 4: "i", 8: "q"}
_ENDS = struct.Struct("<ii8x")


def packer_of(columns: Sequence[StoredColumn]) -> Callable[..., bytes]:
    """Return what packs a value a key column, or raises what `struct` and pyarrow raise."""
    if all(pa.types.is_integer(column.arrow) for column in columns):
        pads = [f"{_INTEGERS[c.width]}{KEY_BYTES - c.width}x" for c in columns]
        return struct.Struct("<" + "".join(pads)).pack
    encoders = [(column.width == VARIABLE, _encoder_of(column)) for column in columns]

    def pack(*key: Any) -> bytes:
        fixed, tail = b"", b""
        for value, (is_variable, encode) in zip(key, encoders, strict=True):
            encoded = encode(value)
            if is_variable:
                fixed += _ENDS.pack(len(tail), len(tail) + len(encoded))
                tail += encoded
            else:
                fixed += encoded.ljust(KEY_BYTES, b"\0")
        return fixed + tail

    def pack_one(value: Any) -> bytes:
        encoded = encoders[0][1](value)
        return _ENDS.pack(0, len(encoded)) + encoded

    return pack_one if [column.width for column in columns] == [VARIABLE] else pack


def _encoder_of(column: StoredColumn) -> Callable[[Any], bytes]:
    def encode(value: Any) -> bytes:
        if value is None:
            raise TypeError("NULL is no value of a key")
        _, values, *rest = pa.array([value], column.arrow).buffers()
        if column.width == VARIABLE:
            return bytes(rest[0] or b"")
        return bytes(values)[: column.width or 1]

    if pa.types.is_string(column.arrow):
        return lambda value: value.encode() if type(value) is str else encode(value)
    return encode


@dataclass(frozen=True)
class Form:
    """How values of a column are made (`kernels/values.py`), and what that calls."""

    kind: int
    call: Callable[..., Any] | None = None
    scale: int = 0
    zone: datetime.tzinfo | None = None

    @property
    def words(self) -> tuple[int, int, int]:
        """The form as the kernel reads it, good for as long as this lives."""
        call = 0 if self.call is None else id(self.call)
        return self.kind, call, self.scale if self.zone is None else id(self.zone)


def form_of(column: StoredColumn) -> Form:
    """Return how the values of a column are made."""
    kind = column.arrow
    if pa.types.is_string(kind):
        return Form(values.TEXT)
    if pa.types.is_binary(kind):
        return Form(values.BYTES)
    if column.is_list:
        return Form(values.BYTES, lambda packed: _list(column, packed))
    if pa.types.is_boolean(kind):
        return Form(values.TRUTH)
    if pa.types.is_floating(kind):
        return Form(values.REAL)
    if pa.types.is_decimal(kind):
        return Form(values.DECIMAL, decimal.Decimal, scale=kind.scale)
    if pa.types.is_date(kind):
        return Form(values.DAY, datetime.date)
    if pa.types.is_timestamp(kind) and kind.unit == "us":
        zone = pa.scalar(0, kind).as_py().tzinfo
        return Form(values.MOMENT, datetime.datetime, zone=zone)
    if pa.types.is_temporal(kind):
        return Form(values.INTEGER, lambda cell: pa.scalar(cell, kind).as_py())
    return Form(values.INTEGER)


def _list(column: StoredColumn, packed: bytes) -> Any:
    return from_storage(column, pa.array([packed], pa.binary()))[0].as_py()
