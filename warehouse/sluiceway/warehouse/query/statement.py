"""What a statement names, read from DuckDB's own parse tree.

Invariants: one statement, and one that only asks; a Statement depends on its text alone; `tables`
holds every table reference of the tree, also those in subqueries; AS OF clauses are gone from the
text that DuckDB parses, and every other byte is where the user wrote it; `columns` is None when all
columns of a table may be needed (a star, a whole row, a natural join), else a superset of the names
that are.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
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
    tokens_of,
    without,
)
from sluiceway.warehouse.query.patterns import DIALECTS

Node = Mapping[str, Any]
_ASKS = "SELECT, WITH, VALUES, SHOW TABLES, SHOW DATABASES and DESCRIBE"
# What a table expression in parentheses may stand behind.
_BEFORE_TABLES = frozenset({"FROM", "JOIN", ","})
# Trees in which columns are used without being named.
_WHOLE = frozenset({"STAR", "POSITIONAL_REFERENCE", "SHOW_REF", "PIVOT", "EMPTY_STAR"})


@dataclass(frozen=True)
class TableName:
    """A table as the query writes it: one to three names, its alias or '', its own moment.

    `movable`: a subquery under its alias may stand in its place, and nobody sees a difference.
    """

    path: tuple[str, ...]
    alias: str
    start: int = 0  # in bytes of the query
    movable: bool = False
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
    clauses: tuple[tuple[Clause, int], ...] = ()  # each with the number of its table

    def replaced(self, table: TableName, subquery: str) -> Edit:
        """Return the edit that reads a subquery where the query names `table`."""
        written = PATH.match(self.text.encode()[table.start :].decode())
        if written is None:
            raise ValueError(f"no table is named at byte {table.start}")
        alias = table.path[-1].replace('"', '""')
        text = f"({subquery})" if table.alias else f'({subquery}) AS "{alias}"'
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
    ctes = frozenset(
        entry["key"] for node in nodes for entry in (node.get("cte_map") or {}).get("map", ())
    )
    tables = _table_names(text, tree, nodes, ctes)
    return Statement(
        text,
        tree,
        tables,
        ctes,
        _columns(nodes, tables),
        tuple(_translations(nodes)),
        tuple(_owned(text, tables, clauses)),
    )


def at_moments(connection: duckdb.DuckDBPyConnection, statement: Statement) -> Statement:
    """Return the statement, those tables behind which an AS OF clause stands with its moment."""
    tables = list(statement.tables)
    for clause, number in statement.clauses:
        tables[number] = replace(tables[number], moment=evaluate(connection, clause))
    return replace(statement, tables=tuple(tables))


def _owned(
    text: str, tables: tuple[TableName, ...], clauses: list[Clause]
) -> Iterator[tuple[Clause, int]]:
    """Yield each AS OF clause with the number of the table behind which it stands."""
    taken = set()
    owners = owned_by(text.encode(), [table.start for table in tables], clauses)
    for clause, number in zip(clauses, owners, strict=True):
        if number in taken:
            raise UserError(
                f"{'.'.join(tables[number].path)} has two AS OF clauses: write one.",
                sqlstate="42601",
            )
        taken.add(number)
        yield clause, number


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


def _table_names(
    text: str, tree: Node, nodes: list[Node], ctes: frozenset[str]
) -> tuple[TableName, ...]:
    found = [
        TableName(
            tuple(node["qualified_name"]["path"]), node.get("alias") or "", node["query_location"]
        )
        for node in nodes
        if node.get("type") == "BASE_TABLE"
    ]
    if _tells_schemas(nodes, found):
        return tuple(found)
    movable = _starts_behind_from(text) & _starts_outside_items(tree)
    hidden = {name.casefold() for name in ctes}
    return tuple(
        replace(name, movable=name.start in movable and name.path[0].casefold() not in hidden)
        for name in found
    )


def _tells_schemas(nodes: list[Node], tables: list[TableName]) -> bool:
    """Tell whether a table's schema matters: for `dw.t.c`, for the row `dw.t`, for a.t and b.t."""
    paths: dict[str, set[str]] = {}
    for table in tables:
        if not table.alias:
            path = [part.casefold() for part in table.path]
            paths.setdefault(path[-1], set()).add(".".join(path))
    if any(len(same) > 1 for same in paths.values()):
        return True
    references = [node["column_names"] for node in nodes if node.get("class") == "COLUMN_REF"]
    return any(
        len(path) > 2 or (len(path) == 2 and path[1].casefold() in paths) for path in references
    )


def _starts_behind_from(text: str) -> frozenset[int]:
    """Return where, in bytes, tokens stand behind FROM, JOIN or a comma."""
    tokens = tokens_of(text)
    return frozenset(
        len(text[: token.start].encode())
        for before, token in pairwise(tokens)
        if before.word in _BEFORE_TABLES
    )


def _starts_outside_items(tree: Node) -> frozenset[int]:
    """Return where tables stand outside of select lists, whose text names the columns."""
    found = set()
    pending: list[Any] = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, list):
            pending.extend(node)
        elif isinstance(node, dict) and node.get("type") != "SHOW_REF":
            pending.extend(value for key, value in node.items() if key != "select_list")
            if node.get("type") == "BASE_TABLE":
                found.add(node["query_location"])
    return frozenset(found)


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
