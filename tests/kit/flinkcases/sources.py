"""The source tables of a world, and rows as values, Arrow and DuckDB have them.

A row is a tuple in the order of the table's columns. The Arrow types here are the kit's own: what
DuckDB is asked does not pass through the store.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

Row = tuple[Any, ...]

ARROW = {
    "INT": pa.int32(),
    "BIGINT": pa.int64(),
    "STRING": pa.string(),
    "DECIMAL(10, 2)": pa.decimal128(10, 2),
    "DOUBLE": pa.float64(),
    "BOOLEAN": pa.bool_(),
    "TIMESTAMP(3)": pa.timestamp("us"),
}


@dataclass(frozen=True)
class Source:
    """A table that queries read."""

    name: str
    columns: dict[str, str]  # SQL types by name
    key: tuple[str, ...] = ()
    event_time: bool = False  # has `ts`, which gets a watermark

    def arrow(self, rows: Sequence[Row]) -> pa.Table:
        """Return rows as DuckDB is to see them."""
        schema = pa.schema([(name, ARROW[kind]) for name, kind in self.columns.items()])
        values = list(zip(*rows, strict=True)) or [()] * len(schema)
        return pa.table([pa.array(v, t) for v, t in zip(values, schema.types, strict=True)], schema)

    def key_of(self, row: Row) -> Row:
        """Return a row's key."""
        return tuple(v for v, name in zip(row, self.columns, strict=True) if name in self.key)


@dataclass(frozen=True)
class Layout:
    """How a table is kept: drawn at random, without a meaning for its rows."""

    shards: int = 1
    orientation: str = "column"

    @property
    def options(self) -> dict[str, str]:
        """Return the table's properties."""
        return {"table_property.orientation": self.orientation}


@dataclass(frozen=True)
class Change:
    """One row of a batch, by Flink's RowKind: 0 insert, 1 before, 2 after, 3 delete."""

    op: int
    row: Row


@dataclass
class Commit:
    """Rows written together: one batch a table, in one transaction or one after another."""

    changes: dict[str, list[Change]] = field(default_factory=dict)
    together: bool = False
    settle: bool = False  # wait until the job has read all of it

    def add(self, table: str, op: int, row: Row) -> None:
        """Add a row."""
        self.changes.setdefault(table, []).append(Change(op, row))


FACTS = Source(
    "facts",
    {
        "id": "BIGINT",
        "g": "INT",
        "u": "INT",
        "v": "INT",
        "big": "BIGINT",
        "name": "STRING",
        "d": "DECIMAL(10, 2)",
        "x": "DOUBLE",
        "b": "BOOLEAN",
        "ts": "TIMESTAMP(3)",
    },
    ("id",),
)
OTHERS = Source(
    "others",
    {"rid": "BIGINT", "k": "INT", "w": "INT", "label": "STRING", "d": "DECIMAL(10, 2)"},
    ("rid",),
)
FIXED = Source("fixed", {"k": "INT", "w": "INT", "label": "STRING"}, ("k",))
_EVENT = {"id": "BIGINT", "k": "INT", "v": "INT", "ts": "TIMESTAMP(3)"}
LEFT = Source("lefts", _EVENT, event_time=True)
RIGHT = Source("rights", _EVENT, ("id",), event_time=True)
RATES = Source(
    "rates", {"k": "INT", "rate": "DECIMAL(10, 2)", "ts": "TIMESTAMP(3)"}, ("k",), event_time=True
)
SOURCES = {source.name: source for source in (FACTS, OTHERS, FIXED, LEFT, RIGHT, RATES)}

# Keys from here on belong to the rows that push the watermark at the end.
FAR = 1_000_000
