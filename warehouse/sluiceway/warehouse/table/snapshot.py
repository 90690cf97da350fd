"""Reading a shard at an LSN: scans, zero-copy batches, look-ups. Any thread, no lock.

Every function takes a State that was fetched after the LSN was published.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from sluiceway.catalog import GoneError, UserError

from ..condition import Condition
from ..kernels.marks import count_visible, visible_rows
from ..kernels.views import NEVER, ROW_BITS, ROW_MASK, Int64s
from .arrays import from_storage
from .column import StoredColumn
from .find import Finder
from .layout import TableLayout
from .segment import Segment
from .selection import Selection
from .state import State
from .zones import matching

# As no column of a user is called.
_MARK = pa.field("_mark ", pa.int64(), nullable=False)


def scan(
    state: State,
    layout: TableLayout,
    lsn: int,
    names: Sequence[str] | None,
    start: int,
    batch_rows: int,
) -> Iterator[tuple[pa.RecordBatch, int]]:
    """Yield visible rows in birth order, with where to resume.

    A batch has at most `batch_rows` rows, and no more than one of them if they are large.
    """
    return _scan(state, layout, lsn, layout.select(names), start, batch_rows)


def _scan(
    state: State,
    layout: TableLayout,
    lsn: int,
    positions: tuple[int, ...],
    start: int,
    batch_rows: int,
) -> Iterator[tuple[pa.RecordBatch, int]]:
    rids = np.empty(max(batch_rows, 1), np.int64)
    filled = 0
    for segment in state.segments:
        end = segment.side.rows(lsn)
        row = max(start - segment.first_ordinal, 0)
        while row < end:
            base = segment.ordinal << ROW_BITS
            filled += visible_rows(segment.side.marks, row, end, lsn, base, rids[filled:])
            row = end
            if filled == len(rids):
                row = int(rids[-1] & ROW_MASK) + 1
                yield from _batches(state, layout, positions, rids)
                filled = 0
    if filled:
        yield from _batches(state, layout, positions, rids[:filled])


def ended(
    state: State,
    layout: TableLayout,
    lsn: int,
    names: Sequence[str],
    numbers: range,
    batch_rows: int,
) -> Iterator[tuple[int, list[pa.Array]]]:
    """Yield the rows that ended at `lsn`, those with the last `numbers` in birth order.

    Rows that the same commit wrote and replaced are none of them.
    """
    mark = NEVER - lsn
    marks = [segment.side.mark_words[: segment.side.rows(lsn - 1)] for segment in state.segments]
    counts = [int(np.count_nonzero(words == mark)) for words in marks]
    if sum(counts) != numbers.stop:
        raise GoneError(
            f"the rows of {layout.table.path} that ended at LSN {lsn} are no longer kept: start "
            "behind it, or read a snapshot first"
        )
    selection = state.select(layout, layout.select(names))
    skip = numbers.start
    for segment, words, count in zip(state.segments, marks, counts, strict=True):
        if skip < count:
            rids = (segment.ordinal << ROW_BITS) + np.flatnonzero(words == mark)
            for some in _cut(selection, rids[skip:], batch_rows):
                yield len(some), selection.gather_users(some).columns if names else []
        skip = max(skip - count, 0)


def batches(
    state: State,
    layout: TableLayout,
    lsn: int,
    names: Sequence[str] | None,
    conditions: Sequence[Condition] = (),
) -> list[pa.RecordBatch]:
    """Return the columns of the rows born at or before `lsn`, segment by segment.

    Where some have ended, `_mark` is the last column: the others are visible. Zones in which no row
    satisfies all conditions are left out.
    """
    positions = layout.select(names)
    schema = layout.schema_of(positions)
    marked = schema.append(_MARK)
    wanted = [(layout.columns[layout.positions[each.column]], each) for each in conditions]
    found = []
    for segment in state.segments:
        ended = segment.side.has_ended()
        marks = pa.py_buffer(segment.side.mark_words)
        for first, count in matching(segment, segment.side.rows(lsn), wanted):
            columns = _slice(segment, layout, positions, first, count)
            if ended:
                columns.append(
                    pa.Array.from_buffers(pa.int64(), count, [None, marks], offset=first)
                )
            found.append(pa.RecordBatch.from_arrays(columns, schema=marked if ended else schema))
    return found


def count(state: State, lsn: int) -> int:
    """Count the rows that are visible at `lsn`."""
    return sum(_count(segment, lsn) for segment in state.segments)


def _count(segment: Segment, lsn: int) -> int:
    rows = segment.side.rows(lsn)
    return count_visible(segment.side.marks, rows, lsn) if segment.side.has_ended() else rows


def has_null(state: State, column: StoredColumn, lsn: int) -> bool:
    """Tell whether a row that is visible at `lsn` is NULL in a column."""
    for segment in state.segments:
        rows = segment.side.rows(lsn)
        visible = segment.side.mark_words[:rows] < NEVER - lsn
        if (visible & segment.nulls(column, rows)).any():
            return True
    return False


def lookup(
    state: State,
    layout: TableLayout,
    newest: TableLayout,
    keys: pa.RecordBatch,
    lsn: int,
    names: Sequence[str] | None,
) -> pa.RecordBatch | None:
    """Return `RecordBatch[_pos: int32, …]` of the keys that exist; None if `state` is too old.

    Keys are compared in the types of the `newest` layout, in which every segment can be read.
    """
    finder = state.finders.get(newest.table.schema_version)
    if finder is None or finder.layout is not newest:
        finder = state.finders[newest.table.schema_version] = Finder(state, newest)
    found = finder.find(_keys(layout, newest, keys), lsn)
    if found is None:
        return None
    return state.select(layout, layout.select(names)).gather_found(*found)


def _keys(layout: TableLayout, newest: TableLayout, keys: pa.RecordBatch) -> list[pa.Array]:
    wanted = layout.table.primary_key
    names = tuple(keys.schema.names)
    if not wanted or (names != wanted and set(names) != set(wanted)):
        raise UserError(
            f"a look-up in {layout.table.path} needs the columns of its primary key "
            f"({', '.join(wanted) or 'it has none'}), not ({', '.join(names)})",
            sqlstate="42P10",
        )
    arrays = keys.columns if names == wanted else [keys.column(name) for name in wanted]
    try:
        return [_cast(array, kind) for array, kind in zip(arrays, newest.key_types, strict=True)]
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise UserError(
            f"the keys of a look-up in {layout.table.path} have the wrong type: {error}",
            sqlstate="42804",
        ) from error


def _cast(array: pa.Array, kind: pa.DataType) -> pa.Array:
    return array if array.type.equals(kind) else array.cast(kind)


def _cut(selection: Selection, rids: Int64s, batch_rows: int) -> Iterator[Int64s]:
    """Yield the rows, some at a time: no more than a batch should have."""
    while len(rids):
        some = rids[:batch_rows]
        some = some[: selection.fitting(some)]
        yield some
        rids = rids[len(some) :]


def _batches(
    state: State, layout: TableLayout, positions: tuple[int, ...], rids: Int64s
) -> Iterator[tuple[pa.RecordBatch, int]]:
    """Yield some rows, and where to resume behind each batch."""
    for some in _cut(state.select(layout, positions), rids, len(rids)):
        last = int(some[-1])
        behind = state.segments[last >> ROW_BITS].first_ordinal + (last & ROW_MASK) + 1
        yield _batch(state, layout, positions, some), behind


def _batch(
    state: State, layout: TableLayout, positions: tuple[int, ...], rids: Int64s
) -> pa.RecordBatch:
    """Return some rows, without copying when they stand side by side."""
    first, last = int(rids[0]), int(rids[-1])
    if last - first + 1 == len(rids) and first >> ROW_BITS == last >> ROW_BITS:
        segment = state.segments[first >> ROW_BITS]
        arrays = _slice(segment, layout, positions, first & ROW_MASK, len(rids))
        return pa.RecordBatch.from_arrays(arrays, schema=layout.schema_of(positions))
    return state.select(layout, positions).gather_users(rids)


def _slice(
    segment: Segment, layout: TableLayout, positions: Sequence[int], first: int, count: int
) -> list[pa.Array]:
    columns = [layout.columns[at] for at in positions]
    return [from_storage(c, segment.array(c, first, count)) for c in columns]
