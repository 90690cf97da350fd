"""What readers feel of a writer and of each other: a process of their own against a thread.

Look-ups of one key, as Arrow and as Python values, and of a thousand in a table of a million rows,
14 columns: idle, beside a writer at full speed, beside that and an OLAP storm in a third process;
then the same as threads of the writing process. `--seconds` says how long each takes.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from bench.bench_engine import orders, rows
from kit.bench import record
from sluiceway.catalog import CreateDatabase, CreateTable, Table
from sluiceway.warehouse import ServerOptions, Warehouse, WriteRequest
from sluiceway.warehouse.query import run_sql
from sluiceway.warehouse.reads import Reads
from sluiceway.warehouse.replica import Replica

ROWS, BATCH, MANY = 1_000_000, 10_000, 1_000
REQUEST = WriteRequest("bench", "orders")
OLAP = "SELECT city, count(*), sum(amount), avg(price) FROM bench.orders GROUP BY city ORDER BY 1"
SWITCH_INTERVAL_S = 50e-6


def look_up(reads: Reads, seconds: float) -> dict[str, float]:
    """Look up one key at a time, then a thousand; say how fast and how slow the slowest are."""
    table = reads.catalog.table("bench", "orders")
    random = np.random.default_rng(2)
    keys = [pa.record_batch({"order_id": [key]}) for key in random.integers(0, ROWS, 5_000)]
    times_ns: list[int] = []
    end = time.monotonic() + seconds / 2
    while time.monotonic() < end:
        for key in keys[:200]:
            start = time.perf_counter_ns()
            reads.snapshot().lookup(table, key, None)
            times_ns.append(time.perf_counter_ns() - start)
        keys = keys[200:] + keys[:200]
    p50, p99, p999 = np.percentile(np.array(times_ns), [50, 99, 99.9]) / 1_000
    got = get(reads, seconds / 2)
    many = pa.record_batch({"order_id": random.integers(0, ROWS, MANY)})
    found, start_s = 0, time.monotonic()
    while time.monotonic() < start_s + seconds / 2:
        found += reads.snapshot().lookup(table, many, None).num_rows
    return {
        "one.per_s": 1e9 / float(np.mean(times_ns)),
        "one.p50_us": float(p50),
        "one.p99_us": float(p99),
        "one.p999_us": float(p999),
        "many.keys_per_s": found / (time.monotonic() - start_s),
        **got,
    }


def get(reads: Reads, seconds: float) -> dict[str, float]:
    """Get rows of one key as Python values, each from a snapshot of its own."""
    table = reads.catalog.table("bench", "orders")
    keys = np.random.default_rng(4).integers(0, ROWS, 5_000).tolist()
    times_ns: list[int] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for key in keys:
            start = time.perf_counter_ns()
            reads.snapshot().get(table, (key,))
            times_ns.append(time.perf_counter_ns() - start)
    p50, p99 = np.percentile(np.array(times_ns), [50, 99]) / 1_000
    return {
        "get.per_s": 1e9 / float(np.mean(times_ns)),
        "get.p50_us": float(p50),
        "get.p99_us": float(p99),
    }


def storm(reads: Reads, stop: Callable[[], bool]) -> int:
    """Ask the same big question again and again; return how often."""
    asked = 0
    while not stop():
        run_sql(reads.snapshot(), OLAP).read_all()
        asked += 1
    return asked


class Bench:
    """The writing process, and what it starts beside itself."""

    def __init__(self, folder: Path, seconds: float) -> None:
        self.folder = folder
        self.seconds = seconds
        options = ServerOptions(data=folder, checkpoint_log_bytes=0)
        self.warehouse = Warehouse.open(folder, options=options)
        fresh = replace(orders(), id=0, generation=0, schema_version=0)
        self.warehouse.ddl([CreateDatabase("bench"), CreateTable(fresh)])
        self.table: Table = self.warehouse.catalog.table("bench", "orders")
        for start in range(0, ROWS, 5 * BATCH):
            keys = np.arange(start, start + 5 * BATCH)
            self.warehouse.write(REQUEST, rows(self.table, keys, start))
        random = np.random.default_rng(3)
        self._updates = [
            rows(self.table, random.integers(0, ROWS, BATCH), number) for number in range(20)
        ]

    @contextmanager
    def writing(self, name: str) -> Iterator[None]:
        """Update rows at full speed while the block runs, and record how fast that was."""
        done, written = threading.Event(), 0

        def write() -> None:
            nonlocal written
            while not done.is_set():
                self.warehouse.write(REQUEST, self._updates[written % len(self._updates)])
                written += 1

        thread = threading.Thread(target=write)
        start = time.monotonic()
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()
            record(f"{name}.written", written * BATCH / (time.monotonic() - start), "rows/s")

    @contextmanager
    def storming_process(self) -> Iterator[None]:
        """Let another reading process ask big questions while the block runs."""
        process = self._child("storm")
        try:
            assert process.stdout is not None
            process.stdout.readline()
            yield
        finally:
            process.kill()
            process.communicate()

    @contextmanager
    def storming_thread(self) -> Iterator[None]:
        """The same in a thread of this process."""
        done = threading.Event()
        thread = threading.Thread(target=storm, args=(self.warehouse, done.is_set))
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def reader_process(self, name: str) -> None:
        """Look-ups in a reading process."""
        said, _ = self._child("look-up").communicate()
        self.record(name, json.loads(said.splitlines()[-1]))

    def reader_thread(self, name: str) -> None:
        """Look-ups in this process."""
        self.record(name, look_up(self.warehouse, self.seconds))

    def record(self, name: str, figures: dict[str, float]) -> None:
        """Record what a reader measured."""
        for what, value in figures.items():
            record(f"{name}.{what}", value, "us" if what.endswith("us") else "1/s")

    def _child(self, what: str) -> subprocess.Popen[str]:
        command = [sys.executable, __file__, "--child", what, "--data", str(self.folder)]
        command += ["--seconds", str(self.seconds)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def child(what: str, folder: Path, seconds: float) -> None:
    """Be a reading process."""
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    replica = Replica.open(folder)
    if what == "look-up":
        print(json.dumps(look_up(replica, seconds)), flush=True)
    else:
        run_sql(replica.snapshot(), OLAP).read_all()
        print("ready", flush=True)
        storm(replica, lambda: False)
    replica.close()


def main() -> None:
    """Run all of it, or be one of the processes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--child", choices=["look-up", "storm"])
    parser.add_argument("--data", type=Path)
    arguments = parser.parse_args()
    if arguments.child:
        child(arguments.child, arguments.data, arguments.seconds)
        return
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    with tempfile.TemporaryDirectory() as directory, ExitStack() as stack:
        bench = Bench(Path(directory) / "data", arguments.seconds)
        stack.callback(bench.warehouse.close)
        bench.reader_process("readers.process.idle")
        with bench.writing("readers.process.writer"):
            bench.reader_process("readers.process.writer")
            with bench.storming_process():
                bench.reader_process("readers.process.writer+olap")
        bench.reader_thread("readers.thread.idle")
        with bench.writing("readers.thread.writer"):
            bench.reader_thread("readers.thread.writer")
            with bench.storming_thread():
                bench.reader_thread("readers.thread.writer+olap")


if __name__ == "__main__":
    main()
