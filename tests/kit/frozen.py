"""A snapshot of Arrow batches at hand, for tests of queries without a store."""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from sluiceway.catalog import Catalog, Table
from sluiceway.warehouse.condition import Condition

LSN = 100
NEVER = 2**63 - 1


class Frozen:
    """A snapshot of Arrow batches that counts how it is asked."""

    lsn = LSN

    def __init__(self, catalog: Catalog, rows: Mapping[str, pa.RecordBatch]) -> None:
        self.catalog = catalog
        self.rows = rows
        self.scans: list[tuple[str, ...]] = []
        self.keys: list[dict[str, Any]] = []

    def batches(
        self, table: Table, columns: Sequence[str] | None, conditions: Sequence[Condition] = ()
    ) -> list[pa.RecordBatch]:
        self.scans.append(tuple(columns or table.column_names))
        batch = self.rows[table.path].select([*self.scans[-1], "_mark"])
        pieces = [batch.slice(0, 2), batch.slice(2)] if batch.num_rows else []
        return [p if any(p["_mark"].to_pylist()) else p.drop_columns(["_mark"]) for p in pieces]

    def count(self, table: Table) -> int:
        return pc.sum(pc.less(self.rows[table.path]["_mark"], NEVER - self.lsn)).as_py() or 0

    def lookup(
        self, table: Table, keys: pa.RecordBatch, columns: Sequence[str] | None
    ) -> pa.RecordBatch:
        (key,) = keys.to_pylist()
        self.keys.append(key)
        rows = self.rows[table.path]
        chosen = pc.less(rows["_mark"], NEVER - LSN)
        for name, value in key.items():
            same = pc.equal(rows[name], pa.scalar(value, rows[name].type))
            chosen = pc.and_(chosen, same)
        found = rows.filter(chosen).select(columns or table.column_names)
        positions = pa.array([0] * found.num_rows, pa.int32())
        names = ["_pos", *found.schema.names]
        return pa.RecordBatch.from_arrays([positions, *found.columns], names=names)
