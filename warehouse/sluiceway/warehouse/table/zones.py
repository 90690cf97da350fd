"""The least and the greatest value of each zone of a segment, to leave out what cannot match.

A zone is `ZONE_ROWS` rows side by side in one segment. Its bounds are computed when a query first
has a condition on the column, and kept as long as the segment: nothing is stored, writers do
nothing for it.

Invariants: only rows that never change are summed up: those of whole zones that a reader sees, and
the rest of a sealed segment. Bounds cover rows of every LSN, so they are right for each. NaN counts
as greater than every number, as in DuckDB. Rows without bounds are never left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from sluiceway.catalog import Root

from ..condition import Condition, Number
from .column import StoredColumn

if TYPE_CHECKING:
    from .segment import Segment

ZONE_ROWS = 65_536
_INTEGERS = frozenset({Root.TINYINT, Root.SMALLINT, Root.INT, Root.BIGINT})
_TIMES = frozenset({Root.TIMESTAMP, Root.TIMESTAMP_LTZ})


@dataclass(frozen=True)
class Bounds:
    """The least and the greatest value of some rows; None when all of them are NULL."""

    of_values: tuple[Number, Number] | None

    def may_match(self, condition: Condition) -> bool:
        """Tell whether one of the rows may satisfy the condition, which NULL never does."""
        return self.of_values is not None and condition.meets(*self.of_values)


@dataclass(frozen=True)
class Zones:
    """The bounds of the first `rows` rows of a column, zone by zone."""

    bounds: tuple[Bounds, ...] = ()
    rows: int = 0

    def grown(self, segment: Segment, column: StoredColumn, rows: int) -> Zones:
        """Return these zones and those of the rows behind them, up to `rows`."""
        more = [
            bounds_of(segment.array(column, at, min(ZONE_ROWS, rows - at)), column.type.root)
            for at in range(self.rows, rows, ZONE_ROWS)
        ]
        return Zones((*self.bounds, *more), rows)


def has_bounds(column: StoredColumn) -> bool:
    """Tell whether zones have bounds in a column: integers, decimals, doubles, dates and times."""
    root = column.type.root
    if root in _TIMES:
        return (column.type.precision or 0) <= 6
    return root in _INTEGERS or root in (Root.DECIMAL, Root.DOUBLE, Root.DATE)


def bounds_of(values: pa.Array, root: Root) -> Bounds:
    """Return the bounds of some values; times as counts of their unit."""
    if root is Root.DATE:
        values = values.view(pa.int32())
    elif root in _TIMES:
        values = values.view(pa.int64())
    found = pc.min_max(values).as_py()
    low, high = found["min"], found["max"]
    if root is Root.DOUBLE and pc.any(pc.is_nan(values)).as_py():
        low, high = float("-inf"), float("inf")
    return Bounds(None if low is None else (low, high))


def matching(
    segment: Segment, rows: int, wanted: Sequence[tuple[StoredColumn, Condition]]
) -> Iterator[tuple[int, int]]:
    """Yield (first, count) of the rows before `rows` that may satisfy all that is wanted."""
    known = [(segment.zones(column, rows).bounds, condition) for column, condition in wanted]
    first = 0
    for at in range(0, rows, ZONE_ROWS):
        number = at // ZONE_ROWS
        if any(
            number < len(bounds) and not bounds[number].may_match(condition)
            for bounds, condition in known
        ):
            if first < at:
                yield first, at - first
            first = at + ZONE_ROWS
    if first < rows:
        yield first, rows - first
