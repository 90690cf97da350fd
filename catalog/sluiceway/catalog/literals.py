"""Default values: their text in a column's definition, and the Arrow scalar that it means.

Invariants: a text that passes is exactly representable in the column's type (a DECIMAL is not
rounded, a text is not cut); a TIMESTAMP_LTZ without an offset is UTC; a None text is NULL.
"""

from __future__ import annotations

import datetime
import re
from typing import TypeVar

import pyarrow as pa

from sluiceway.catalog.errors import UserError
from sluiceway.catalog.types import TEXT_ROOTS, DataType, Root

_Sized = TypeVar("_Sized", str, bytes)
_OFFSET = re.compile(r"(?:Z|[+-]\d{2}(?::?\d{2})?)\s*$", re.IGNORECASE)


def scalar(text: str | None, kind: DataType) -> pa.Scalar:
    """Return the value that `text` means in `kind`; UserError 22P02 when it means none."""
    if text is None:
        return pa.scalar(None, kind.arrow())
    if kind.root in (Root.BINARY, Root.VARBINARY):
        return pa.scalar(_fitted(text.encode(), text, kind), kind.arrow())
    if kind.root in TEXT_ROOTS:
        return pa.scalar(_fitted(text, text, kind), kind.arrow())
    if kind.root is Root.ARRAY:
        raise UserError(f"{kind} takes no default but NULL, not {text!r}.", sqlstate="0A000")
    try:
        return _parse(text.strip(), kind)
    except (pa.ArrowInvalid, ValueError, OverflowError) as error:
        raise UserError(f"Default {text!r} is no value of {kind}.", sqlstate="22P02") from error


def _parse(text: str, kind: DataType) -> pa.Scalar:
    if kind.root is Root.TIME:
        time = datetime.time.fromisoformat(text)
        if time.tzinfo is not None or time.microsecond % 1000:
            raise ValueError("TIME has milliseconds and no zone")
        return pa.scalar(time, kind.arrow())
    if kind.root is Root.TIMESTAMP_LTZ and not _OFFSET.search(text[10:]):
        text += "Z"
    return pa.array([text]).cast(kind.arrow())[0]


def _fitted(value: _Sized, text: str, kind: DataType) -> _Sized:
    if kind.length is not None and len(value) > kind.length:
        raise UserError(f"Default {text!r} is longer than {kind}.", sqlstate="22001")
    return value
