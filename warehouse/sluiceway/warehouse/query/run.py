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
from sluiceway.warehouse.query.plan import Plan, Plans, Read, make_plan
from sluiceway.warehouse.query.sources import Rows, Sources, looked_up, scanned
from sluiceway.warehouse.query.statement import Edit, Statement, at_moments, parse

BATCH_ROWS = 32_768
_ENGINES = Engines()
_PLANS = Plans()


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
        """Return RecordBatch[columns…] or RecordBatch[columns…, marks: int64] of all shards.

        Without marks all rows show. Rows that do not satisfy all conditions may be left out.
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


# By LSN; None is that of the query.
Cuts = Mapping[int | None, SnapshotView]


def run_sql(
    snapshot: SnapshotView,
    sql: str,
    database: str | None = None,
    history: History | None = None,
) -> pa.RecordBatchReader:
    """Run one SELECT, WITH, VALUES, SHOW or DESCRIBE; `t` alone means a table of `database`.

    Tables without an AS OF clause are read from `snapshot`, those with one from `history`.
    """
    known = _PLANS.find(sql, database)
    answer = None if known else commands.answer(snapshot.catalog, sql, database)
    if answer is None:
        plan, cuts = _planned(known, snapshot, sql, database, history)
        answer = _direct(plan, cuts)
        if answer is None:
            return _computed(plan, cuts)
    return answer.to_reader()


def _planned(
    known: Plan | None,
    snapshot: SnapshotView,
    sql: str,
    database: str | None,
    history: History | None,
) -> tuple[Plan, Cuts]:
    """Return the plan of a query, with the snapshots that it reads by LSN; None is the query's.

    `known` is one that was made for the same query in this catalog or an earlier one.
    """
    if known is not None and known.catalog is snapshot.catalog:
        return known, {None: snapshot}
    try:
        with _ENGINES.borrowed() as connection:
            statement = known.statement if known else parse(connection, sql)
            if statement.clauses:
                statement = at_moments(connection, statement)
    except duckdb.Error as error:
        raise failure(error, ()) from error
    cuts = _cuts(snapshot, statement, history)
    plan = make_plan(cuts, statement, database)
    # What an AS OF clause means is asked anew each time.
    if not statement.clauses:
        _PLANS.keep(sql, database, plan)
    return plan, {None: snapshot} | {cut.lsn: cut for moment, cut in cuts.items() if moment}


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


def _direct(plan: Plan, cuts: Cuts) -> pa.Table | None:
    """Return the answer of a count, or of columns of the row of one key; None for all others."""
    if plan.counts:
        [read] = plan.reads
        return direct.counted(cuts[read.bound.lsn].count(read.bound.table))
    if plan.key is None or plan.selected is None:
        return None
    [read] = plan.reads
    found = cuts[read.bound.lsn].lookup(read.bound.table, plan.key, read.columns)
    return pa.Table.from_batches([direct.answer(plan.selected, read.columns, found)])


def _computed(plan: Plan, cuts: Cuts) -> pa.RecordBatchReader:
    """Return the answer as DuckDB computes it."""
    sources = Sources(_ENGINES.take())
    try:
        edits: list[Edit] = []
        for read in plan.reads:
            rows = _rows(cuts[read.bound.lsn], plan.key, read)
            edits += sources.read(plan.statement, read.bound, read.names, rows)
        text = plan.statement.edited(edits)
        reader = sources.connection.sql(text).to_arrow_reader(BATCH_ROWS)
    except (duckdb.Error, pa.ArrowException) as error:
        _recycle(sources)
        raise failure(error, plan.column_names) from error
    except BaseException:
        _recycle(sources)
        raise
    batches = _batches(reader, sources, plan.column_names)
    return pa.RecordBatchReader.from_batches(reader.schema, batches)


def _rows(snapshot: SnapshotView, key: pa.RecordBatch | None, read: Read) -> list[Rows]:
    table = read.bound.table
    if key is not None:
        return looked_up(read.columns, snapshot.lookup(table, key, read.columns))
    batches = snapshot.batches(table, read.columns, read.conditions)
    return scanned(table, read.columns, batches, snapshot.lsn)


def _batches(
    reader: pa.RecordBatchReader, sources: Sources, names: frozenset[str]
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
            _recycle(sources)
        else:
            sources.connection.close()


def _recycle(sources: Sources) -> None:
    """Make the instance what it was and give it back; one that cannot be cleaned is closed."""
    try:
        sources.clear()
    except duckdb.Error:
        sources.connection.close()
    else:
        _ENGINES.give(sources.connection)
