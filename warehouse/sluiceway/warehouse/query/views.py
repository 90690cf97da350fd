"""The tables that a query names, as DuckDB views over Arrow data.

Invariants: a view shows exactly the rows visible at the snapshot's LSN and never `_mark`; DuckDB
gets a `pa.Table` (a batch or a few a segment), because over a dataset it counts ten times slower;
what `show` made, `hide` removes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import duckdb
import pyarrow as pa

from sluiceway.catalog import Table
from sluiceway.warehouse.query.names import Bound, quoted

NEVER = 2**63 - 1
_MARK = "_mark"


@dataclass(frozen=True)
class Rows:
    """What a view shows: Arrow data, its columns, and the LSN if rows must be chosen by mark."""

    data: pa.Table
    columns: tuple[str, ...]
    lsn: int | None


@dataclass
class Views:
    """The views of one query in one DuckDB instance."""

    connection: duckdb.DuckDBPyConnection
    _registered: list[str] = field(default_factory=list)
    _views: list[str] = field(default_factory=list)
    _schemas: list[str] = field(default_factory=list)

    def show(self, bound: Bound, rows: Rows) -> None:
        """Make `rows` visible under the name that the query uses."""
        source = f"_rows_{len(self._registered)}"
        self.connection.register(source, rows.data)
        self._registered.append(source)
        if bound.schema != "main" and bound.schema not in self._schemas:
            self.connection.execute(f"CREATE SCHEMA {quoted(bound.schema)}")
            self._schemas.append(bound.schema)
        view = f"{quoted(bound.schema)}.{quoted(bound.name)}"
        chosen = ", ".join(map(quoted, rows.columns))
        visible = "" if rows.lsn is None else f" WHERE {_MARK} < {NEVER - rows.lsn}"
        self.connection.execute(f"CREATE VIEW {view} AS SELECT {chosen} FROM {source}{visible}")
        self._views.append(view)

    def hide(self) -> None:
        """Remove all that `show` made."""
        for view in self._views:
            self.connection.execute(f"DROP VIEW {view}")
        for schema in self._schemas:
            self.connection.execute(f"DROP SCHEMA {quoted(schema)}")
        for source in self._registered:
            self.connection.unregister(source)


def needed_columns(table: Table, named: frozenset[str] | None) -> tuple[str, ...]:
    """Return the table's columns that a query needs, at least one, in the table's order."""
    if named is None:
        return table.column_names
    chosen = tuple(name for name in table.column_names if name.casefold() in named)
    return chosen or ((*table.primary_key, *table.column_names)[0],)


def scanned(table: Table, columns: Sequence[str], batches: list[pa.RecordBatch], lsn: int) -> Rows:
    """Return the rows of live batches RecordBatch[columns…, _mark: int64], of which some show."""
    schema = batches[0].schema if batches else table.arrow_schema(columns).append(_MARK_FIELD)
    return Rows(pa.Table.from_batches(batches, schema), tuple(columns), lsn)


def looked_up(columns: Sequence[str], found: pa.RecordBatch) -> Rows:
    """Return the rows that the index gave, RecordBatch[_pos: int32, columns…], which all show."""
    return Rows(pa.Table.from_batches([found]), tuple(columns), None)


_MARK_FIELD = pa.field(_MARK, pa.int64(), nullable=False)
