"""More data than memory: load, update at random, restart and answer within `--memory`.

14 columns, about 150 bytes a row. Answers are checked, and so is what the process holds that the
kernel cannot evict, after every batch: the most must stay below the budget.
`--rows 50000000 --memory 4GB` takes 35 GB of disk and a quarter of an hour or more.
"""

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from bench.bench_engine import orders, rows
from kit.bench import record, record_rows, timed
from sluiceway.catalog import CreateDatabase, CreateTable
from sluiceway.catalog.option import SIZE
from sluiceway.warehouse import ServerOptions, Warehouse, WriteRequest
from sluiceway.warehouse.kernels.views import Int64s
from sluiceway.warehouse.query import run_sql
from sluiceway.warehouse.resident import resident

BATCH = 50_000
MADE = 4  # batches of values, used again and again with other keys
PRIME = 618_033_989  # so that updates touch each key at most once, without locality
LOG_KEPT_BYTES = 1 << 30
LOOKED_UP = 1_000
REQUEST = WriteRequest("bench", "orders")


class Bench:
    """One warehouse, and the most that its process held."""

    def __init__(self, folder: Path, limit_bytes: int, keys: int) -> None:
        self.folder = folder
        self.options = ServerOptions(memory=limit_bytes, log_keep_bytes=LOG_KEPT_BYTES)
        self.keys = keys
        self.peak_bytes = 0
        self.warehouse = self.opened()
        fresh = replace(orders(), id=0, generation=0, schema_version=0)
        self.warehouse.ddl([CreateDatabase("bench"), CreateTable(fresh)])
        self.table = self.warehouse.catalog.table("bench", "orders")
        self._made = [rows(self.table, np.arange(BATCH), seed) for seed in range(MADE)]

    def opened(self) -> Warehouse:
        """Open the folder."""
        return Warehouse.open(self.folder, options=self.options)

    def write(self, all_keys: Iterator[Int64s], quantity: int) -> None:
        """Upsert rows with a quantity, batch after batch."""
        for number, keys in enumerate(all_keys):
            self.warehouse.write(REQUEST, self._batch(number, keys, quantity))
            self.look()

    def _batch(self, number: int, keys: Int64s, quantity: int) -> pa.RecordBatch:
        made = self._made[number % MADE].slice(0, len(keys))
        amount = pa.array(np.full(len(keys), quantity, np.int32))
        made = made.set_column(made.schema.get_field_index("order_id"), "order_id", pa.array(keys))
        return made.set_column(made.schema.get_field_index("quantity"), "quantity", amount)

    def look(self) -> None:
        """Take note of what the process holds."""
        self.peak_bytes = max(self.peak_bytes, resident().total_bytes)

    def check(self, updated: int) -> None:
        """Count and sum all rows, and look some up."""
        snapshot = self.warehouse.snapshot()
        sql = "SELECT count(*), sum(quantity), min(order_id), max(order_id) FROM orders"
        (found,) = run_sql(snapshot, sql, "bench").read_all().to_pylist()
        wanted = [self.keys, self.keys + updated, 0, self.keys - 1]
        if list(found.values()) != wanted:
            raise AssertionError(f"{list(found.values())} is not {wanted}")
        self.look()
        keys = np.random.default_rng(1).integers(0, self.keys, LOOKED_UP)
        batch = pa.RecordBatch.from_arrays([pa.array(keys)], ["order_id"])
        back = snapshot.lookup(self.table, batch, None)
        if back.column("order_id").to_pylist() != keys.tolist():
            raise AssertionError("a key is not found")
        self.look()

    def restart(self) -> None:
        """Open again after a clean stop."""
        self.warehouse = self.opened()
        self.warehouse.snapshot().lookup(
            self.table, pa.RecordBatch.from_arrays([pa.array([0])], ["order_id"]), None
        )
        self.look()


def main() -> None:
    """Run all of it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--updates", type=int, default=0, help="0 = a fifth of the rows")
    parser.add_argument("--memory", type=SIZE.parse, default=SIZE.parse("1GB"))
    parser.add_argument("--folder", help="where the warehouse lies, for a while")
    asked = parser.parse_args()
    updates = asked.updates or asked.rows // 5
    with tempfile.TemporaryDirectory(dir=asked.folder) as name:
        bench = Bench(Path(name) / "data", asked.memory, asked.rows)
        try:
            _measure(bench, asked.rows, updates)
        finally:
            bench.warehouse.close()
    if bench.peak_bytes > asked.memory:
        raise AssertionError(f"{bench.peak_bytes} bytes were held, {asked.memory} allowed")


def _measure(bench: Bench, count: int, updates: int) -> None:
    size = f"memory.{count // 1_000_000}m_rows"
    record_rows(f"{size}.load", count, timed(lambda: bench.write(_numbers(count), 1)))
    changed = (keys * PRIME % count for keys in _numbers(updates))
    record_rows(f"{size}.update", updates, timed(lambda: bench.write(changed, 2)))
    record(f"{size}.answer", timed(lambda: bench.check(updates)).wall_s, "s")
    memory = bench.warehouse.stats().memory
    record(f"{size}.heap", memory["budget"]["heap_bytes"] / 1e6, "MB")
    for kind, used_bytes in memory["run"]["used_bytes_by_kind"].items():
        record(f"{size}.run.{kind}", used_bytes / 1e6, "MB")
    record(f"{size}.waits", memory["budget"]["waits"], "writes")
    record(f"{size}.stop", timed(bench.warehouse.close).wall_s, "s")
    files = [file.stat().st_size for file in bench.folder.rglob("*") if file.is_file()]
    record(f"{size}.disk", sum(files) / 1e6, "MB")
    record(f"{size}.restart", timed(bench.restart).wall_s, "s")
    record(f"{size}.answer_again", timed(lambda: bench.check(updates)).wall_s, "s")
    record(f"{size}.peak", bench.peak_bytes / 1e6, "MB")


def _numbers(until: int) -> Iterator[Int64s]:
    for first in range(0, until, BATCH):
        yield np.arange(first, min(first + BATCH, until))


if __name__ == "__main__":
    main()
