"""All rows of all tables at one LSN.

Invariant: a snapshot keeps the state it was made from, and LSN n is kept for it, so it shows the
same rows for as long as it lives, whatever is written, altered or dropped meanwhile; making one
copies nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from sluiceway.catalog import Catalog, Table, UserError, partition_and_shard
from sluiceway.warehouse.condition import Condition
from sluiceway.warehouse.horizon import Pin
from sluiceway.warehouse.pruning import units_for
from sluiceway.warehouse.state import View, dropped
from sluiceway.warehouse.table import (
    POSITION,
    HeldPoint,
    ShardView,
    TooOldError,
    joined,
    unit_of_rows,
)

_PARTITION_POSITIONS = 1 << 40


class Snapshot:
    """A consistent cut through the warehouse."""

    def __init__(self, state: View, lsn: int, catalog: Catalog, pin: Pin) -> None:
        self.state = state
        self._pin = pin
        self.lsn = lsn
        self.catalog = catalog
        self._points: dict[tuple[int, tuple[str, ...] | None], HeldPoint] = {}

    def table(self, database: str, name: str) -> Table:
        """The table as it was at this LSN, or NotFoundError."""
        return self.catalog.table(database, name)

    def scan(
        self,
        table: Table,
        shard: int | None,
        columns: Sequence[str] | None,
        start: int = 0,
        batch_rows: int = 8192,
        conditions: Sequence[Condition] = (),
    ) -> Iterator[tuple[pa.RecordBatch, int]]:
        """Visible rows from position `start`, each batch with where to resume.

        Positions count within a shard, so reading all shards (None) starts at 0. There the rows
        stand partition by partition, the oldest first, and in a partition in birth order: position
        = partition id * 2^40 + birth ordinal. Partitions that do not satisfy all conditions are
        left out.
        """
        if shard is None and start and table.shards > 1:
            raise UserError(f"table {table.name}: resuming at position {start} needs a shard")
        if shard is not None and not 0 <= shard < table.shards:
            raise UserError(f"table {table.name} has {table.shards} shards; there is no {shard}")
        first, ordinal = divmod(start, _PARTITION_POSITIONS)
        for unit, rows in self._units(table, conditions):
            partition, owner = partition_and_shard(unit)
            if partition < first or shard not in (None, owner):
                continue
            base = partition * _PARTITION_POSITIONS
            begin = ordinal if partition == first else 0
            for batch, resume in rows.scan(self.lsn, table, columns, begin, batch_rows):
                yield batch, base + resume

    def batches(
        self,
        table: Table,
        columns: Sequence[str] | None,
        conditions: Sequence[Condition] = (),
    ) -> list[pa.RecordBatch]:
        """Live buffers of all shards: RecordBatch[columns…] or RecordBatch[columns…, _mark: int64].

        A row is visible iff `_mark < 2^63 - 1 - lsn`, or there is no `_mark`; rows that do not
        satisfy all conditions may be left out.
        """
        return [
            batch
            for _, rows in self._units(table, conditions)
            for batch in rows.batches(self.lsn, table, columns, conditions)
        ]

    def count(self, table: Table) -> int:
        """How many rows a table has."""
        return sum(rows.count(self.lsn) for _, rows in self._units(table))

    def _units(
        self, table: Table, conditions: Sequence[Condition] = ()
    ) -> list[tuple[int, ShardView]]:
        """What holds the rows of a table at this LSN, by unit, the oldest partition first."""
        shards = self._shards(table)
        if not table.partition_by:
            return list(shards.items())
        # A unit that is gone has no row at any LSN that is kept: its partition was dropped.
        units = units_for(self.catalog, table, conditions)
        return [(unit, shards[unit]) for unit in units if unit in shards]

    def _shards(self, table: Table) -> Mapping[int, ShardView]:
        """What holds a table's rows; one that is not in the catalog was dropped."""
        if table.id not in self.catalog.tables:
            raise dropped(table, self.lsn)
        return self.state.shards_of(table)

    def get(
        self, table: Table, key: Sequence[Any], columns: Sequence[str] | None = None
    ) -> tuple[Any, ...] | None:
        """The row of one primary key as Python values, None if there is none.

        `key` has a value for each column of the primary key, in the key's order; the values
        returned are those of `columns`, or of all. Much faster than `lookup` for one key.
        """
        asked = (table.id, None if columns is None else tuple(columns))
        held = self._points.get(asked)
        if held is None or held[1].layout.table is not table:
            if not table.primary_key:
                raise UserError(
                    f"table {table.path} has no primary key to get a row by: scan it",
                    sqlstate="42P10",
                )
            shards = self._shards(table)
            if table.shards > 1 or table.partition_by:
                return self._get_from(shards, table, key, columns)
            held = self._points[asked] = shards[0].point(table, asked[1])
        try:
            return held[1].read(key, self.lsn)
        except TooOldError:
            self._points.pop(asked, None)
            return self.get(table, key, columns)

    def _get_from(
        self,
        shards: Mapping[int, ShardView],
        table: Table,
        key: Sequence[Any],
        columns: Sequence[str] | None,
    ) -> tuple[Any, ...] | None:
        owner = self._owner(table, key)
        for unit in shards if owner is None else (owner,):
            rows = shards.get(unit)
            row = None if rows is None else rows.read_row(key, self.lsn, table, columns)
            if row is not None:
                return row
        return None

    def _owner(self, table: Table, key: Sequence[Any]) -> int | None:
        """The unit of a key, -1 if there is none; None if Arrow cannot tell, and shards shall."""
        if len(key) != len(table.primary_key) or None in key:
            return None
        types = [table.column(name).type.arrow() for name in table.primary_key]
        try:
            arrays = [pa.array([value], kind) for value, kind in zip(key, types, strict=True)]
        except (pa.ArrowException, OverflowError, TypeError, ValueError):
            return None
        batch = pa.RecordBatch.from_arrays(arrays, schema=table.arrow_schema(table.primary_key))
        return int(unit_of_rows(table, self.catalog.partitions.get(table.id), batch)[0])

    def lookup(
        self, table: Table, keys: pa.RecordBatch, columns: Sequence[str] | None
    ) -> pa.RecordBatch:
        """Rows by primary key: RecordBatch[_pos: int32, columns…] in the order of the keys."""
        shards = self._shards(table)
        if table.shards == 1 and not table.partition_by:
            return shards[0].lookup(keys, self.lsn, table, columns)
        owner = unit_of_rows(table, self.catalog.partitions.get(table.id), keys)
        found = []
        for unit in shards.keys() & np.unique(owner).tolist():
            rows = np.flatnonzero(owner == unit)
            part = shards[unit].lookup(keys.take(pa.array(rows)), self.lsn, table, columns)
            place = rows[part.column(0).to_numpy()].astype(np.int32)
            found.append(part.set_column(0, part.schema.field(0), pa.array(place)))
        if not found:
            schema = table.arrow_schema(columns).insert(0, POSITION)
            return pa.RecordBatch.from_pylist([], schema)
        together = joined(found, "look up fewer keys at once")
        return together.take(pa.array(np.argsort(together.column(0).to_numpy(), kind="stable")))
