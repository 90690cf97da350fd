"""SHOW and DESCRIBE, answered from the catalog, without DuckDB.

    SHOW DATABASES                       SHOW TABLES [FROM | IN database]
    DESCRIBE | DESC [TABLE] table        SHOW CREATE TABLE table
    SHOW PARTITIONS table

Invariant: types and DDL are Flink's, as the user wrote them, not DuckDB's.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pyarrow as pa

from sluiceway.catalog import Catalog, NotFoundError, Table, UserError, known_names, spoken
from sluiceway.warehouse.query.names import current_database, resolve

_NAME = r'(?:"(?:[^"]|"")+"|`[^`]+`|[^\s."`;()]+)'
_PATH = rf"(?P<path>{_NAME}(?:\.{_NAME}){{0,2}})"
_COMMANDS = {
    name: re.compile(rf"\s*{pattern}\s*;?\s*", re.IGNORECASE)
    for name, pattern in {
        "databases": r"SHOW\s+(?:DATABASES|SCHEMAS)",
        "tables": rf"SHOW\s+TABLES(?:\s+(?:FROM|IN)\s+{_PATH})?",
        "partitions": rf"SHOW\s+PARTITIONS\s+(?:(?:FROM|IN)\s+)?{_PATH}",
        "create": rf"SHOW\s+CREATE\s+TABLE\s+{_PATH}",
        "describe": rf"DESC(?:RIBE)?\s+(?:TABLE\s+)?(?!SELECT\b|WITH\b|FROM\b|VALUES\b){_PATH}",
    }.items()
}


def answer(catalog: Catalog, text: str, database: str | None) -> pa.Table | None:
    """Return the command's result, or None if `text` is not one of these commands."""
    for name, pattern in _COMMANDS.items():
        found = pattern.fullmatch(text)
        if found:
            path = found.groupdict().get("path")
            return _ANSWERS[name](catalog, _split(path) if path else (), database)
    return None


def _split(path: str) -> tuple[str, ...]:
    return tuple(
        name[1:-1].replace('""', '"') if name[0] in '"`' else name
        for name in re.findall(_NAME, path)
    )


def _databases(catalog: Catalog, path: tuple[str, ...], database: str | None) -> pa.Table:
    rows = sorted(catalog.databases.values(), key=lambda each: each.name)
    return _texts(database=[each.name for each in rows], comment=[each.comment for each in rows])


def _tables(catalog: Catalog, path: tuple[str, ...], database: str | None) -> pa.Table:
    chosen = path[0] if path else database
    if chosen is None:
        raise NotFoundError(
            "SHOW TABLES has no database: write SHOW TABLES FROM database. "
            f"Databases: {known_names(catalog.databases)}.",
            sqlstate="3D000",
        )
    tables = catalog.tables_of(current_database(catalog, chosen))
    return _texts(table=[t.name for t in tables], comment=[t.comment for t in tables])


def _partitions(catalog: Catalog, path: tuple[str, ...], database: str | None) -> pa.Table:
    table = _table(catalog, path, database)
    if not table.partition_by:
        raise UserError(f"Table {table.path} is not partitioned.", sqlstate="42809")
    return _texts(partition=[spoken(table, each) for each in catalog.partitions_of(table)])


def _table(catalog: Catalog, path: tuple[str, ...], database: str | None) -> Table:
    current = None if database is None else current_database(catalog, database)
    return resolve(catalog, path, current)


def _describe(catalog: Catalog, path: tuple[str, ...], database: str | None) -> pa.Table:
    table = _table(catalog, path, database)
    key = {name: f"PRIMARY KEY {i}" for i, name in enumerate(table.primary_key, 1)}
    return _texts(
        column=list(table.column_names),
        type=[str(column.type) for column in table.columns],
        null=["" if column.nullable else "NOT NULL" for column in table.columns],
        key=[key.get(name, "") for name in table.column_names],
        default=[column.default for column in table.columns],
        comment=[column.comment for column in table.columns],
    )


def _create(catalog: Catalog, path: tuple[str, ...], database: str | None) -> pa.Table:
    return _texts(statement=[create_statement(_table(catalog, path, database))])


def create_statement(table: Table) -> str:
    """Return Flink SQL that makes the table again."""
    lines = [_column(table, name) for name in table.column_names]
    if table.primary_key:
        keys = ", ".join(map(_identifier, table.primary_key))
        lines.append(f"  PRIMARY KEY ({keys}) NOT ENFORCED")
    name = f"{_identifier(table.database)}.{_identifier(table.name)}"
    comment = f" COMMENT {_string(table.comment)}" if table.comment else ""
    pairs = (f"  {_string(k)} = {_string(v)}" for k, v in sorted(table.options.items()))
    options = ",\n".join(pairs)
    parts = ", ".join(map(_identifier, table.partition_by))
    partitioned = f" PARTITIONED BY ({parts})" if parts else ""
    tail = f" WITH (\n{options}\n)" if options else ""
    body = ",\n".join(lines)
    return f"CREATE TABLE {name} (\n{body}\n){comment}{partitioned}{tail}"


def _column(table: Table, name: str) -> str:
    column = table.column(name)
    null = "" if column.nullable else " NOT NULL"
    comment = f" COMMENT {_string(column.comment)}" if column.comment else ""
    return f"  {_identifier(name)} {column.type}{null}{comment}"


def _identifier(name: str) -> str:
    doubled = name.replace("`", "``")
    return f"`{doubled}`"


def _string(text: str) -> str:
    doubled = text.replace("'", "''")
    return f"'{doubled}'"


def _texts(**columns: list[str | None] | list[str]) -> pa.Table:
    return pa.table({name: pa.array(values, pa.utf8()) for name, values in columns.items()})


_ANSWERS: dict[str, Callable[[Catalog, tuple[str, ...], str | None], pa.Table]] = {
    "databases": _databases,
    "tables": _tables,
    "partitions": _partitions,
    "create": _create,
    "describe": _describe,
}
