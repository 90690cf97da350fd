"""What a statement names, read from DuckDB's own parse tree.

Invariants: one statement, and one that only asks; `tables` holds every table reference of the tree,
also those in subqueries, each with the moment that its AS OF clause names; the clauses are gone
from the text that DuckDB parses, and every other byte is where the user wrote it; `columns` is None
when all columns of a table may be needed (a star, a whole row, a natural join), else a superset of
the names that are.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import duckdb

from sluiceway.catalog import UserError
from sluiceway.warehouse.query.moments import (
    PATH,
    Clause,
    Moment,
    evaluate,
    find_clauses,
    owned_by,
    without,
)
from sluiceway.warehouse.query.patterns import DIALECTS

Node = Mapping[str, Any]
_ASKS = "SELECT, WITH, VALUES, SHOW TABLES, SHOW DATABASES and DESCRIBE"
# Trees in which columns are used without being named.
_WHOLE = frozenset({"STAR", "POSITIONAL_REFERENCE", "SHOW_REF", "PIVOT", "EMPTY_STAR"})


@dataclass(frozen=True)
class TableName:
    """A table as the query writes it: one to three names, its alias or '', its own moment."""

    path: tuple[str, ...]
    alias: str
    start: int = 0  # in bytes of the query
    moment: Moment | None = None


@dataclass(frozen=True)
class Edit:
    """Other bytes for those at `start` to `end` of a query."""

    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Statement:
    """One query: its text without AS OF clauses, its tree and what it names."""

    text: str
    tree: Node
    tables: tuple[TableName, ...]
    ctes: frozenset[str]
    columns: frozenset[str] | None
    translations: tuple[Edit, ...] = ()

    def renamed(self, table: TableName, view: str) -> Edit:
        """Return the edit that reads `view`, a quoted name, where the query names `table`."""
        written = PATH.match(self.text.encode()[table.start :].decode())
        if written is None:
            raise ValueError(f"no table is named at byte {table.start}")
        alias = table.path[-1].replace('"', '""')
        text = view if table.alias else f'{view} AS "{alias}"'
        return Edit(table.start, table.start + len(written[0].encode()), text)

    def edited(self, edits: Iterable[Edit]) -> str:
        """Return the text that DuckDB runs: date patterns translated, and the edits made."""
        encoded = self.text.encode()
        # From the end, so that the places before stay right.
        for edit in sorted((*self.translations, *edits), key=lambda each: -each.start):
            encoded = encoded[: edit.start] + edit.text.encode() + encoded[edit.end :]
        return encoded.decode()


def parse(connection: duckdb.DuckDBPyConnection, query: str) -> Statement:
    """Parse one query; UserError 42601 for bad SQL, 0A000 for what does more than ask."""
    clauses = find_clauses(query)
    text = without(query, clauses)
    _check_kind(connection.extract_statements(text))
    # fetchall, because a result that is not fetched to its end keeps the connection busy.
    [(serialized,)] = connection.execute("SELECT json_serialize_sql(?)", [text]).fetchall()
    document = json.loads(serialized)
    if document["error"] or len(document["statements"]) != 1:
        raise _not_a_query("This statement")
    tree = document["statements"][0]["node"]
    nodes = list(walk(tree))
    named = [_table_name(node) for node in nodes if node.get("type") == "BASE_TABLE"]
    tables = _at_moments(connection, text, named, clauses)
    ctes = frozenset(
        entry["key"] for node in nodes for entry in (node.get("cte_map") or {}).get("map", ())
    )
    columns = _columns(nodes, tables)
    return Statement(text, tree, tables, ctes, columns, tuple(_translations(nodes)))


def _at_moments(
    connection: duckdb.DuckDBPyConnection,
    text: str,
    tables: list[TableName],
    clauses: list[Clause],
) -> tuple[TableName, ...]:
    """Return the tables, those behind which an AS OF clause stands with its moment."""
    owners = owned_by(text.encode(), [table.start for table in tables], clauses)
    for clause, number in zip(clauses, owners, strict=True):
        if tables[number].moment is not None:
            raise UserError(
                f"{'.'.join(tables[number].path)} has two AS OF clauses: write one.",
                sqlstate="42601",
            )
        tables[number] = replace(tables[number], moment=evaluate(connection, clause))
    return tuple(tables)


def _translations(nodes: list[Node]) -> Iterator[Edit]:
    """Yield the literal patterns of TO_CHAR and its like as DuckDB's own."""
    for node in nodes:
        arguments: list[Node] = node.get("arguments") or []
        if node.get("function_name") in DIALECTS and len(arguments) == 2:
            pattern = arguments[1]["expression"]
            if pattern["class"] == "CONSTANT" and pattern["literal"]["kind"] == "STRING":
                pieces = DIALECTS[node["function_name"]].translate(pattern["literal"]["text"])
                quoted = ", ".join("'" + piece.replace("'", "''") + "'" for piece in pieces)
                start = pattern["query_location"]
                yield Edit(start, start + pattern["query_location_length"], quoted)


def _check_kind(statements: list[Any]) -> None:
    if len(statements) != 1:
        raise UserError(
            f"The text holds {len(statements)} statements: send one at a time.", sqlstate="42601"
        )
    kind = statements[0].type.name
    if kind != "SELECT":
        raise _not_a_query(kind)


def _not_a_query(what: str) -> UserError:
    return UserError(
        f"{what} is not a query. Queries are {_ASKS}; rows are written by Flink SQL "
        "(sluiceway run) or the Python client, tables are made by Flink SQL.",
        sqlstate="0A000",
    )


def walk(tree: Any) -> Iterator[Node]:
    """Yield every object of the tree."""
    pending = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            yield node
            pending.extend(node.values())
        elif isinstance(node, list):
            pending.extend(node)


def _table_name(node: Node) -> TableName:
    path = tuple(node["qualified_name"]["path"])
    return TableName(path, node.get("alias") or "", node["query_location"])


def _columns(nodes: list[Node], tables: tuple[TableName, ...]) -> frozenset[str] | None:
    names: set[str] = set()
    rows = {(table.alias or table.path[-1]).casefold() for table in tables}
    for node in nodes:
        if node.get("type") in _WHOLE or node.get("ref_type") == "NATURAL":
            return None
        names.update(node.get("using_columns") or ())
        if node.get("class") == "COLUMN_REF":
            path = node["column_names"]
            if len(path) == 1 and path[0].casefold() in rows:
                return None
            names.update(path)
    return frozenset(name.casefold() for name in names)
