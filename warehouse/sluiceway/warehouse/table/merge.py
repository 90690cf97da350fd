"""Merging a batch into a shard: what happens to each key, with images of before and after.

The outcome is computed in full before anything is applied, so a batch that cannot be applied
changes nothing. Replay skips all this and applies images.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from sluiceway.catalog import UserError

from ..kernels import fold as kernels
from ..kernels.views import Bools, Int8s, Int32s, Int64s
from .arrays import to_storage
from .find import Found
from .layout import HIDDEN_NAME, StoredColumn, TableLayout
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
    events: int


@dataclass(frozen=True)
class Outcome:
    """The rows of a batch that won, with what they replace (row ids, -1 = none)."""

    rows: Int64s
    kinds: Int8s
    hashes: Int64s
    replaced: Int64s
    fresh: Bools

    @property
    def upserts(self) -> Bools:
        """Which rows leave a row behind."""
        return np.not_equal(self.kinds, kernels.DELETE)

    @property
    def ended(self) -> Int64s:
        """The stored rows that end: those of updates and deletes."""
        ended: Int64s = self.replaced[self.kinds != kernels.INSERT]
        return ended

    @property
    def events(self) -> int:
        """How many events the changelog gets: two an update."""
        return len(self.kinds) + int(np.count_nonzero(self.kinds == kernels.UPDATE))


def fold(found: Found, ops: Int8s, conflict: str) -> Outcome:
    """Let the rows of a batch play out in order."""
    count = len(ops)
    kinds, fresh = np.empty(count, np.int8), np.ones(count, np.bool_)
    ignore = conflict == "ignore"
    kernels.fold(found.hashes, found.exact, found.rows, ops, found.alive, ignore, kinds, fresh)
    rows = np.flatnonzero(kinds)
    if len(rows) == count:
        return Outcome(rows, kinds, found.hashes, found.rids, fresh)
    return Outcome(rows, kinds[rows], found.hashes[rows], found.rids[rows], fresh[rows])


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
) -> list[pa.Array]:
    """Return the rows that the outcome leaves behind, as stored, in the table's full schema.

    Columns that the batch lacks come from the stored row with `keeps_stored`, else the default.
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
        rids = np.where(fresh, stored.default_rid, outcome.replaced[upserts])
        kept = stored.gather(rids, defaults=True)
        given |= zip(kept.schema.names, kept.columns, strict=True)
    return _ordered(layout, given)


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


def _ordered(layout: TableLayout, given: Mapping[str, pa.Array]) -> list[pa.Array]:
    return [given[column.name] for column in layout.columns]
