"""Queries that need no DuckDB: columns of the one row that a pinned key finds, a count of all rows.

    SELECT * | column [AS name], … FROM t WHERE key = constant [AND …] [LIMIT n]
    SELECT count(*) FROM t

Invariant: the answer is the same, to the type, as DuckDB's over the looked-up row (a test compares
them for every type); whatever else stands in the statement leaves it to DuckDB.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa

from sluiceway.catalog import Table
from sluiceway.warehouse.query.point import pins_only_key, reads_one_table
from sluiceway.warehouse.query.statement import Node, Statement

_OTHER_CLAUSES = ("group_expressions", "group_sets", "having", "qualify")
_STAR_CLAUSES = (
    "relation_name",
    "exclude_list",
    "replace_list",
    "columns",
    "expr",
    "qualified_exclude_list",
    "rename_list",
)


@dataclass(frozen=True)
class Selected:
    """Columns of a table, and the schema of an answer that consists of them."""

    columns: tuple[str, ...]
    schema: pa.Schema


def selected(statement: Statement, table: Table) -> Selected | None:
    """Return what a query selects that its key's row answers, else None."""
    tree = statement.tree
    if any(tree.get(clause) for clause in _OTHER_CLAUSES) or not pins_only_key(statement, table):
        return None
    if tree.get("aggregate_handling") != "STANDARD_HANDLING":
        return None
    if not all(_keeps_one_row(modifier) for modifier in tree["modifiers"]):
        return None
    found = [each for item in tree["select_list"] for each in _item(item, statement, table)]
    pairs = [each for each in found if each is not None]
    if len(pairs) < len(found):
        return None
    types = [_result_type(table.column(column).type.arrow()) for column, _ in pairs]
    fields = [pa.field(name, kind) for (_, name), kind in zip(pairs, types, strict=True)]
    return Selected(tuple(column for column, _ in pairs), pa.schema(fields))


def counts_rows(statement: Statement) -> bool:
    """Tell whether a query asks for the count of a table's rows and for nothing else."""
    tree = statement.tree
    if (
        not reads_one_table(statement)
        or tree["where_clause"] is not None
        or any(tree.get(clause) for clause in (*_OTHER_CLAUSES, "modifiers"))
        or tree.get("aggregate_handling") != "STANDARD_HANDLING"
        or len(tree["select_list"]) != 1
    ):
        return False
    [item] = tree["select_list"]
    return (
        item.get("function_name") == "count_star"
        and not any(item.get(part) for part in ("filter", "distinct", "alias", "schema", "catalog"))
        and not item["order_bys"]["orders"]
    )


def counted(rows: int) -> pa.Table:
    """Return the answer of a query that counts."""
    return pa.table({"count_star()": pa.array([rows], pa.int64())})


def answer(wanted: Selected, columns: Sequence[str], found: pa.RecordBatch) -> pa.RecordBatch:
    """Return the answer from RecordBatch[_pos: int32, columns…]."""
    arrays = [found.column(1 + columns.index(name)) for name in wanted.columns]
    for at, kind in enumerate(wanted.schema.types):
        if arrays[at].type != kind:
            arrays[at] = arrays[at].cast(kind)
    return pa.RecordBatch.from_arrays(arrays, schema=wanted.schema)


def _keeps_one_row(modifier: Node) -> bool:
    if modifier["type"] != "LIMIT_MODIFIER" or modifier["limit_type"] != "ROW_COUNT":
        return False
    limit = modifier["limit"]
    count = limit["literal"].get("text", "") if limit and "literal" in limit else ""
    return modifier["offset"] is None and count.isdecimal() and int(count) > 0


def _item(item: Node, statement: Statement, table: Table) -> Iterator[tuple[str, str] | None]:
    """Yield the columns of one item of the select list; None for what is more than a column."""
    if item["class"] == "STAR" and not any(item.get(clause) for clause in _STAR_CLAUSES):
        yield from zip(table.column_names, table.column_names, strict=True)
        return
    path = item.get("column_names") or [""]
    column = next((n for n in table.column_names if n.casefold() == path[-1].casefold()), None)
    name = statement.tables[0]
    known = [(name.alias or name.path[-1]).casefold()]
    if item["class"] != "COLUMN_REF" or column is None:
        yield None
    elif len(path) > 1 and [part.casefold() for part in path[:-1]] != known:
        yield None
    else:
        yield column, item.get("alias") or column


def _result_type(kind: pa.DataType) -> pa.DataType:
    """Return the type in which DuckDB gives a column back."""
    if pa.types.is_time32(kind):
        return pa.time64("us")
    if pa.types.is_list(kind):
        return pa.list_(pa.field("l", _result_type(kind.value_type)))
    return kind
