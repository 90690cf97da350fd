"""Which rows of a table a query's WHERE surely asks for, so that others need not be read.

    WHERE a BETWEEN 1 AND 5 AND o.day >= DATE '2024-01-01' AND n IN (1, 2)

Invariants: a condition is found only for a table that the whole statement names once, in the FROM
of the SELECT with the WHERE; there each conjunct that compares a column with constants holds of
every row that counts, also where an outer join adds rows of NULL, which no comparison lets pass. A
literal counts only if its type compares with the column's exactly or, for DOUBLE, with a margin
that is wider than any rounding. What is not surely so is no condition.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

import pyarrow as pa

from sluiceway.catalog import Column, Root, Table, UserError, literal
from sluiceway.warehouse.condition import Condition, Span, Value
from sluiceway.warehouse.query.names import Bound
from sluiceway.warehouse.query.point import conjuncts
from sluiceway.warehouse.query.statement import Node, Statement, walk

_INTEGERS = frozenset({Root.TINYINT, Root.SMALLINT, Root.INT, Root.BIGINT})
_TIMES = frozenset({Root.TIMESTAMP, Root.TIMESTAMP_LTZ})
_TEXTS = frozenset({Root.CHAR, Root.VARCHAR})
_NUMERALS = frozenset({"INTEGER", "NUMERIC"})
_INTEGER = re.compile(r"-?\d{1,18}")
_DECIMAL = re.compile(r"-?\d{1,18}(\.\d{1,18})?")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}( \d{2}:\d{2}:\d{2}(\.\d{1,6})?)?")
# The literals that have the column's type, or one that becomes it without loss: STRING is none yet.
_DATE_CASTS = frozenset({"STRING", "DATE"})
_TIME_CASTS = frozenset({"STRING", "DATE", "TIMESTAMP", "TIMESTAMPTZ"})
_JOINS = frozenset({"INNER", "LEFT", "RIGHT", "OUTER"})
_DOUBLE_MARGIN = 1e-12
_SPANS_MAX = 64
_TURNED = {
    "COMPARE_EQUAL": "COMPARE_EQUAL",
    "COMPARE_LESSTHAN": "COMPARE_GREATERTHAN",
    "COMPARE_LESSTHANOREQUALTO": "COMPARE_GREATERTHANOREQUALTO",
    "COMPARE_GREATERTHAN": "COMPARE_LESSTHAN",
    "COMPARE_GREATERTHANOREQUALTO": "COMPARE_LESSTHANOREQUALTO",
}


def conditions(statement: Statement, bound: Bound) -> tuple[Condition, ...]:
    """Return what every row of a table satisfies that the statement's answer may depend on."""
    wanted = bound.name.casefold()
    named = [name for name in statement.tables if name.path[-1].casefold() == wanted]
    if len(named) != 1:
        return ()
    for select in walk(statement.tree):
        if select.get("type") != "SELECT_NODE" or not select.get("where_clause"):
            continue
        sources = _sources(select["from_table"])
        if any(source["query_location"] == named[0].start for source in sources):
            if select.get("sample") is not None:
                return ()
            reader = _Reader(bound.table, named[0].alias or named[0].path[-1], len(sources) == 1)
            found = map(reader.condition, conjuncts(select["where_clause"]))
            return tuple(each for each in found if each is not None)
    return ()


def _sources(source: Node) -> list[Node]:
    """Return the tables of a FROM whose rows the WHERE sees as they are."""
    return list(_leaves(source))


def _leaves(source: Node) -> Iterator[Node]:
    if source["type"] == "JOIN":
        plain = source["ref_type"] in ("REGULAR", "CROSS") and not source["using_columns"]
        if plain and source["join_type"] in _JOINS and source.get("sample") is None:
            yield from _leaves(source["left"])
            yield from _leaves(source["right"])
    elif source["type"] == "BASE_TABLE":
        if source.get("sample") is None and not source.get("column_name_alias"):
            yield source


