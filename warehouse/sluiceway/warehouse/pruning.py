"""Which partitions of a table may have rows that a query asks for.

Invariant: a partition is left out only if its values, which all of its rows have, do not satisfy a
condition of the query.
"""

from collections.abc import Sequence
from itertools import compress

import pyarrow as pa

from sluiceway.catalog import Catalog, Root, Table, Values, literal, units_of
from sluiceway.warehouse.condition import Condition, Value

_TEXTS = frozenset({Root.CHAR, Root.VARCHAR})


def units_for(catalog: Catalog, table: Table, conditions: Sequence[Condition]) -> list[int]:
    """The units of the partitions that may satisfy all conditions, oldest first."""
    asked = [each for each in conditions if each.column in table.partition_by]
    if not asked:
        return catalog.units(table)
    partitions = catalog.partitions_of(table)
    kept = compress(partitions.values(), (_meets(table, values, asked) for values in partitions))
    return [unit for partition in kept for unit in units_of(table, partition)]


def _meets(table: Table, values: Values, conditions: Sequence[Condition]) -> bool:
    by_name = dict(zip(table.partition_by, values, strict=True))
    for condition in conditions:
        value = _comparable(table, condition.column, by_name[condition.column])
        if not condition.meets(value, value):
            return False
    return True


def _comparable(table: Table, column: str, text: str) -> Value:
    """The value as conditions have it: a text, a number, a count of days."""
    kind = table.column(column).type
    if kind.root in _TEXTS:
        return text
    value = literal(text, kind)
    return value.cast(pa.int32()).as_py() if kind.root is Root.DATE else value.as_py()
