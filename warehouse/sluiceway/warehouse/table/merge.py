"""Merging a batch into a shard: what happens to each key, with images of before and after.

The outcome is computed in full before anything is applied, so a batch that cannot be applied
changes nothing. Replay skips all this and applies images.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa

from sluiceway.catalog import UserError

from ..kernels import fold as kernels
from ..kernels.views import Bools, Int8s, Int32s, Int64s
from .arrays import to_storage
from .column import HIDDEN_NAME, StoredColumn
from .find import Found
from .layout import TableLayout
from .selection import Selection


@dataclass(frozen=True)
class MergeResult:
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
    """The rows of a batch that won, with what they replace (row ids, -1 = none).

    A row that replaces one of an earlier write of its batch has in `earlier` which of the rows left
    behind that is, others -1; None if no row does.
    """

    rows: Int64s
    kinds: Int8s
    hashes: Int64s
    replaced: Int64s
    fresh: Bools
    earlier: Int64s | None = None

    @cached_property
    def upserts(self) -> Bools:
        """Which rows leave a row behind."""
        return np.not_equal(self.kinds, kernels.DELETE)

    @cached_property
    def only_updates(self) -> bool:
        """Whether every row replaces one that was stored before, row by row."""
        return self.earlier is None and bool((self.kinds == kernels.UPDATE).all())

    @cached_property
    def ends(self) -> Bools:
        """Which rows end another one: updates and deletes."""
        return np.not_equal(self.kinds, kernels.INSERT)

    @cached_property
    def stored_ended(self) -> Int64s:
        """The rows that end and were stored before."""
        ends = self.ends if self.earlier is None else self.ends & (self.earlier < 0)
        ended: Int64s = self.replaced[ends]
        return ended

    def replaced_by(self, rids: Int64s) -> Int64s:
        """Return what each row replaces, given the row ids of those left behind."""
        if self.earlier is None:
            return self.replaced
        return np.where(self.earlier < 0, self.replaced, rids[self.earlier])

    def events(self, writes: Int32s, count: int) -> Int64s:
        """Count the events of the changelog, two an update, by the write of each batch row."""
        of_rows = writes[self.rows]
        updates = of_rows[self.kinds == kernels.UPDATE]
        counts: Int64s = np.bincount(of_rows, minlength=count)
        return counts + np.bincount(updates, minlength=count)


def fold(found: Found, ops: Int8s, conflict: str, writes: Int32s) -> Outcome:
    """Let the rows of a batch, which came with those writes, play out in order."""
    count = len(ops)
    kinds, fresh = np.empty(count, np.int8), np.ones(count, np.bool_)
    earlier = np.full(count, -1, np.int32)
    kernels.fold(
        found.hashes, found.exact, found.rows, ops, writes, found.alive, conflict == "ignore",
        kinds, fresh, earlier,
    )  # fmt: skip
    rows = np.flatnonzero(kinds)
    links = _links(kinds, earlier[rows])
    if len(rows) == count:
        return Outcome(rows, kinds, found.hashes, found.rids, fresh, links)
    return Outcome(rows, kinds[rows], found.hashes[rows], found.rids[rows], fresh[rows], links)


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


def _links(kinds: Int8s, earlier: Int32s) -> Int64s | None:
    """Return which of the rows left behind some rows of the batch are; -1 for -1."""
    if not len(earlier) or int(earlier.max()) < 0:
        return None
    left = np.cumsum((kinds == kernels.INSERT) | (kinds == kernels.UPDATE)) - 1
    return np.where(earlier < 0, -1, left[earlier])


def inserts(count: int) -> Outcome:
    """Return the outcome of a batch for a table without a key: every row is new."""
    nothing = np.full(count, -1, np.int64)
    kinds = np.full(count, kernels.INSERT, np.int8)
    return Outcome(np.arange(count), kinds, nothing, nothing, np.ones(count, np.bool_))


def with_row_ids(batch: pa.RecordBatch, positions: Int32s, first_lsn: int) -> pa.RecordBatch:
    """Return the batch with `_rid`, the LSN of each row's insert."""
    rids = pa.array(first_lsn + 2 * positions.astype(np.int64) + 1)
    names = [*batch.schema.names, HIDDEN_NAME]
    return pa.RecordBatch.from_arrays([*batch.columns, rids], names)


def after_image(
    layout: TableLayout,
    batch: pa.RecordBatch,
    outcome: Outcome,
    keeps_stored: bool,
    stored: Selection,
    ended: Sequence[pa.Array],
) -> list[pa.Array]:
    """Return the rows that the outcome leaves behind, as stored, in the table's full schema.

    Columns that the batch lacks come from the stored row with `keeps_stored`, else the default.
    `stored` has these columns, `ended` all columns of the stored rows that end.
    """
    upserts = outcome.upserts
    rows = outcome.rows[upserts]
    whole = len(rows) == batch.num_rows
    given = {}
    for name, array in zip(batch.schema.names, batch.columns, strict=True):
        column = layout.columns[layout.positions[name]]
        given[name] = to_storage(column, array if whole else array.take(pa.array(rows)))
    missing = [column for column in layout.columns if column.name not in given]
    if missing:
        fresh = outcome.fresh[upserts] if keeps_stored else np.ones(len(rows), np.bool_)
        if fresh.any():
            check_missing(layout, missing)
        if outcome.only_updates and not fresh.any():
            kept = [ended[layout.positions[column.name]] for column in missing]
        else:
            rids = np.where(fresh, stored.default_rid, outcome.replaced[upserts])
            kept = stored.gather(rids, defaults=True).columns
        given |= zip((column.name for column in missing), kept, strict=True)
    return [given[column.name] for column in layout.columns]


def before_image(
    outcome: Outcome, ended: list[pa.Array], after: Sequence[pa.Array]
) -> list[pa.Array]:
    """Return the rows that the outcome replaces, as stored.

    `ended` are those that were stored before; the others are among `after`, the rows left behind.
    """
    if outcome.earlier is None:
        return ended
    earlier = outcome.earlier[outcome.ends]
    of_stored = np.cumsum(earlier < 0) - 1
    order = pa.array(np.where(earlier < 0, of_stored, len(ended[0]) + earlier))
    both = zip(ended, after, strict=True)
    return [pa.concat_arrays([old, new]).take(order) for old, new in both]


def missing_columns(layout: TableLayout, batch: pa.RecordBatch) -> tuple[int, ...]:
    """Return the positions of the columns that a batch lacks."""
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