@dataclass(frozen=True)
class _Reader:
    """Reads conditions on one table; `alone`: names without a table mean its columns."""

    table: Table
    alias: str
    alone: bool

    def condition(self, node: Node) -> Condition | None:
        """Return the condition that a conjunct is, None if it is none on this table."""
        if node["type"] in _TURNED:
            return self._comparison(node)
        if node["type"] == "COMPARE_BETWEEN":
            return self._condition(node["input"], "between", [node["lower"], node["upper"]])
        if node["type"] == "COMPARE_IN":
            return self._condition(node["children"][0], "in", node["children"][1:])
        return None

    def _comparison(self, node: Node) -> Condition | None:
        left, right, sign = node["left"], node["right"], node["type"]
        if left["class"] != "COLUMN_REF":
            left, right, sign = right, left, _TURNED[sign]
        return self._condition(left, sign, [right])

    def _condition(self, left: Node, sign: str, literals: list[Node]) -> Condition | None:
        column = self._column(left)
        if column is None:
            return None
        values = [_value(column, node) for node in literals]
        spans = [value for value in values if value is not None]
        if not spans or len(spans) != len(values):
            return None
        return Condition(column.name, _spans(sign, spans))

    def _column(self, node: Node) -> Column | None:
        if node["class"] != "COLUMN_REF":
            return None
        *owner, name = (part.casefold() for part in node["column_names"])
        if owner != [self.alias.casefold()] and (owner or not self.alone):
            return None
        return next((each for each in self.table.columns if each.name.casefold() == name), None)


def _spans(sign: str, values: list[Span]) -> tuple[Span, ...]:
    """Return where a column lies that compares so with values, each widened to a span."""
    first, last = values[0], values[-1]
    if sign == "between":
        return (Span(first.low, last.high),)
    if sign in ("COMPARE_LESSTHAN", "COMPARE_LESSTHANOREQUALTO"):
        return (Span(None, first.high),)
    if sign in ("COMPARE_GREATERTHAN", "COMPARE_GREATERTHANOREQUALTO"):
        return (Span(first.low, None),)
    if len(values) <= _SPANS_MAX:
        return tuple(values)
    lows = [value.low for value in values if value.low is not None]
    highs = [value.high for value in values if value.high is not None]
    return (Span(min(lows), max(highs)),)


def _value(column: Column, node: Node) -> Span | None:
    """Return the span of one value that a literal is in the column's type."""
    found = _literal(node)
    if found is None:
        return None
    kind, text = found
    root = column.type.root
    if root in _TEXTS:
        return _only(text) if kind == "STRING" else None
    if root is Root.DATE:
        return _time(column, text) if kind in _DATE_CASTS and _DATE.fullmatch(text) else None
    if root in _TIMES:
        return _time(column, text) if kind in _TIME_CASTS and _TIME.fullmatch(text) else None
    if kind not in _NUMERALS:
        return None
    return _number(root, text)


def _literal(node: Node) -> tuple[str, str] | None:
    """Return the kind and text of a constant, the type for a kind if a text is cast to one."""
    cast = None
    if node["class"] == "CAST" and not node["try_cast"] and not node["type_expr"].get("children"):
        cast, node = node["type_expr"].get("type_name", "").upper(), node["child"]
    if node["class"] != "CONSTANT" or "text" not in node.get("literal", ()):
        return None
    kind, text = node["literal"]["kind"], node["literal"]["text"]
    if cast is None:
        return kind, text
    return (cast, text) if kind == "STRING" else None


def _number(root: Root, text: str) -> Span | None:
    if root in _INTEGERS and _INTEGER.fullmatch(text):
        return _only(int(text))
    if root is Root.DECIMAL and _DECIMAL.fullmatch(text):
        return _only(Decimal(text))
    if root is Root.DOUBLE and _DECIMAL.fullmatch(text):
        value = float(text)
        margin = abs(value) * _DOUBLE_MARGIN
        return Span(value - margin, value + margin)
    return None


def _time(column: Column, text: str) -> Span | None:
    try:
        value = literal(text, column.type)
    except UserError:
        return None
    plain = pa.int32() if column.type.root is Root.DATE else pa.int64()
    return _only(value.cast(plain).as_py())


def _only(value: Value) -> Span:
    return Span(value, value)
