"""The tables that a query names, as subqueries over Arrow data.

Invariants: a subquery gives exactly the rows visible at the snapshot's LSN and never their marks;
DuckDB gets a `pa.Table` (a batch or a few a segment), whose rows it knows the number of; a name
that cannot be replaced by a subquery unseen becomes a view; what was made, `clear` removes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import duckdb
import pyarrow as pa

from sluiceway.catalog import Table
from sluiceway.warehouse.query.names import Bound, quoted
from sluiceway.warehouse.query.statement import Edit, Statement, TableName

NEVER = 2**63 - 1


@dataclass(frozen=True)
class Rows:
    """Arrow data, the columns of it that show, and the LSN if rows must be chosen by their mark.

    Marks are the last column, under a name that no other has.
    """

    data: pa.Table
    columns: tuple[str, ...]
    lsn: int | None


@dataclass
class Sources:
    """The tables of one query in one DuckDB instance."""

    connection: duckdb.DuckDBPyConnection
    _relations: list[duckdb.DuckDBPyRelation] = field(default_factory=list)
    _views: dict[str, int | None] = field(default_factory=dict)  # each with its LSN
    _schemas: list[str] = field(default_factory=list)

    def read(
        self, statement: Statement, bound: Bound, names: Sequence[TableName], rows: Sequence[Rows]
    ) -> Iterator[Edit]:
        """Make `rows` what the names mean; yield the edits of the query that this takes."""
        subquery = " UNION ALL ".join(map(self._subquery, rows))
        view = f"{quoted(bound.schema)}.{quoted(bound.name)}".casefold()
        for name in names:
            # A view shows one LSN; the table at another one has to be a subquery.
            if name.movable or self._views.get(view, bound.lsn) != bound.lsn:
                yield statement.replaced(name, subquery)
            elif view not in self._views:
                self._make_view(bound, view, subquery)

    def clear(self) -> None:
        """Make the instance what it was."""
        for view in self._views:
            self.connection.execute(f"DROP VIEW {view}")
        for schema in self._schemas:
            self.connection.execute(f"DROP SCHEMA {quoted(schema)}")
        self._relations.clear()

    def _subquery(self, rows: Rows) -> str:
        relation = self.connection.from_arrow(rows.data)
        self._relations.append(relation)
        chosen = ", ".join(map(quoted, rows.columns))
        visible = ""
        if rows.lsn is not None:
            visible = f" WHERE {quoted(rows.data.schema.names[-1])} < {NEVER - rows.lsn}"
        return f"SELECT {chosen} FROM ({relation.sql_query()}){visible}"

    def _make_view(self, bound: Bound, view: str, subquery: str) -> None:
        if bound.schema != "main" and bound.schema not in self._schemas:
            self.connection.execute(f"CREATE SCHEMA {quoted(bound.schema)}")
            self._schemas.append(bound.schema)
        self.connection.execute(f"CREATE VIEW {view} AS {subquery}")
        self._views[view] = bound.lsn


def needed_columns(table: Table, named: frozenset[str] | None) -> tuple[str, ...]:
    """Return the table's columns that a query needs, at least one, in the table's order."""
    if named is None:
        return table.column_names
    chosen = tuple(name for name in table.column_names if name.casefold() in named)
    return chosen or ((*table.primary_key, *table.column_names)[0],)


def scanned(
    table: Table, columns: Sequence[str], batches: Sequence[pa.RecordBatch], lsn: int
) -> list[Rows]:
    """Return the rows of live batches: RecordBatch[columns…], all of which show, and others.

    Of RecordBatch[columns…, marks: int64] only some do.
    """
    marked = [batch for batch in batches if batch.num_columns > len(columns)]
    whole = [batch for batch in batches if batch.num_columns == len(columns)]
    found = [Rows(pa.Table.from_batches(marked), tuple(columns), lsn)] if marked else []
    if whole or not marked:
        schema = whole[0].schema if whole else table.arrow_schema(columns)
        found.append(Rows(pa.Table.from_batches(whole, schema), tuple(columns), None))
    return found


def looked_up(columns: Sequence[str], found: pa.RecordBatch) -> list[Rows]:
    """Return the rows that the index gave, RecordBatch[_pos: int32, columns…], which all show."""
    rows = pa.RecordBatch.from_arrays(found.columns[1:], schema=pa.schema(list(found.schema)[1:]))
    return [Rows(pa.Table.from_batches([rows]), tuple(columns), None)]
