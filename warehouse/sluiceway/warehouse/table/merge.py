"""Merging a batch into a shard: what happens to each key, with images of before and after.

The outcome is computed in full before anything is applied, so a batch that cannot be applied
changes nothing. Replay skips all this and applies images.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from sluiceway.catalog import UserError

from ..kernels import fold as kernels
from ..kernels.views import Bools, Int8s, Int32s, Int64s
from .arrays import packed
from .column import HIDDEN_NAME, StoredColumn
from .find import Found
from .layout import TableLayout
from .selection import Selection


class MergeResult(NamedTuple):
    """What a batch did to a shard, row by row of those that won.

    `positions` are the writer's row numbers; `kinds` are 5 (insert), 7 (update), 2 (delete);
    `after` holds the rows of kinds 5 and 7, `before` those of 7 and 2, in the same order.
    """

    positions: Int32s
    kinds: Int8s
    after: pa.RecordBatch
    before: pa.RecordBatch

    @property
    def events(self) -> int:
        """How many events the changelog gets: two an update."""
        return int(self.after.num_rows + self.before.num_rows)


@dataclass(frozen=True)
class Outcome:
    """The rows of a batch that won, with what they replace (row ids, -1 = none), and their kinds.

    `inserts`, `updates` and `deletes` count these. A row that replaces one of an earlier write of
    its batch has in `earlier` which of those left behind that is, others -1; None if no row does.
    """

    rows: Int64s
    kinds: Int8s
    hashes: Int64s
    replaced: Int64s
    fresh: Bools
    _: KW_ONLY
    inserts: int = 0
    updates: int = 0
    deletes: int = 0
    earlier: Int64s | None = None

    @cached_property
    def upserts(self) -> Bools | slice:
        """Which rows leave a row behind."""
        return self.kinds != kernels.DELETE if self.deletes else slice(None)

    @property
    def only_updates(self) -> bool:
        """Whether every row replaces one that was stored before, row by row."""
        return self.earlier is None and not self.inserts and not self.deletes

    @cached_property
    def ends(self) -> Bools | slice:
        """Which rows end another one: updates and deletes."""
        return self.kinds != kernels.INSERT if self.inserts else slice(None)

    @cached_property
    def stored_ended(self) -> Int64s:
        """The rows that end and were stored before."""
        ended: Int64s = self.replaced[self.ends]
        return ended if self.earlier is None else ended[self.earlier[self.ends] < 0]

    def replaced_by(self, rids: Int64s) -> Int64s:
        """Return what each row replaces, given the row ids of those left behind."""
        if self.earlier is None:
            return self.replaced
        return np.where(self.earlier < 0, self.replaced, rids[self.earlier])

    def events(self, writes: Int32s, count: int) -> Int64s:
        """Count the events of the changelog, two an update, by the write of each batch row."""
        if count == 1:
            return np.array([self.inserts + 2 * self.updates + self.deletes])
        events = np.bincount(writes[self.rows], 1 + (self.kinds == kernels.UPDATE), count)
        return events.astype(np.int64)


def fold(found: Found, ops: Int8s, conflict: str, writes: Int32s) -> Outcome:
    """Let the rows of a batch, which came with those writes, play out in order."""
    count = len(ops)
    kinds, fresh = np.empty(count, np.int8), np.empty(count, np.bool_)
    earlier = np.empty(count, np.int32)
    inserts, updates, deletes, linked = kernels.fold(
        found.hashes, found.exact, found.rows, ops, writes, found.alive, conflict == "ignore",
        kinds, fresh, earlier,
    )  # fmt: skip
    if inserts + updates + deletes == count and not linked:
        rows, links = np.arange(count), None
        hashes, rids = found.hashes, found.rids
    else:
        rows = np.flatnonzero(kinds)
        links = _links(kinds, earlier[rows]) if linked else None
        hashes, rids, kinds, fresh = found.hashes[rows], found.rids[rows], kinds[rows], fresh[rows]
    return Outcome(
        rows, kinds, hashes, rids, fresh,
        inserts=inserts, updates=updates, deletes=deletes, earlier=links,
    )  # fmt: skip


def replayed(found: Found, kinds: Int8s) -> Outcome | None:
    """Return the outcome of logged rows, each a write of its own; None if it is not `kinds`."""
    ops = np.where(kinds == kernels.DELETE, kernels.OP_DELETE, kernels.OP_INSERT)
    again = fold(found, ops.astype(np.int8), "update", np.arange(len(kinds), dtype=np.int32))
    return again if np.array_equal(again.kinds, kinds) else None


def interleaved(kinds: Int8s, after: pa.Array, before: pa.Array) -> pa.Array:
    """Return one value a row of an image pair: deleted rows have theirs in `before`."""
    deleted = kinds == kernels.DELETE
    if not deleted.any():
        return after
    where = np.cumsum(~deleted) - 1
    where[deleted] = len(after) + (np.cumsum(kinds != kernels.INSERT) - 1)[deleted]
    return pa.concat_arrays([after, before]).take(pa.array(where))


def _links(kinds: Int8s, earlier: Int32s) -> Int64s:
    """Return which of the rows left behind some rows of the batch are; -1 for -1."""
    left = np.cumsum((kinds == kernels.INSERT) | (kinds == kernels.UPDATE)) - 1
    return np.where(earlier < 0, -1, left[earlier])


def inserts(count: int) -> Outcome:
    """Return the outcome of a batch for a table without a key: every row is new."""
    nothing = np.full(count, -1, np.int64)
    kinds = np.full(count, kernels.INSERT, np.int8)
    fresh = np.ones(count, np.bool_)
    return Outcome(np.arange(count), kinds, nothing, nothing, fresh, inserts=count)


def with_row_ids(batch: pa.RecordBatch, positions: Int32s, first_lsn: int) -> pa.RecordBatch:
    """Return the batch with `_rid`, the LSN of each row's insert."""
    rids = pa.array(first_lsn + 2 * positions.astype(np.int64) + 1)
    return batch.append_column(HIDDEN_NAME, rids)


