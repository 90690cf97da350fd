"""One value between Python and the bytes that `kernels/point.py` reads and writes.

Invariant: a decoder gives what pyarrow's `as_py` gives of the same value, to the type.
"""

from __future__ import annotations

import datetime
import decimal
import struct
from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa

from ..kernels.point import KEY_BYTES
from ..kernels.views import BITS, VARIABLE
from .arrays import from_storage
from .column import StoredColumn

# A value as bytes, and whether they are as many as the value likes.
Encode = Callable[[Any], tuple[bytes, bool]]
# A cell and the whole buffer that it lies in.
Decode = Callable[[Any, bytes], Any]

_INTEGERS = {1: "b", 2: "h", 4: "i", 8: "q"}
_EXACTLY = decimal.Context(prec=76)


def integer_format(columns: Sequence[StoredColumn]) -> struct.Struct | None:
    """Return how keys of integers alone are packed, None for other keys."""
    if not all(pa.types.is_integer(column.arrow) for column in columns):
        return None
    pads = [f"{_INTEGERS[c.width]}{KEY_BYTES - c.width}x" for c in columns]
    return struct.Struct("<" + "".join(pads))


def encoder_of(column: StoredColumn) -> Encode:
    """Return what turns a value into the bytes of a key, or raises what pyarrow raises."""

    def encode(value: Any) -> tuple[bytes, bool]:
        buffers = pa.array([value], column.arrow).buffers()
        if column.width == VARIABLE:
            return (buffers[2].to_pybytes() if buffers[2] is not None else b""), True
        return buffers[1].to_pybytes()[: column.width or 1], False

    def encode_text(value: Any) -> tuple[bytes, bool]:
        return (value.encode(), True) if type(value) is str else encode(value)

    return encode_text if pa.types.is_string(column.arrow) else encode


def cell_format(column: StoredColumn) -> str:
    """Return the `struct` format of a column's cell, one value."""
    if column.width == VARIABLE:
        return "Q"
    if pa.types.is_float32(column.arrow):
        return "f4x"
    if pa.types.is_float64(column.arrow):
        return "d"
    if column.width == BITS:
        return "?7x"
    return "16s" if column.width == 16 else "q"


def decoder_of(column: StoredColumn) -> Decode | None:
    """Return what turns a cell into the value, None for a cell that is the value."""
    kind = column.arrow
    if pa.types.is_string(kind):
        return lambda cell, raw: str(_bytes(cell, raw), "utf-8")
    if pa.types.is_binary(kind):
        return _bytes
    if column.is_list:
        return lambda cell, raw: _list(column, _bytes(cell, raw))
    if pa.types.is_decimal(kind):
        return _decimal(kind.scale)
    if pa.types.is_date(kind):
        return lambda cell, _: _DAY_0 + datetime.timedelta(days=cell)
    if pa.types.is_timestamp(kind) and kind.unit == "us":
        epoch = pa.scalar(0, kind).as_py()
        return lambda cell, _: epoch + datetime.timedelta(microseconds=cell)
    if pa.types.is_temporal(kind):
        return lambda cell, _: pa.scalar(cell, kind).as_py()
    return None


_DAY_0 = datetime.date(1970, 1, 1)


def _bytes(cell: int, raw: bytes) -> bytes:
    start = cell & 0xFFFFFFFF
    return raw[start : start + (cell >> 32)]


def _decimal(scale: int) -> Decode:
    def decode(cell: bytes, _: bytes) -> decimal.Decimal:
        unscaled = decimal.Decimal(int.from_bytes(cell, "little", signed=True))
        return unscaled.scaleb(-scale, _EXACTLY)

    return decode


def _list(column: StoredColumn, packed: bytes) -> Any:
    return from_storage(column, pa.array([packed], pa.binary()))[0].as_py()
