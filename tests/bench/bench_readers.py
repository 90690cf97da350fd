"""What readers feel of a writer and of each other: a process of their own against a thread.

One table at the end; a figure is the median of rounds that alternate, so that what else runs on the
machine meets all of them. A million rows of 14 columns; look-ups of one key (as Python values, as
Arrow) and of a thousand keys: idle, beside a writer at full speed, beside that and an OLAP storm in
a process (a thread) of its own. Before that: how long after its acknowledgement a write is seen.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from bench.bench_engine import orders, rows
from kit.bench import record
from sluiceway.catalog import CreateDatabase, CreateTable
from sluiceway.warehouse import ServerOptions, Warehouse, WriteRequest
from sluiceway.warehouse.query import run_sql
from sluiceway.warehouse.reads import Reads
from sluiceway.warehouse.replica import Replica

ROWS, BATCH, MANY = 1_000_000, 10_000, 1_000
SEEN, SEEN_EVERY_S, QUIET_S = 300, 0.004, 3.0
REQUEST = WriteRequest("bench", "orders")
OLAP = "SELECT city, count(*), sum(amount), avg(price) FROM bench.orders GROUP BY city ORDER BY 1"
SWITCH_INTERVAL_S = 50e-6
LOADS = ("idle", "writer", "writer+olap")


def timed(seconds: float, work: Callable[[], object]) -> dict[str, float]:
    """Do something again and again; return how often a second, median and p99 in µs."""
    times_ns: list[int] = []
    end_ns = time.perf_counter_ns() + int(seconds * 1e9)
    while (start := time.perf_counter_ns()) < end_ns:
        work()
        times_ns.append(time.perf_counter_ns() - start)
    p50, p99 = np.percentile(np.array(times_ns), [50, 99]) / 1_000
    return {"per_s": len(times_ns) / seconds, "p50_us": float(p50), "p99_us": float(p99)}


def look_up(reads: Reads, seconds: float) -> dict[str, float]:
    """Look up one key as Python values, one as Arrow, a thousand as Arrow."""
    table = reads.catalog.table("bench", "orders")
    random = np.random.default_rng(2)
    numbers = random.integers(0, ROWS, 5_000).tolist()
    keys = [pa.record_batch({"order_id": [number]}) for number in numbers]
    many = pa.record_batch({"order_id": random.integers(0, ROWS, MANY)})
    number, key = iter(numbers * 1_000), iter(keys * 1_000)
    works: dict[str, Callable[[], object]] = {
        "get": lambda: reads.snapshot().get(table, (next(number),)),
        "one": lambda: reads.snapshot().lookup(table, next(key), None),
        "many": lambda: reads.snapshot().lookup(table, many, None),
    }
    found = {}
    for name, work in works.items():
        for what, value in timed(seconds / len(works), work).items():
            found[f"{name}.{what}"] = value
    return found


def see(reads: Reads, how: str) -> Iterator[list[int]]:
    """Yield nothing once it looks, [LSN, ns] of commits that come, nothing again after QUIET_S."""
    table = reads.catalog.table("bench", "orders")
    last = reads.published
    log = reads.changelog(table, 0, last + 1, columns=["order_id"])
    yield []
    end = time.monotonic() + QUIET_S
    while time.monotonic() < end:
        if how == "changelog":
            events = log.read(1.0).batch
            lsns = [lsn + 1 for lsn in events.column("_lsn").to_pylist()[-1:]]
        else:
            lsns = [reads.published]
        if lsns and lsns[0] > last:
            yield [lsns[0], time.monotonic_ns()]
            last, end = lsns[0], time.monotonic() + QUIET_S
    yield []


class Child:
    """A reading process that does what it is told, line by line."""

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__, "--child", "--data", str(folder)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def tell(self, **what: Any) -> None:
        """Send one order."""
        assert self._process.stdin is not None
        print(json.dumps(what), file=self._process.stdin, flush=True)

    def answer(self) -> Any:
        """Wait for one answer."""
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()


class Asker:
    """Asks the same big question again and again between `start` and `stop`."""

    def __init__(self, reads: Reads) -> None:
        self._reads = reads
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while not self._stop.is_set():
            run_sql(self._reads.snapshot(), OLAP).read_all()

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, after the answer that is under way."""
        self._stop.set()
        self._thread.join()


def child(folder: Path) -> None:
    """Be a reading process."""
    replica, asker = Replica.open(folder), None
    run_sql(replica.snapshot(), OLAP).read_all()
    for line in sys.stdin:
        order = json.loads(line)
        if order["do"] == "look up":
            print(json.dumps(look_up(replica, order["seconds"])), flush=True)
        elif order["do"] == "see":
            for seen in see(replica, order["how"]):
                print(json.dumps(seen), flush=True)
        elif asker is None:
            asker = Asker(replica)
            asker.start()
        else:
            asker.stop()
            asker = None
            print("null", flush=True)