def after_image(
    layout: TableLayout,
    batch: pa.RecordBatch,
    outcome: Outcome,
    keeps_stored: bool,
    missing: Selection,
    ended: pa.RecordBatch,
) -> pa.RecordBatch:
    """Return the rows that the outcome leaves behind, as stored, in the table's full schema.

    Columns that the batch lacks come from the stored row with `keeps_stored`, else the default.
    `missing` has these columns, `ended` all columns of the stored rows that end.
    """
    rows = outcome.rows[outcome.upserts]
    given = packed(layout, batch if len(rows) == batch.num_rows else batch.take(pa.array(rows)))
    if not missing.columns:
        return given
    fresh = outcome.fresh[outcome.upserts] if keeps_stored else np.ones(len(rows), np.bool_)
    if fresh.any():
        check_missing(layout, missing.columns)
    if outcome.only_updates and not fresh.any():
        kept = ended
    else:
        rids = np.where(fresh, missing.default_rid, outcome.replaced[outcome.upserts])
        kept = missing.gather(rids, defaults=True)
    names = [column.name for column in layout.columns]
    known = set(given.schema.names)
    arrays = [(given if name in known else kept).column(name) for name in names]
    return pa.RecordBatch.from_arrays(arrays, names)


def before_image(outcome: Outcome, ended: pa.RecordBatch, after: pa.RecordBatch) -> pa.RecordBatch:
    """Return the rows that the outcome replaces, as stored.

    `ended` are those that were stored before; the others are among `after`, the rows left behind.
    """
    if outcome.earlier is None:
        return ended
    earlier = outcome.earlier[outcome.ends]
    of_stored = np.cumsum(earlier < 0) - 1
    order = pa.array(np.where(earlier < 0, of_stored, ended.num_rows + earlier))
    both = zip(ended.columns, after.columns, strict=True)
    arrays = [pa.concat_arrays([old, new]).take(order) for old, new in both]
    return pa.RecordBatch.from_arrays(arrays, schema=ended.schema)


def missing_columns(layout: TableLayout, batch: pa.RecordBatch) -> tuple[int, ...]:
    """Return the positions of the columns that a batch lacks."""
    if batch.num_columns == len(layout.columns):
        return ()
    names = set(batch.schema.names)
    return tuple(at for at, column in enumerate(layout.columns) if column.name not in names)


def check_missing(layout: TableLayout, missing: Sequence[StoredColumn]) -> None:
    """Refuse to insert rows without columns that may not be NULL."""
    for column in missing:
        if not column.nullable and not column.default.is_valid:
            raise UserError(
                f"column {column.name!r} of {layout.table.path} is NOT NULL without a default and "
                "missing in the write, which would insert a row: write the column too",
                sqlstate="23502",
            )
