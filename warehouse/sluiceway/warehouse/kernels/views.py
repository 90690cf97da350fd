"""Groups of pointers that kernels take.

Width of a column: bytes of a fixed value (1, 2, 4, 8, 16), `BITS` for booleans, `VARIABLE` for
offsets32 + bytes. For VARIABLE columns `values` points at the offsets and `data` at the bytes.
A row id is `(segment ordinal << ROW_BITS) | row`.
"""

from collections.abc import Callable
from typing import Any, Final, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

BITS: Final = 0
VARIABLE: Final = -1
ROW_BITS: Final = 20
ROW_MASK: Final = (1 << ROW_BITS) - 1
NEVER: Final = 2**63 - 1

# Makes numba compute in 64 bits with a sign; for mypy the result is a plain int.
as_int = cast(Callable[[Any], int], np.int64)

Int64s = NDArray[np.int64]
UInt64s = NDArray[np.uint64]
Int32s = NDArray[np.int32]
Int8s = NDArray[np.int8]
Bools = NDArray[np.bool_]


class Rows(NamedTuple):
    """Rows of one Arrow batch, one entry a column; `validity` is 0 when nothing is NULL."""

    width: Int64s
    validity: Int64s
    values: Int64s
    data: Int64s
    offset: Int64s


class Columns(NamedTuple):
    """Stored columns, [column, segment]; `row_mask` is 0 where one value stands for all rows.

    `validity` is 0 where a segment has no NULL. Behind the last segment comes one more entry, a row
    of default values.
    """

    width: Int64s
    validity: Int64s
    values: Int64s
    data: Int64s
    row_mask: Int64s


class Versions(NamedTuple):
    """The marks and the `prev` chain of every segment, [segment]; 0 for a dropped one."""

    mark: Int64s
    prev: Int64s


class Slots(NamedTuple):
    """The index directory, [top 8 bits of the hash]: partition address and slot mask."""

    pointer: Int64s
    mask: Int64s
