"""What the wire costs: `python tests/bench/bench_flight.py [rows]`, with a server of its own.

Prints, for each kind of call, rows a second as the client sees them and the server's CPU in µs a
row, then the same as JSON lines. Figures depend on the machine; nothing here asserts one.
"""

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import psutil
import pyarrow as pa

from kit.server import ServerProcess
from kit.tables import make
from sluiceway.warehouse.client import Client

COLUMNS = {
    "k": "BIGINT",
    "a": "BIGINT",
    "b": "BIGINT",
    "c": "INT",
    "d": "INT",
    "e": "INT",
    "f": "DOUBLE",
    "price": "DECIMAL(15, 2)",
    "at": "TIMESTAMP(3)",
    "day": "DATE",
    "flag": "BOOLEAN",
    "name": "VARCHAR(32)",
    "city": "VARCHAR(32)",
    "note": "VARCHAR(32)",
}
ROWS_DEFAULT = 1_000_000
WINDOW = 4


@dataclass(frozen=True)
class Figure:
    """One measurement."""

    what: str
    rows: int
    rows_per_s: int
    server_cpu_us_per_row: float


class Bench:
    """A server, a client and the figures so far."""

    def __init__(self, process: ServerProcess, client: Client) -> None:
        self.client = client
        self.figures: list[Figure] = []
        self._server = psutil.Process(process.pid)

    @contextmanager
    def measure(self, what: str, rows: int) -> Iterator[None]:
        """Measure the block, which moves `rows` rows."""
        cpu_s, start_s = self._cpu_s(), time.perf_counter()
        yield
        wall_s, used_s = time.perf_counter() - start_s, self._cpu_s() - cpu_s
        figure = Figure(what, rows, round(rows / wall_s), round(used_s / rows * 1e6, 3))
        self.figures.append(figure)
        cost = figure.server_cpu_us_per_row
        print(f"{what:<44}{figure.rows_per_s:>12,} rows/s {cost:>9.3f} µs/row", flush=True)

    def _cpu_s(self) -> float:
        times = self._server.cpu_times()
        return float(times.user + times.system)


def batches(schema: pa.Schema, count: int, size: int, keys: int) -> Iterator[pa.RecordBatch]:
    """Yield batches of `size` rows with new keys below `keys`, then the same keys again."""
    rng = np.random.default_rng(7)
    words = pa.array([f"word-{i:06d}-abcdef" for i in range(1000)])
    moment = 1_700_000_000_000_000
    for start in range(0, count, size):
        key = np.arange(start, start + size) % keys
        values = {
            "k": pa.array(key),
            "price": pa.array(key % 10_000).cast(pa.decimal128(19, 0)).cast(pa.decimal128(15, 2)),
            "at": pa.array(moment + key * 1000).cast(pa.timestamp("us")),
            "day": pa.array((19_000 + key % 365).astype(np.int32)).cast(pa.date32()),
            "flag": pa.array(key % 2 == 0),
        }
        for field in schema:
            if field.name not in values:
                values[field.name] = _filler(field.type, words, rng, size)
        yield pa.RecordBatch.from_arrays([values[f.name] for f in schema], schema=schema)


def _filler(kind: pa.DataType, words: pa.Array, rng: np.random.Generator, size: int) -> pa.Array:
    if pa.types.is_string(kind):
        return words.take(pa.array(rng.integers(0, len(words), size)))
    return pa.array(rng.integers(0, 1 << 20, size)).cast(kind)


def put(bench: Bench, table: str, size: int, rows: int, keys: int, what: str) -> None:
    """Write `rows` rows in batches of `size`, each acknowledged from disk."""
    schema = bench.client.table("dw", table).arrow_schema()
    op = pa.field("_op", pa.int8(), nullable=False)
    ops = pa.repeat(pa.scalar(0, pa.int8()), size)
    wire = pa.schema([op, *schema])
    ready = [
        pa.RecordBatch.from_arrays([ops, *batch.columns], schema=wire)
        for batch in batches(schema, rows, size, keys)
    ]
    with bench.measure(f"DoPut, {what}, {size:,}-row batches", rows):
        with bench.client.writer("dw", table, wire, window=WINDOW) as writer:
            for batch in ready:
                writer.write(batch)


def look_up(bench: Bench, keys: int, size: int, calls: int) -> None:
    """Look `size` keys up, one call after the other."""
    rng = np.random.default_rng(1)
    wanted = [
        pa.RecordBatch.from_arrays([pa.array(rng.integers(0, keys, size))], names=["k"])
        for _ in range(calls)
    ]
    lookups = bench.client.lookups("dw", "t", ["k"])
    lookups.find(wanted[0])
    with bench.measure(f"look-up, {size:,} keys a call", size * calls):
        for batch in wanted:
            assert lookups.find(batch).num_rows == size
    lookups.close()


def main(rows: int) -> None:
    """Run everything against one server."""
    with tempfile.TemporaryDirectory() as folder:
        process = ServerProcess(Path(folder) / "data")
        process.start()
        try:
            with process.client() as client:
                bench = Bench(process, client)
                run(bench, rows)
        finally:
            print(process.errors(), end="", file=sys.stderr)
            process.kill()
    for figure in bench.figures:
        print(json.dumps(asdict(figure)))


def run(bench: Bench, rows: int) -> None:
    """Fill two tables, then read them in every way."""
    make(bench.client, "warm", COLUMNS, ["k"])
    make(bench.client, "t", COLUMNS, ["k"])
    put(bench, "warm", 10_000, 50_000, 20_000, "warm-up")
    put(bench, "t", 10_000, rows, rows, "inserts")
    put(bench, "t", 10_000, rows, rows, "updates")
    put(bench, "warm", 1_000, rows // 4, rows, "inserts")
    put(bench, "warm", 1_000, rows // 4, rows // 4, "updates")
    look_up(bench, rows, 1, 1_000)
    look_up(bench, rows, 1_000, 200)
    lsn = bench.client.hello()["published"]
    with bench.measure("scan", rows), bench.client.scan("dw", "t") as scanned:
        assert sum(chunk.batch.num_rows for chunk in scanned) == rows
    with (
        bench.measure("changelog, inserts and updates", rows * 3),
        bench.client.changelog("dw", "t", until=lsn) as changes,
    ):
        assert sum(change.batch.num_rows for change in changes.changes()) == rows * 3


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS_DEFAULT)
