"""Which partitions of a table may have rows that a query asks for.

Invariant: a partition is left out only if its values, which all of its rows have, do not satisfy a
condition of the query.
"""

from collections.abc import Sequence
from itertools import compress

import pyarrow as pa

from sluiceway.catalog import Catalog, Root, Table, UserError, Values, literal, units_of
from sluiceway.warehouse.condition import Condition, Span, Value

_TEXTS = frozenset({Root.CHAR, Root.VARCHAR})


def units_for(catalog: Catalog, table: Table, conditions: Sequence[Condition]) -> list[int]:
    """The units of the partitions that may satisfy all conditions, oldest first."""
    asked = [each for each in conditions if each.column in table.partition_by]
    if not asked:
        return catalog.units(table)
    partitions = catalog.partitions_of(table)
    kept = compress(partitions.values(), (_meets(table, values, asked) for values in partitions))
    return [unit for partition in kept for unit in units_of(table, partition)]


def partition_condition(
    table: Table, column: str, values: Sequence[str] | None, low: str | None, high: str | None
) -> Condition:
    """The condition that a partition column is one of some values, or between two, as texts."""
    if column not in table.partition_by:
        raise UserError(
            f"Table {table.path} is not partitioned by {column!r}: partitions can be chosen by "
            f"{' or '.join(table.partition_by) or 'no column'}.",
            sqlstate="42P16",
        )
    if values is None:
        spans = [(low, high)]
    else:
        spans = [(value, value) for value in values]
    return Condition(
        column,
        tuple(Span(*(_comparable(table, column, bound) for bound in each)) for each in spans),
    )


def _meets(table: Table, values: Values, conditions: Sequence[Condition]) -> bool:
    by_name = dict(zip(table.partition_by, values, strict=True))
    for condition in conditions:
        value = _comparable(table, condition.column, by_name[condition.column])
        if not condition.meets(value, value):
            return False
    return True


def _comparable(table: Table, column: str, text: str | None) -> Value:
    """The value as conditions have it: a text, a number, a count of days."""
    kind = table.column(column).type
    if text is None or kind.root in _TEXTS:
        return text
    value = literal(text, kind)
    return value.cast(pa.int32()).as_py() if kind.root is Root.DATE else value.as_py()
