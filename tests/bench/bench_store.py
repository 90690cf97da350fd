"""How fast the store commits durably, feeds subscribers and starts again, in process.

Half of the keys of a batch are stored already, half are new; 14 columns, about 150 bytes a row.
`--rows 10000000` loads that many, then measures checkpoint and restart alone.
"""

import argparse
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pyarrow as pa

from bench.bench_engine import orders, rows
from kit.bench import record, record_rows, timed
from sluiceway.catalog import CreateDatabase, CreateTable, Table
from sluiceway.warehouse import ServerOptions, Warehouse, WriteRequest

LOADED = 1_000_000
REPLAYED_BYTES = 100_000_000
LOAD_BATCH = 50_000
REQUEST = WriteRequest("bench", "orders")
WRITERS = 8


class Bench:
    """One warehouse and the batches that go into it."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.folder = folder
        self._options = ServerOptions(checkpoint_log_bytes=0, **options)
        self.warehouse = self.opened()
        fresh = replace(orders(), id=0, generation=0, schema_version=0)
        self.warehouse.ddl([CreateDatabase("bench"), CreateTable(fresh)])
        self.table: Table = self.warehouse.catalog.table("bench", "orders")
        self.random = np.random.default_rng(1)
        self.next_key = 0

    def opened(self) -> Warehouse:
        """Open the folder; checkpoints only when asked for."""
        return Warehouse.open(self.folder, options=self._options)

    def batches(self, count: int, size: int, *, fresh: float = 0.5) -> list[pa.RecordBatch]:
        """Batches of new and old keys."""
        made = []
        for number in range(count):
            new = int(size * fresh)
            keys = np.arange(self.next_key, self.next_key + new)
            old = self.random.integers(0, max(self.next_key, 1), size - new)
            self.next_key += new
            made.append(rows(self.table, np.concatenate([keys, old]), number))
        return made

    def write(self, batches: list[pa.RecordBatch]) -> None:
        """Commit one after the other."""
        for batch in batches:
            self.warehouse.write(REQUEST, batch)

    def write_at_once(self, batches: list[pa.RecordBatch]) -> None:
        """Commit from several threads."""
        with ThreadPoolExecutor(WRITERS) as pool:
            list(pool.map(lambda batch: self.warehouse.write(REQUEST, batch), batches))

    def compact_until(self, ended: Event) -> int:
        """Compact again and again; returns how many rows moved."""
        while not ended.is_set():
            self.warehouse.compact()
        return int(self.warehouse.stats().space["compaction"]["moved_rows"])

    def checkpoint(self) -> None:
        """Write a checkpoint."""
        self.warehouse.checkpoint()

    def read(self, start: int) -> int:
        """Read the changelog from an LSN to its end; returns the number of events."""
        reader = self.warehouse.changelog(
            self.table, 0, start, until=self.warehouse.published, batch_rows=8_192
        )
        events = 0
        while True:
            batch = reader.read(10)
            events += int(batch.batch.num_rows)
            if batch.done:
                return events


def main() -> None:
    """Measure and record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=LOADED, help="rows stored before a restart")
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as folder:
        if rows == LOADED:
            _stalls(Path(folder) / "stalls")
        bench = Bench(Path(folder) / "data")
        _load(bench, rows)
        if rows == LOADED:
            _writes(bench)
            _reads(bench)
        _restarts(bench, rows)


def _load(bench: Bench, rows: int) -> None:
    bench.write(bench.batches(2, 1_000))
    for done in range(0, rows, LOADED):
        count = min(LOADED, rows - done)
        batches = bench.batches(-(-count // LOAD_BATCH), LOAD_BATCH, fresh=1.0)
        took = timed(partial(bench.write, batches))
    record_rows("store.load.50k", count, took)


def _writes(bench: Bench) -> None:
    for name, size, count in (("10k", 10_000, 20), ("1k", 1_000, 100)):
        some = bench.batches(count, size)
        record_rows(f"store.upsert.{name}", size * count, timed(partial(bench.write, some)))
    many = bench.batches(200, 1_000)
    before = bench.warehouse.stats().log
    took = timed(lambda: bench.write_at_once(many))
    record_rows(f"store.upsert.1k.{WRITERS}_writers", 200_000, took)
    commits = bench.warehouse.stats().log["commits"] - before["commits"]
    record(f"store.upsert.1k.{WRITERS}_writers.batches_per_commit", 200 / commits, "batches")


def _stalls(folder: Path) -> None:
    """How long commits take: while a table grows, updates alone, updates beside compaction."""
    bench = Bench(folder, history_s=0)
    try:
        bench.write(bench.batches(1, 10_000))
        _record_commits("growth", bench, bench.batches(200, 10_000, fresh=1.0))
        _record_commits("updates", bench, bench.batches(100, 10_000, fresh=0.0))
        some = bench.batches(200, 10_000, fresh=0.0)
        with ThreadPoolExecutor(1) as pool:
            ended = Event()
            compacting = pool.submit(bench.compact_until, ended)
            _record_commits("updates_beside_compaction", bench, some)
            ended.set()
            record("store.commits.updates_beside_compaction.moved", compacting.result(), "rows")
        longest_s = bench.warehouse.stats().space["pauses"]["longest_s"]
        record("store.commits.longest_wait_for_compaction", longest_s * 1_000, "ms")
    finally:
        bench.warehouse.close()


def _record_commits(name: str, bench: Bench, batches: list[pa.RecordBatch]) -> None:
    times_ms = [timed(partial(bench.write, [batch])).wall_s * 1_000 for batch in batches]
    found = np.percentile(times_ms, [50, 99, 100]).tolist()
    for what, value in zip(("p50", "p99", "max"), found, strict=True):
        record(f"store.commits.{name}.{what}", value, "ms")


def _reads(bench: Bench) -> None:
    found: list[int] = []
    middle = bench.warehouse.published - 400_000
    took = timed(lambda: found.append(bench.read(middle)))
    record_rows("store.changelog.newest", found[-1], took)
    took = timed(lambda: found.append(bench.read(1)))
    record_rows("store.changelog.all", found[-1], took)


def _restarts(bench: Bench, rows: int) -> None:
    size = f"{rows // 1_000_000}m_rows"
    took = timed(bench.checkpoint)
    record(f"store.checkpoint.{size}", took.wall_s, "s")
    record(f"store.checkpoint.{size}.cpu", took.cpu_s, "s")
    start = bench.warehouse.stats().log["bytes"]
    while bench.warehouse.stats().log["bytes"] < start + REPLAYED_BYTES:
        bench.write(bench.batches(5, 10_000))
    bench.warehouse._opened.release()  # as a kill leaves it
    for name in ("replay_100mb", "clean"):
        took = timed(lambda: setattr(bench, "warehouse", bench.opened()))
        record(f"store.restart.{size}.{name}", took.wall_s, "s")
        record(f"store.restart.{size}.{name}.cpu", took.cpu_s, "s")
        bench.warehouse.close()


if __name__ == "__main__":
    main()
