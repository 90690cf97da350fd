"""All rows of all tables at one LSN.

Invariant: a snapshot keeps the state it was made from, and LSN n is kept for it, so it shows the
same rows for as long as it lives, whatever is written, altered or dropped meanwhile; making one
copies nothing.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from sluiceway.catalog import Catalog, Table, UserError
from sluiceway.warehouse.condition import Condition
from sluiceway.warehouse.horizon import Pin
from sluiceway.warehouse.state import View
from sluiceway.warehouse.table import shard_of


class Snapshot:
    """A consistent cut through the warehouse."""

    def __init__(self, state: View, lsn: int, catalog: Catalog, pin: Pin) -> None:
        self._state = state
        self._pin = pin
        self.lsn = lsn
        self.catalog = catalog

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
    ) -> Iterator[tuple[pa.RecordBatch, int]]:
        """Visible rows in birth order from ordinal `start`, each batch with where to resume.

        Ordinals count within a shard, so reading all shards (None) starts at 0.
        """
        shards = self._state.shards_of(table)
        if shard is None:
            if start and len(shards) > 1:
                raise UserError(f"table {table.name}: resuming at ordinal {start} needs a shard")
            chosen = shards
        elif 0 <= shard < len(shards):
            chosen = shards[shard : shard + 1]
        else:
            raise UserError(f"table {table.name} has {len(shards)} shards; there is no {shard}")
        for one in chosen:
            yield from one.scan(self.lsn, table, columns, start, batch_rows)

    def batches(
        self,
        table: Table,
        columns: Sequence[str] | None,
        conditions: Sequence[Condition] = (),
    ) -> list[pa.RecordBatch]:
        """Live buffers of all shards: RecordBatch[columns…, _mark: int64].

        A row is visible iff `_mark < 2^63 - 1 - lsn`; rows that do not satisfy all conditions may
        be left out.
        """
        shards = self._state.shards_of(table)
        return [b for shard in shards for b in shard.batches(self.lsn, table, columns, conditions)]

    def count(self, table: Table) -> int:
        """How many rows a table has."""
        return sum(shard.count(self.lsn) for shard in self._state.shards_of(table))

    def get(
        self, table: Table, key: Sequence[Any], columns: Sequence[str] | None = None
    ) -> tuple[Any, ...] | None:
        """The row of one primary key as Python values, None if there is none.

        `key` has a value for each column of the primary key, in the key's order; the values
        returned are those of `columns`, or of all. Much faster than `lookup` for one key.
        """
        if not table.primary_key:
            raise UserError(
                f"table {table.path} has no primary key to get a row by: scan it",
                sqlstate="42P10",
            )
        shards = self._state.shards_of(table)
        owner = 0 if len(shards) == 1 else _owner(table, key)
        for shard in shards if owner is None else (shards[owner],):
            row = shard.read_row(key, self.lsn, table, columns)
            if row is not None:
                return row
        return None

    def lookup(
        self, table: Table, keys: pa.RecordBatch, columns: Sequence[str] | None
    ) -> pa.RecordBatch:
        """Rows by primary key: RecordBatch[_pos: int32, columns…] in the order of the keys."""
        shards = self._state.shards_of(table)
        if len(shards) == 1:
            return shards[0].lookup(keys, self.lsn, table, columns)
        owner = shard_of(table, keys)
        found = []
        for number, shard in enumerate(shards):
            rows = np.flatnonzero(owner == number)
            if len(rows):
                part = shard.lookup(keys.take(pa.array(rows)), self.lsn, table, columns)
                place = rows[part.column(0).to_numpy()].astype(np.int32)
                found.append(part.set_column(0, part.schema.field(0), pa.array(place)))
        if not found:
            return shards[0].lookup(keys, self.lsn, table, columns)
        together = pa.Table.from_batches(found).combine_chunks()
        order = np.argsort(together.column(0).to_numpy(), kind="stable")
        merged = together.take(pa.array(order)).combine_chunks()
        return next(iter(merged.to_batches()), found[0].slice(0, 0))


def _owner(table: Table, key: Sequence[Any]) -> int | None:
    """The shard of a key; None if Arrow cannot tell, and the shards themselves shall."""
    if len(key) != len(table.primary_key) or None in key:
        return None
    types = [table.column(name).type.arrow() for name in table.primary_key]
    try:
        arrays = [pa.array([value], kind) for value, kind in zip(key, types, strict=True)]
    except (pa.ArrowException, OverflowError, TypeError, ValueError):
        return None
    batch = pa.RecordBatch.from_arrays(arrays, schema=table.arrow_schema(table.primary_key))
    return int(shard_of(table, batch)[0])
