"""Column types: Flink's names for them, their Arrow form, and how they are stored.

    BOOLEAN bool          TINYINT int8     SMALLINT int16    INT int32    BIGINT int64
    FLOAT float32         DOUBLE float64   DECIMAL(p, s) decimal128(p, s)
    CHAR, VARCHAR utf8    BINARY, VARBINARY binary
    DATE date32           TIME(p) time32[ms]
    TIMESTAMP(p)          timestamp[us], above precision 6 timestamp[ns]
    TIMESTAMP_LTZ(p)      the same with zone UTC
    ARRAY<T>              list<item: T>, T any of the above

Invariants: a DataType is a value; nullability belongs to the column, never to the type;
`parse_type(t.sql()) == t`. TIME keeps milliseconds whatever its precision, as Flink's own runtime
does.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import cached_property

import pyarrow as pa

from sluiceway.catalog.errors import UserError

MAX_LENGTH = 2_147_483_647
MAX_DECIMAL = 38
MAX_TIME = 9


class Root(Enum):
    """The kinds of type; the value is the SQL keyword."""

    BOOLEAN = "BOOLEAN"
    TINYINT = "TINYINT"
    SMALLINT = "SMALLINT"
    INT = "INT"
    BIGINT = "BIGINT"
    FLOAT = "FLOAT"
    DOUBLE = "DOUBLE"
    DECIMAL = "DECIMAL"
    CHAR = "CHAR"
    VARCHAR = "VARCHAR"
    BINARY = "BINARY"
    VARBINARY = "VARBINARY"
    DATE = "DATE"
    TIME = "TIME"
    TIMESTAMP = "TIMESTAMP"
    TIMESTAMP_LTZ = "TIMESTAMP_LTZ"
    ARRAY = "ARRAY"


LENGTH_ROOTS = frozenset({Root.CHAR, Root.VARCHAR, Root.BINARY, Root.VARBINARY})
TIME_ROOTS = frozenset({Root.TIME, Root.TIMESTAMP, Root.TIMESTAMP_LTZ})
TEXT_ROOTS = frozenset({Root.CHAR, Root.VARCHAR})

_PLAIN: dict[Root, tuple[pa.DataType, int]] = {
    Root.BOOLEAN: (pa.bool_(), 1),
    Root.TINYINT: (pa.int8(), 8),
    Root.SMALLINT: (pa.int16(), 16),
    Root.INT: (pa.int32(), 32),
    Root.BIGINT: (pa.int64(), 64),
    Root.FLOAT: (pa.float32(), 32),
    Root.DOUBLE: (pa.float64(), 64),
    Root.DATE: (pa.date32(), 32),
    Root.TIME: (pa.time32("ms"), 32),
}


@dataclass(frozen=True)
class DataType:
    """A column's type; make one with `parse_type` or `from_arrow`.

    `length` is set for CHAR, VARCHAR, BINARY and VARBINARY, `precision` for DECIMAL and the times,
    `scale` for DECIMAL, `element` for ARRAY; the others are None.
    """

    root: Root
    length: int | None = None
    precision: int | None = None
    scale: int | None = None
    element: DataType | None = None

    def __post_init__(self) -> None:
        _check(self)

    def sql(self) -> str:
        """Return the canonical text, which Flink parses to the same type."""
        name = self.root.value
        if self.element is not None:
            return f"ARRAY<{self.element.sql()}>"
        if self.root is Root.DECIMAL:
            return f"DECIMAL({self.precision}, {self.scale})"
        if self.root is Root.VARBINARY and self.length == MAX_LENGTH:
            return "BYTES"
        if self.length is not None:
            return f"{name}({self.length})"
        return name if self.precision is None else f"{name}({self.precision})"

    def __str__(self) -> str:
        return self.sql().replace(f"VARCHAR({MAX_LENGTH})", "STRING")

    def arrow(self) -> pa.DataType:
        """Return the Arrow type that carries this type on the wire and in memory."""
        return self._arrow

    @cached_property
    def _arrow(self) -> pa.DataType:
        if self.element is not None:
            return pa.list_(pa.field("item", self.element.arrow()))
        if self.root in _PLAIN:
            return _PLAIN[self.root][0]
        if self.root is Root.DECIMAL:
            return pa.decimal128(self.precision, self.scale)
        if self.root in (Root.TIMESTAMP, Root.TIMESTAMP_LTZ):
            zone = "UTC" if self.root is Root.TIMESTAMP_LTZ else None
            return pa.timestamp("us" if (self.precision or 0) <= 6 else "ns", tz=zone)
        return pa.utf8() if self.root in TEXT_ROOTS else pa.binary()

    @property
    def fixed_bits(self) -> int | None:
        """Return the width of one value in bits, or None for variable ones."""
        if self.is_variable:
            return None
        if self.root in _PLAIN:
            return _PLAIN[self.root][1]
        return 128 if self.root is Root.DECIMAL else 64

    @property
    def is_variable(self) -> bool:
        """Tell whether values differ in size: text, bytes and arrays."""
        return self.root in LENGTH_ROOTS or self.root is Root.ARRAY

    @property
    def can_be_key(self) -> bool:
        """Tell whether equality is exact, as a key needs it: not FLOAT, DOUBLE or ARRAY."""
        return self.root not in (Root.FLOAT, Root.DOUBLE, Root.ARRAY)


def _check(kind: DataType) -> None:
    if (kind.length is not None) is not (kind.root in LENGTH_ROOTS):
        raise TypeError(f"{kind.root} with length {kind.length}")
    if kind.length is not None:
        _in_range(kind.root.value, "length", kind.length, 1, MAX_LENGTH)
    if kind.root is Root.DECIMAL:
        precision = _in_range("DECIMAL", "precision", kind.precision, 1, MAX_DECIMAL)
        _in_range("DECIMAL", "scale", kind.scale, 0, precision)
    if kind.root in TIME_ROOTS:
        _in_range(kind.root.value, "precision", kind.precision, 0, MAX_TIME)
    if kind.element is not None and kind.element.root is Root.ARRAY:
        raise UserError(
            f"ARRAY<{kind.element}> is not supported: an element is a scalar type.",
            sqlstate="0A000",
        )


def _in_range(name: str, what: str, value: int | None, low: int, high: int) -> int:
    if value is None:
        raise TypeError(f"{name} without {what}")
    if not low <= value <= high:
        raise UserError(f"{name} has {what} {value}: it is {low} to {high}.", sqlstate="42611")
    return value


BOOLEAN = DataType(Root.BOOLEAN)
TINYINT = DataType(Root.TINYINT)
SMALLINT = DataType(Root.SMALLINT)
INT = DataType(Root.INT)
BIGINT = DataType(Root.BIGINT)
FLOAT = DataType(Root.FLOAT)
DOUBLE = DataType(Root.DOUBLE)
STRING = DataType(Root.VARCHAR, length=MAX_LENGTH)
BYTES = DataType(Root.VARBINARY, length=MAX_LENGTH)
DATE = DataType(Root.DATE)

_UNIT_PRECISION = {"s": 0, "ms": 3, "us": 6, "ns": 9}


def from_arrow(arrow: pa.DataType) -> DataType:
    """Return the type whose values `arrow` holds; unsigned integers widen to signed ones."""
    if pa.types.is_dictionary(arrow):
        return from_arrow(arrow.value_type)
    if arrow in _FROM_PLAIN:
        return _FROM_PLAIN[arrow]
    if pa.types.is_decimal128(arrow):
        return DataType(Root.DECIMAL, precision=arrow.precision, scale=arrow.scale)
    if pa.types.is_timestamp(arrow):
        root = Root.TIMESTAMP if arrow.tz is None else Root.TIMESTAMP_LTZ
        return DataType(root, precision=_UNIT_PRECISION[arrow.unit])
    if pa.types.is_time(arrow):
        return DataType(Root.TIME, precision=_UNIT_PRECISION[arrow.unit])
    if pa.types.is_fixed_size_binary(arrow):
        return DataType(Root.BINARY, length=arrow.byte_width)
    if pa.types.is_list(arrow) or pa.types.is_large_list(arrow):
        return DataType(Root.ARRAY, element=from_arrow(arrow.value_type))
    raise UserError(f"Arrow type {arrow} has no SQL type here: cast it first.", sqlstate="0A000")


_FROM_PLAIN: dict[pa.DataType, DataType] = {
    pa.bool_(): BOOLEAN,
    pa.int8(): TINYINT,
    pa.int16(): SMALLINT,
    pa.int32(): INT,
    pa.int64(): BIGINT,
    pa.uint8(): SMALLINT,
    pa.uint16(): INT,
    pa.uint32(): BIGINT,
    pa.uint64(): DataType(Root.DECIMAL, precision=20, scale=0),
    pa.float32(): FLOAT,
    pa.float64(): DOUBLE,
    pa.utf8(): STRING,
    pa.large_utf8(): STRING,
    pa.binary(): BYTES,
    pa.large_binary(): BYTES,
    pa.date32(): DATE,
    pa.date64(): DATE,
}
