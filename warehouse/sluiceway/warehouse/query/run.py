"""run_sql: one query over one snapshot, streamed as it is computed.

Invariants: every table is read at the snapshot's LSN, or at that of its own AS OF clause; names,
key values and the kind of statement are checked before any row is touched; whatever fails, before
or while rows stream, is a SluicewayError; the DuckDB instance goes back to the pool only after the
last batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

import duckdb
import pyarrow as pa

from sluiceway.catalog import Catalog, Table, UserError
from sluiceway.warehouse.condition import Condition
from sluiceway.warehouse.query import commands, direct
from sluiceway.warehouse.query.engine import Engines
from sluiceway.warehouse.query.failures import failure
from sluiceway.warehouse.query.moments import Moment
from sluiceway.warehouse.query.names import Bound, bind
from sluiceway.warehouse.query.point import pinned_key
from sluiceway.warehouse.query.ranges import conditions
from sluiceway.warehouse.query.statement import Statement, parse
from sluiceway.warehouse.query.views import Rows, Views, looked_up, needed_columns, scanned

BATCH_ROWS = 32_768
_ENGINES = Engines()


class SnapshotView(Protocol):
    """What a query needs of a snapshot."""

    @property
    def lsn(self) -> int:
        """The LSN that the snapshot shows."""

    @property
    def catalog(self) -> Catalog:
        """The catalog at that LSN."""

    def batches(
        self, table: Table, columns: Sequence[str] | None, conditions: Sequence[Condition] = ()
    ) -> list[pa.RecordBatch]:
        """Return RecordBatch[columns…, _mark: int64] of all shards.

        Rows that do not satisfy all conditions may be left out.
        """

    def count(self, table: Table) -> int:
        """Return how many rows the table has."""

    def lookup(
        self, table: Table, keys: pa.RecordBatch, columns: Sequence[str] | None
    ) -> pa.RecordBatch:
        """Return RecordBatch[_pos: int32, columns…] of the keys that exist."""


class History(Protocol):
    """What a query with AS OF needs of a warehouse."""

    def snapshot(self, lsn: int | None = None, *, time_us: int | None = None) -> SnapshotView:
        """Return the snapshot at an LSN or a time; GoneError if it is no longer kept."""


def run_sql(
    snapshot: SnapshotView,
    sql: str,
    database: str | None = None,
    history: History | None = None,
) -> pa.RecordBatchReader:
    """Run one SELECT, WITH, VALUES, SHOW or DESCRIBE; `t` alone means a table of `database`.

    Tables without an AS OF clause are read from `snapshot`, those with one from `history`.
    """
    answer = commands.answer(snapshot.catalog, sql, database)
    if answer is not None:
        return answer.to_reader()
    views, names = Views(_ENGINES.take()), set[str]()
    try:
        statement = parse(views.connection, sql)
        cuts = _cuts(snapshot, statement, history)
        bounds, edits = bind(cuts, statement, database)
        names.update(name for bound in bounds for name in bound.table.column_names)
        by_lsn = {cut.lsn: cut for cut in cuts.values()}
        answer = _direct(by_lsn, statement, bounds)
        if answer is not None:
            _recycle(views)
            return answer.to_reader()
        for bound in bounds:
            views.show(bound, _rows(by_lsn[bound.lsn], statement, bound))
        reader = views.connection.sql(statement.edited(edits)).to_arrow_reader(BATCH_ROWS)
    except (duckdb.Error, pa.ArrowException) as error:
        _recycle(views)
        raise failure(error, names) from error
    except BaseException:
        _recycle(views)
        raise
    return pa.RecordBatchReader.from_batches(reader.schema, _batches(reader, views, names))


def _cuts(
    snapshot: SnapshotView, statement: Statement, history: History | None
) -> dict[Moment | None, SnapshotView]:
    """Return the snapshot of each moment that the statement names, and of None."""
    moments = {name.moment for name in statement.tables if name.moment is not None}
    if not moments:
        return {None: snapshot}
    if history is None:
        raise UserError("AS OF is not offered here: ask a store.", sqlstate="0A000")
    found: dict[Moment | None, SnapshotView] = {None: snapshot}
    for moment in moments:
        found[moment] = history.snapshot(moment.lsn, time_us=moment.time_us)
    return found


def _direct(
    cuts: Mapping[int, SnapshotView], statement: Statement, bounds: Sequence[Bound]
) -> pa.Table | None:
    """Return the answer of a count, or of columns of the row of one key; None for all others."""
    if len(bounds) != 1:
        return None
    table = bounds[0].table
    if direct.counts_rows(statement):
        return direct.counted(cuts[bounds[0].lsn].count(table))
    key = pinned_key(statement, table)
    columns = None if key is None else direct.selected(statement, table)
    if key is None or columns is None:
        return None
    snapshot = cuts[bounds[0].lsn]
    found = snapshot.lookup(table, key, needed_columns(table, statement.columns))
    return pa.Table.from_batches([direct.answer(columns, found)])


def _rows(snapshot: SnapshotView, statement: Statement, bound: Bound) -> Rows:
    table = bound.table
    columns = needed_columns(table, statement.columns)
    key = pinned_key(statement, table)
    if key is not None:
        return looked_up(columns, snapshot.lookup(table, key, columns))
    batches = snapshot.batches(table, columns, conditions(statement, bound))
    return scanned(table, columns, batches, snapshot.lsn)


def _batches(
    reader: pa.RecordBatchReader, views: Views, names: set[str]
) -> Iterator[pa.RecordBatch]:
    """Yield the result; the instance of one that was left half read is closed, not used again."""
    ended = False
    try:
        yield from reader
        ended = True
    except (duckdb.Error, pa.ArrowException, OSError) as error:
        raise failure(error, names) from error
    finally:
        if ended:
            _recycle(views)
        else:
            views.connection.close()


def _recycle(views: Views) -> None:
    """Make the instance what it was and give it back; one that cannot be cleaned is closed."""
    try:
        views.hide()
    except duckdb.Error:
        views.connection.close()
    else:
        _ENGINES.give(views.connection)
