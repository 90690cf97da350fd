"""What a statement names, read from DuckDB's own parse tree.

Invariants: one statement, and one that only asks; `tables` holds every table reference of the tree,
also those in subqueries; `columns` is None when all columns of a table may be needed (a star, a
whole row, a natural join), else a superset of the names that are.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import duckdb

from sluiceway.catalog import UserError
from sluiceway.warehouse.query.patterns import DIALECTS

Node = Mapping[str, Any]
_ASKS = "SELECT, WITH, VALUES, SHOW TABLES, SHOW DATABASES and DESCRIBE"
# Trees in which columns are used without being named.
_WHOLE = frozenset({"STAR", "POSITIONAL_REFERENCE", "SHOW_REF", "PIVOT", "EMPTY_STAR"})


@dataclass(frozen=True)
class TableName:
    """A table as the query writes it: one to three names, and its alias or ''."""

    path: tuple[str, ...]
    alias: str


@dataclass(frozen=True)
class Statement:
    """One query: its text with date patterns translated, its tree and what it names."""

    text: str
    tree: Node
    tables: tuple[TableName, ...]
    ctes: frozenset[str]
    columns: frozenset[str] | None


def parse(connection: duckdb.DuckDBPyConnection, text: str) -> Statement:
    """Parse one query; UserError 42601 for bad SQL, 0A000 for what does more than ask."""
    _check_kind(connection.extract_statements(text))
    # fetchall, because a result that is not fetched to its end keeps the connection busy.
    [(serialized,)] = connection.execute("SELECT json_serialize_sql(?)", [text]).fetchall()
    document = json.loads(serialized)
    if document["error"] or len(document["statements"]) != 1:
        raise _not_a_query("This statement")
    tree = document["statements"][0]["node"]
    nodes = list(_walk(tree))
    tables = tuple(_table_name(node) for node in nodes if node.get("type") == "BASE_TABLE")
    ctes = frozenset(
        entry["key"] for node in nodes for entry in (node.get("cte_map") or {}).get("map", ())
    )
    return Statement(_translated(text, nodes), tree, tables, ctes, _columns(nodes, tables))


def _translated(text: str, nodes: list[Node]) -> str:
    """Return the query with the literal patterns of TO_CHAR and its like as DuckDB's own."""
    patterns = []
    for node in nodes:
        arguments: list[Node] = node.get("arguments") or []
        if node.get("function_name") in DIALECTS and len(arguments) == 2:
            pattern = arguments[1]["expression"]
            if pattern["class"] == "CONSTANT" and pattern["literal"]["kind"] == "STRING":
                patterns.append((pattern, DIALECTS[node["function_name"]]))
    # Locations count bytes; from the end, so that those before stay right.
    encoded = text.encode()
    for node, dialect in sorted(patterns, key=lambda each: -each[0]["query_location"]):
        start, length = node["query_location"], node["query_location_length"]
        pieces = dialect.translate(node["literal"]["text"])
        quoted = ", ".join("'" + piece.replace("'", "''") + "'" for piece in pieces)
        encoded = encoded[:start] + quoted.encode() + encoded[start + length :]
    return encoded.decode()


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


def _walk(tree: Any) -> Iterator[Node]:
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
    return TableName(tuple(node["qualified_name"]["path"]), node.get("alias") or "")


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
