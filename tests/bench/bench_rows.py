"""What the row-major copy gives to look-ups and takes from writes, beside the same table without.

Both tables get the same rows and are asked for the same keys in turn; ten types in turn, a tenth of
the columns strings of 19 bytes.
"""

import argparse
import statistics
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa

from kit.bench import record, timed
from sluiceway.catalog import Column, Table, parse_type
from sluiceway.warehouse.kernels.views import Int64s
from sluiceway.warehouse.table import Memory, Shard, prepare

KINDS = (
    "BIGINT", "BIGINT", "DECIMAL(15, 2)", "DOUBLE", "INT", "SMALLINT", "BOOLEAN", "DATE",
    "TIMESTAMP(3)", "STRING",
)  # fmt: skip
BATCH_ROWS, UPDATES = 10_000, 20
KEYS, TURNS = 1_000, 300
ASKED = (4, 10, 20, 30, 50)


def table_of(columns: int, orientation: str) -> Table:
    """A table of so many columns."""
    made = [
        Column(at + 1, f"c{at}", parse_type(KINDS[at % len(KINDS)]), nullable=at > 0)
        for at in range(columns)
    ]
    return Table(
        "bench", "wide", tuple(made), ("c0",), id=1, schema_version=1, shards=1,
        options={"table_property.orientation": orientation},
    )  # fmt: skip


def rows_of(table: Table, keys: Int64s, random: np.random.Generator) -> pa.RecordBatch:
    """One row a key."""
    names = pa.array([f"customer name {number:05}" for number in range(1_000)])
    arrays = [pa.array(np.zeros(len(keys), np.int8)), pa.array(keys)]
    for column in table.columns[1:]:
        kind, numbers = column.type.arrow(), random.integers(1, 30_000, len(keys))
        if pa.types.is_string(kind):
            arrays.append(names.take(pa.array(numbers % 1_000)))
        elif pa.types.is_timestamp(kind):
            arrays.append(pa.array(numbers).cast(kind))
        else:
            arrays.append(pa.array(numbers.astype(np.int32)).cast(kind))
    return pa.RecordBatch.from_arrays(arrays, ["_op", *table.column_names])


class Bench:
    """One shard and what its writes took."""

    def __init__(self, columns: int, orientation: str, memory: Memory) -> None:
        self.table = table_of(columns, orientation)
        self.shard = Shard(self.table, 0, memory)
        self.lsn = 0
        self._random = np.random.default_rng(1)

    def write(self, keys: Int64s) -> float:
        """Merge and publish one row a key; return the processor time of it in seconds."""
        batch = rows_of(self.table, keys, self._random)
        positions = np.arange(len(keys), dtype=np.int32)
        self.lsn += 2 * len(keys) + 1

        def work() -> None:
            ops, rows = prepare(self.table, batch, partial=False)
            self.shard.merge(
                rows, ops, conflict="update", partial=False, positions=positions,
                commit_lsn=self.lsn,
            )  # fmt: skip
            self.shard.publish(self.lsn, self.lsn)

        return timed(work).cpu_s

    def look_up(self, keys: Int64s, names: list[str]) -> float:
        """Look keys up; return the seconds that it took."""
        request = pa.record_batch([pa.array(keys)], ["c0"])
        return timed(lambda: self._look_up(request, names)).wall_s

    def _look_up(self, request: pa.RecordBatch, names: list[str]) -> None:
        found = self.shard.lookup(request, self.lsn, self.table, names)
        assert found.num_rows == request.num_rows


def measure(columns: int, rows: int, memories: list[Memory]) -> None:
    """Write both tables in turn, then look up in turn."""
    random = np.random.default_rng(2)
    orientations = ("column", "row,column")
    pair = [Bench(columns, o, m) for o, m in zip(orientations, memories, strict=True)]
    loads = [np.arange(at, at + BATCH_ROWS) for at in range(0, rows, BATCH_ROWS)]
    updates = [random.choice(rows, BATCH_ROWS, replace=False) for _ in range(UPDATES)]
    for name, batches in (("insert", loads), ("update", updates)):
        spent = [[bench.write(keys) for bench in pair] for keys in batches]
        for orientation, times in zip(orientations, zip(*spent, strict=True), strict=True):
            each_us = statistics.median(times) / BATCH_ROWS * 1e6
            record(f"rows.{columns}.{orientation}.{name}.cpu_us_per_row", each_us, "us")
    for orientation, bench in zip(orientations, pair, strict=True):
        size = bench.shard.stats().bytes / bench.shard.stats().versions
        record(f"rows.{columns}.{orientation}.bytes_per_row", size, "bytes")
    for asked in sorted({min(asked, columns) for asked in ASKED}):
        names = [f"c{at}" for at in range(columns - asked, columns)]
        keys = [random.integers(0, rows, KEYS) for _ in range(TURNS)]
        spent = [[bench.look_up(some, names) for bench in pair] for some in keys]
        column, row = (statistics.median(times) for times in zip(*spent, strict=True))
        record(f"rows.{columns}.lookup.{asked}.column", column / KEYS * 1e6, "us a key")
        record(f"rows.{columns}.lookup.{asked}.row", row / KEYS * 1e6, "us a key")
        record(f"rows.{columns}.lookup.{asked}.ratio", column / row, "times as fast")


def main() -> None:
    """Measure tables of 14 and of 50 columns."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=500_000)
    rows = parser.parse_args().rows
    for columns in (14, 50):
        with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
            memories = [Memory(Path(folder) / name) for name in ("column", "row")]
            measure(columns, rows, memories)
            for memory in memories:
                memory.close()


if __name__ == "__main__":
    main()
