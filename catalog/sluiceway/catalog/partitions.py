"""List partitions: which values of a table's partition columns have one, and its number.

The rows of a table lie in *units*, one a partition and shard, numbered `partition id * MAX_SHARDS +
shard`: so the unit of a table without partitions is its shard, and no unit number is used twice.

Invariants: ids begin at 1, rise with birth and are never used again; values are texts as
`canonical_values` gives them, in the order of the partition columns, and each has one partition.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa

from sluiceway.catalog.errors import ExistsError, NotFoundError, UserError
from sluiceway.catalog.literals import scalar
from sluiceway.catalog.names import did_you_mean
from sluiceway.catalog.options import MAX_SHARDS
from sluiceway.catalog.table import Table

MAX_PARTITIONS = 10_000

Values = tuple[str, ...]


@dataclass(frozen=True)
class Partitions:
    """The living partitions of a table: their ids by values, oldest first."""

    ids: Mapping[Values, int] = field(default_factory=dict, hash=False)
    next_id: int = 1

    def with_new(self, table: Table, values: Values) -> Partitions:
        """Return the partitions with one more; ExistsError 42P07 if it is there."""
        if values in self.ids:
            raise ExistsError(f"Partition {spoken(table, values)} of {table.path} exists.")
        if len(self.ids) >= MAX_PARTITIONS:
            raise UserError(
                f"Partition {spoken(table, values)} cannot be created: {table.path} has "
                f"{MAX_PARTITIONS} partitions, which are the most. Drop some, or partition by a "
                "column with fewer values.",
                sqlstate="54000",
            )
        return Partitions({**self.ids, values: self.next_id}, self.next_id + 1)

    def without(self, table: Table, values: Values) -> Partitions:
        """Return the partitions without one; NotFoundError 42P01 if it is not there."""
        self.id_of(table, values)
        return replace(self, ids={key: n for key, n in self.ids.items() if key != values})

    def id_of(self, table: Table, values: Values) -> int:
        """Return the id of a partition; NotFoundError 42P01 with the nearest values."""
        found = self.ids.get(values)
        if found is None:
            known = (spoken(table, each) for each in self.ids)
            cure = did_you_mean(spoken(table, values), known)
            raise NotFoundError(
                f"Table {table.path} has no partition {spoken(table, values)}.{cure}"
            )
        return found

    def to_json(self) -> dict[str, Any]:
        """Return the object of a checkpoint's manifest."""
        return {"next": self.next_id, "living": [[n, *key] for key, n in self.ids.items()]}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Partitions:
        """Read what `to_json` wrote."""
        return cls({tuple(values): n for n, *values in document["living"]}, document["next"])


def unit_of(partition: int, shard: int) -> int:
    """Return the number of a unit."""
    return partition * MAX_SHARDS + shard


def partition_and_shard(unit: int) -> tuple[int, int]:
    """Return what a unit number is made of; partition 0 is that of a table without partitions."""
    return divmod(unit, MAX_SHARDS)


def units_of(table: Table, partition: int) -> Iterator[int]:
    """Yield the units of a partition, by shard."""
    return (unit_of(partition, shard) for shard in range(table.shards))


def canonical_values(table: Table, named: Mapping[str, str]) -> Values:
    """Return the values that a partition is named by, as they are kept."""
    if not table.partition_by:
        raise UserError(
            f"Table {table.path} is not partitioned: create it with PARTITIONED BY.",
            sqlstate="42809",
        )
    if named.keys() != set(table.partition_by):
        raise UserError(
            f"A partition of {table.path} is named by a value of {' and '.join(table.partition_by)}"
            f", not of {' and '.join(named) or 'nothing'}.",
            sqlstate="42P16",
        )
    kinds = {name: table.column(name).type for name in table.partition_by}
    values = (scalar(named[name], kinds[name]).cast(pa.string()) for name in table.partition_by)
    return tuple(value.as_py() for value in values)


def spoken(table: Table, values: Values) -> str:
    """Return a partition's name as people write it: `ds='2024-01-01'/hour='7'`."""
    pairs = zip(table.partition_by, values, strict=True)
    return "/".join(f"{name}={value!r}" for name, value in pairs)