class Bench:
    """The writing process, two reading ones beside it, and what was measured."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        options = ServerOptions(data=folder, checkpoint_log_bytes=0)
        self.warehouse = Warehouse.open(folder, options=options)
        stack.callback(self.warehouse.close)
        fresh = replace(orders(), id=0, generation=0, schema_version=0)
        self.warehouse.ddl([CreateDatabase("bench"), CreateTable(fresh)])
        table = self.warehouse.catalog.table("bench", "orders")
        for start in range(0, ROWS, 5 * BATCH):
            keys = np.arange(start, start + 5 * BATCH)
            self.warehouse.write(REQUEST, rows(table, keys, start))
        random = np.random.default_rng(3)
        self._updates = [rows(table, random.integers(0, ROWS, BATCH), n) for n in range(20)]
        self._single = rows(table, np.array([7]), 7)
        self.reader, self.stormer = Child(folder), Child(folder)
        stack.callback(self.reader.close)
        stack.callback(self.stormer.close)
        self.figures: dict[tuple[str, str], list[float]] = defaultdict(list)

    @contextmanager
    def writing(self, place: str) -> Iterator[None]:
        """Update rows at full speed while the block runs."""
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
            per_s = written * BATCH / (time.monotonic() - start)
            self.figures["rows written/s", place].append(per_s)

    @contextmanager
    def storming(self, who: str) -> Iterator[None]:
        """Ask big questions while the block runs, in a process or in a thread."""
        asker = Asker(self.warehouse)
        if who == "process":
            self.stormer.tell(do="storm")
        else:
            asker.start()
        try:
            yield
        finally:
            if who == "process":
                self.stormer.tell(do="calm")
                self.stormer.answer()
            else:
                asker.stop()

    def measure(self, who: str, load: str, seconds: float) -> None:
        """Look up in a reading process or in a thread of this one."""
        place = f"{who} {load}"
        with (
            nullcontext() if load == "idle" else self.writing(place),
            self.storming(who) if load == "writer+olap" else nullcontext(),
        ):
            if who == "process":
                self.reader.tell(do="look up", seconds=seconds)
                found = self.reader.answer()
            else:
                found = look_up(self.warehouse, seconds)
        for what, value in found.items():
            self.figures[what, place].append(value)

    def freshness(self, how: str) -> None:
        """Record how long after its acknowledgement a write is seen in another process."""
        self.reader.tell(do="see", how=how)
        self.reader.answer()
        acked_ns = {}
        for _ in range(SEEN):
            lsn = self.warehouse.write(REQUEST, self._single).lsn
            acked_ns[lsn] = time.monotonic_ns()
            time.sleep(SEEN_EVERY_S)
        late_ns = [at - acked_ns[lsn] for lsn, at in iter(self.reader.answer, [])]
        for name, percent in (("p50", 50), ("p99", 99), ("max", 100)):
            late_us = float(np.percentile(np.array(late_ns), percent)) / 1_000
            record(f"readers.seen.{how}.{name}", late_us, "us after the ack")

    def report(self) -> None:
        """Record medians, and print them side by side."""
        places = [f"{who} {load}" for who in ("process", "thread") for load in LOADS]
        kinds = sorted({what for what, _ in self.figures})
        median = {at: statistics.median(values) for at, values in self.figures.items()}
        for (what, place), value in sorted(median.items()):
            unit = "us" if what.endswith("us") else "1/s"
            record(f"readers.{place.replace(' ', '.')}.{what.replace(' ', '_')}", value, unit)
        print(f"\n{'':<16}" + "".join(f"{place:>20}" for place in places))
        for what in kinds:
            cells = [median.get((what, place)) for place in places]
            shown = ["" if value is None else f"{value:,.1f}" for value in cells]
            print(f"{what:<16}" + "".join(f"{value:>20}" for value in shown))
        print(f"get, one: one key as Python values, as Arrow; many: {MANY} keys; median of rounds")


def main() -> None:
    """Run all of it, or be one of the processes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0, help="of one measurement")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--data", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    if arguments.child:
        child(arguments.data)
        return
    with tempfile.TemporaryDirectory() as directory, ExitStack() as stack:
        bench = Bench(Path(directory) / "data", stack)
        for how in ("snapshot", "changelog"):
            bench.freshness(how)
        for _ in range(arguments.rounds):
            for load in LOADS:
                for who in ("process", "thread"):
                    bench.measure(who, load, arguments.seconds)
        bench.report()


if __name__ == "__main__":
    main()
