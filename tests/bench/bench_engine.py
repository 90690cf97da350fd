"""How fast one shard merges, looks up and scans, in process and without the log.

The table is the tutorial's size: 14 columns, about 150 bytes a row, four of them strings.
"""

import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa

from kit.bench import Timing, record, record_rows, timed
from sluiceway.catalog import Column, Table, parse_type
from sluiceway.warehouse.kernels.views import Int64s
from sluiceway.warehouse.table import Memory, Shard, prepare

ROWS = 1_000_000
BATCHES = 20
TYPES = {
    "order_id": "BIGINT",
    "user_id": "BIGINT",
    "amount": "DECIMAL(15, 2)",
    "price": "DOUBLE",
    "quantity": "INT",
    "status": "SMALLINT",
    "paid": "BOOLEAN",
    "day": "DATE",
    "created": "TIMESTAMP(3)",
    "updated": "TIMESTAMP(3)",
    "name": "STRING",
    "city": "STRING",
    "address": "STRING",
    "remark": "STRING",
}


def orders() -> Table:
    """Return the table that is measured."""
    columns = tuple(
        Column(at + 1, name, parse_type(kind), nullable=at > 0)
        for at, (name, kind) in enumerate(TYPES.items())
    )
    key = ("order_id",)
    return Table("bench", "orders", columns, key, 1, None, 1, 1, key, (), 1)


def rows(table: Table, keys: Int64s, seed: int) -> pa.RecordBatch:
    """Return a writer's batch of one row a key."""
    random = np.random.default_rng(seed)
    count = len(keys)
    numbers = pa.array(random.integers(1, 30_000, count))
    names = pa.array([f"customer name {n:05}" for n in range(1000)])
    some = pa.array(random.integers(0, 1000, count))
    values = {"order_id": pa.array(keys), "paid": pa.array(random.random(count) < 0.5)}
    arrays = [pa.array(np.zeros(count, np.int8))]
    for column in table.columns:
        kind = column.type.arrow()
        if pa.types.is_string(kind):
            values[column.name] = names.take(some)
        elif column.name not in values:
            values[column.name] = _number(numbers, kind)
        arrays.append(values[column.name])
    remarks = pa.array([None, "a remark"])
    arrays[-1] = remarks.take(pa.array(random.integers(0, 2, count)))
    return pa.RecordBatch.from_arrays(arrays, ["_op", *table.column_names])


def _number(numbers: pa.Array, kind: pa.DataType) -> pa.Array:
    if pa.types.is_decimal(kind):
        return numbers.cast(pa.decimal128(19, 0)).cast(kind)
    if pa.types.is_date32(kind):
        return numbers.cast(pa.int32()).cast(kind)
    return numbers.cast(kind)


class Bench:
    """One shard with a clock of its own."""

    def __init__(self, memory: Memory) -> None:
        self.table = orders()
        self.shard = Shard(self.table, 0, memory)
        self.lsn = 0

    def write(self, batch: pa.RecordBatch) -> None:
        """Merge and publish one batch."""
        ops, checked = prepare(self.table, batch, partial=False)
        positions = np.arange(batch.num_rows, dtype=np.int32)
        self.lsn += 2 * batch.num_rows + 1
        self.shard.merge(
            checked,
            ops,
            conflict="update",
            partial=False,
            positions=positions,
            commit_lsn=self.lsn,
        )
        self.shard.publish(self.lsn, self.lsn)

    def load(self) -> None:
        """Insert all rows."""
        batches = [
            rows(self.table, np.arange(at, at + 50_000), at) for at in range(0, ROWS, 50_000)
        ]
        record_rows("engine.insert.50k", ROWS, timed(lambda: self._all(batches)))

    def update(self, size: int) -> None:
        """Update rows at random, `size` a batch."""
        random = np.random.default_rng(size)
        keys = [random.choice(ROWS, size, replace=False) for _ in range(BATCHES)]
        batches = [rows(self.table, some, at) for at, some in enumerate(keys)]
        self.write(batches[0])
        timing = timed(lambda: self._all(batches[1:]))
        record_rows(f"engine.upsert.{size}", size * (BATCHES - 1), timing)

    def _all(self, batches: list[pa.RecordBatch]) -> None:
        for batch in batches:
            self.write(batch)

    def lookup(self, size: int, repeats: int) -> None:
        """Look up keys at random, all columns."""
        random = np.random.default_rng(size)
        requests = [
            pa.record_batch({"order_id": random.integers(0, ROWS, size)}) for _ in range(repeats)
        ]
        self.shard.lookup(requests[0], self.lsn, self.table, None)

        def work() -> None:
            for keys in requests:
                self.shard.lookup(keys, self.lsn, self.table, None)

        record_rows(f"engine.lookup.{size}", size * repeats, timed(work))

    def scan(self) -> None:
        """Read every visible row once."""
        seen = 0

        def work() -> None:
            nonlocal seen
            for batch, _ in self.shard.scan(self.lsn, self.table, None, 0, 8192):
                seen += batch.num_rows

        timing = timed(work)
        record_rows("engine.scan.8192", seen, timing)

    def reload(self, memory: Memory) -> None:
        """Build the shard again from its images."""
        images = self.shard.images(self.lsn)

        def work() -> None:
            Shard.load(self.table, 0, memory, images, self.lsn, lambda _: self.table).close()

        timing: Timing = timed(work)
        record("engine.load.s", timing.wall_s, "s")


def main() -> None:
    """Measure one shard of a million rows."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as directory:
        memory = Memory(Path(directory))
        bench = Bench(memory)
        bench.load()
        bench.update(1_000)
        bench.update(10_000)
        bench.update(50_000)
        bench.lookup(1, 2_000)
        bench.lookup(1_000, 200)
        bench.scan()
        bench.reload(memory)
        memory.close()


if __name__ == "__main__":
    main()
