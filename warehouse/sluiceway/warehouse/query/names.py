"""Which table each name of a query means.

    t                the current database                  "s.t"        its table of schema s
    database.t       or, when no database has that name, schema.t of the current database
    database.s.t     is refused: a table outside schema public is written database."s.t"

Invariants: a name means what it meant at its moment; an exact name goes before one that differs
only in case; a name of two tables is refused; a name that is a WITH query's and no table's is left
to DuckDB.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from sluiceway.catalog import (
    Catalog,
    NotFoundError,
    Table,
    UserError,
    known_names,
    split_database,
)
from sluiceway.warehouse.query.moments import Moment
from sluiceway.warehouse.query.statement import Statement, TableName

_SYSTEM = frozenset({"information_schema", "pg_catalog", "duckdb_internal"})


class Cut(Protocol):
    """What binding needs of a snapshot."""

    @property
    def lsn(self) -> int:
        """The LSN that it shows."""

    @property
    def catalog(self) -> Catalog:
        """The catalog at that LSN."""


@dataclass(frozen=True)
class Bound:
    """What a table reference means: (schema, name) as DuckDB reads it, the table, its own LSN.

    The LSN is None for one that is read at the query's.
    """

    schema: str
    name: str
    table: Table
    lsn: int | None = None


def bind(
    cuts: Mapping[Moment | None, Cut], statement: Statement, database: str | None
) -> list[tuple[Bound, tuple[TableName, ...]]]:
    """Return what the names mean; NotFoundError 42P01 with nearest names.

    A name that is left to DuckDB is not among them.
    """
    found: dict[tuple[str, str, int | None], tuple[Bound, tuple[TableName, ...]]] = {}
    for name in statement.tables:
        bound = _bound(cuts[name.moment], statement, name, database)
        if bound is not None:
            key = (bound.schema.casefold(), bound.name.casefold(), bound.lsn)
            same, names = found.get(key, (bound, ()))
            _check_same(same, bound)
            found[key] = (same, (*names, name))
    return list(found.values())


def _bound(cut: Cut, statement: Statement, name: TableName, database: str | None) -> Bound | None:
    """Return what a name means at its moment; None for one that is left to DuckDB."""
    try:
        current = None if database is None else current_database(cut.catalog, database)
        if name.path[0] in statement.ctes and not _exists(cut.catalog, name, current):
            _check_is_now(name)
            return None
        bound = _bind(cut.catalog, name, current)
    except NotFoundError as error:
        if name.moment is None:
            raise
        text = f"{error.message} This was at LSN {cut.lsn}."
        raise NotFoundError(text, sqlstate=error.sqlstate) from None
    _told_apart(bound.table)
    return bound if name.moment is None else replace(bound, lsn=cut.lsn)


def _check_is_now(name: TableName) -> None:
    if name.moment is not None:
        raise UserError(
            f"{name.path[0]} is a WITH query, which has no history: write AS OF after the tables "
            "in it.",
            sqlstate="42601",
        )


def _check_same(known: Bound, bound: Bound) -> None:
    if known.table.id != bound.table.id:
        raise UserError(
            f"{bound.table.path} and {known.table.path} differ only in case: ask them one at a "
            "time.",
            sqlstate="42P09",
        )


def quoted(name: str) -> str:
    """Return the name as a quoted identifier."""
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


def current_database(catalog: Catalog, name: str) -> str:
    """Return the database that a session's `database` or `database@warehouse` means."""
    return catalog.database(split_database(name).database).name


def resolve(catalog: Catalog, path: tuple[str, ...], current: str | None) -> Table:
    """Return the table that `path` means."""
    return _bind(catalog, TableName(path, ""), current).table


def _bind(catalog: Catalog, name: TableName, current: str | None) -> Bound:
    path = name.path
    if len(path) == 1:
        if current is None:
            raise _no_database(catalog, path[0])
        return Bound("main", path[0], _table(catalog, current, path[0]))
    if len(path) > 2:
        raise NotFoundError(
            f"Table {'.'.join(path)} has too many names: write database.table, and a table outside "
            f'schema public as {path[-3]}."{path[-2]}.{path[-1]}".'
        )
    first, last = path
    if first.casefold() in _SYSTEM:
        raise UserError(
            f"{first} is not offered: ask SHOW DATABASES, SHOW TABLES or DESCRIBE.",
            sqlstate="0A000",
        )
    if current is not None and first not in catalog.databases:
        qualified = _find(catalog, current, f"{first}.{last}")
        if qualified is not None:
            return Bound(first, last, qualified)
    return Bound(first, last, _table(catalog, first, last))


def _exists(catalog: Catalog, name: TableName, current: str | None) -> bool:
    return (
        len(name.path) == 1
        and current is not None
        and _find(catalog, current, name.path[0]) is not None
    )


def _table(catalog: Catalog, database: str, name: str) -> Table:
    found = _find(catalog, database, name)
    return catalog.table(database, name) if found is None else found


def _told_apart(table: Table) -> Table:
    """Return the table; UserError 42701 if SQL cannot tell two of its columns apart."""
    seen: dict[str, str] = {}
    for name in table.column_names:
        if seen.setdefault(name.casefold(), name) != name:
            raise UserError(
                f"Columns {seen[name.casefold()]!r} and {name!r} of {table.path} differ only in "
                "case, which a query cannot tell apart: rename one.",
                sqlstate="42702",
            )
    return table


def _find(catalog: Catalog, database: str, name: str) -> Table | None:
    exact = catalog.find_table(database, name)
    if exact is not None or database not in catalog.databases:
        return exact
    wanted = name.removeprefix("public.").casefold()
    alike = [table for table in catalog.tables_of(database) if table.name.casefold() == wanted]
    return alike[0] if len(alike) == 1 else None


def _no_database(catalog: Catalog, name: str) -> NotFoundError:
    homes = [database for database in catalog.databases if _find(catalog, database, name)]
    if homes:
        cure = f"write {' or '.join(f'{home}.{name}' for home in sorted(homes))}"
    else:
        cure = f"write database.table; databases: {known_names(catalog.databases)}"
    return NotFoundError(f"Table {name} is named without a database: {cure}.")
