"""Queries that pin a whole primary key by `=`: what the index can answer without a scan.

Invariants: a key is returned only for a plain SELECT from one table, named once in the whole
statement, whose WHERE is a conjunction that sets every key column equal to a constant of the same
kind, so that the row of that key (or none) in place of the table gives the same answer. What is not
surely so, None, is scanned.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pyarrow as pa

from sluiceway.catalog import Column, Root, Table, UserError, literal
from sluiceway.warehouse.query.statement import Node, Statement

_INTEGERS = frozenset({Root.TINYINT, Root.SMALLINT, Root.INT, Root.BIGINT})
_TEXTS = frozenset({Root.VARCHAR, Root.CHAR})
# Of each kind of column, the literals that certainly mean one value of it: others are scanned.
_NUMBER = re.compile(r"-?\d{1,18}")
_DECIMAL = re.compile(r"-?\d{1,30}(\.\d{1,30})?")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_TIMESTAMP = re.compile(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}(\.\d{1,6})?")


def pinned_key(statement: Statement, table: Table) -> pa.RecordBatch | None:
    """Return RecordBatch[primary key columns…] of one row, or None if the query pins no key."""
    if not table.primary_key or not _is_plain(statement):
        return None
    pinned: dict[str, str] = {}
    for pair in map(_equality, conjuncts(statement.tree["where_clause"])):
        if pair is not None and pinned.setdefault(*pair) != pair[1]:
            return None
    arrays = []
    for key in table.primary_key:
        text = pinned.get(key.casefold())
        value = None if text is None else _value(table.column(key), text)
        if value is None:
            return None
        arrays.append(pa.array([value.as_py()], table.column(key).type.arrow()))
    return pa.RecordBatch.from_arrays(arrays, schema=table.arrow_schema(table.primary_key))


def pins_only_key(statement: Statement, table: Table) -> bool:
    """Tell whether a WHERE that pins the key says nothing else."""
    keys = {key.casefold() for key in table.primary_key}
    clauses = list(conjuncts(statement.tree["where_clause"]))
    names = [pair[0] for pair in map(_equality, clauses) if pair is not None]
    return len(names) == len(clauses) and keys.issuperset(names)


def reads_one_table(statement: Statement) -> bool:
    """Tell whether a statement is a SELECT from one table, all of it, named once."""
    tree = statement.tree
    return (
        tree["type"] == "SELECT_NODE"
        and len(statement.tables) == 1
        and not statement.ctes
        and tree["from_table"]["type"] == "BASE_TABLE"
        and tree["from_table"].get("sample") is None
        and not tree["from_table"].get("column_name_alias")
        and tree.get("sample") is None
    )


def _is_plain(statement: Statement) -> bool:
    return reads_one_table(statement) and statement.tree["where_clause"] is not None


def conjuncts(where: Node) -> Iterator[Node]:
    """Yield what a predicate joins by AND."""
    if where["type"] == "CONJUNCTION_AND":
        for child in where["children"]:
            yield from conjuncts(child)
    else:
        yield where


def _equality(node: Node) -> tuple[str, str] | None:
    """Return (column, constant) of `column = constant`, None for anything else."""
    if node["type"] != "COMPARE_EQUAL":
        return None
    left, right = node["left"], node["right"]
    if left["class"] != "COLUMN_REF":
        left, right = right, left
    constant = _literal(right)
    if left["class"] != "COLUMN_REF" or constant is None:
        return None
    return left["column_names"][-1].casefold(), constant


def _literal(node: Node) -> str | None:
    """Return kind and text of a constant, such as `INTEGER 5`; None if it is none."""
    if node["class"] == "CONSTANT" and "literal" in node:
        return f"{node['literal']['kind']} {node['literal'].get('text', '')}"
    return None


def _value(column: Column, kind_and_text: str) -> pa.Scalar | None:
    kind, text = kind_and_text.split(" ", 1)
    if not _surely_means(column.type.root, kind, text):
        return None
    try:
        return literal(text, column.type)
    except UserError:
        return None


def _surely_means(root: Root, kind: str, text: str) -> bool:
    is_text = kind == "STRING"
    if root in _TEXTS:
        return is_text
    if root in _INTEGERS:
        return _NUMBER.fullmatch(text) is not None
    if root is Root.DECIMAL:
        return _DECIMAL.fullmatch(text) is not None
    if root is Root.DATE:
        return is_text and _DATE.fullmatch(text) is not None
    if root in (Root.TIMESTAMP, Root.TIMESTAMP_LTZ):
        return is_text and _TIMESTAMP.fullmatch(text) is not None
    return False
