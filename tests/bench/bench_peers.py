"""The same durable writes on Sluiceway, RocksDB, SQLite and DuckDB, side by side in one run.

Orders of 14 columns, loaded first, then batches of 10,000 upserts of stored keys, each batch on
disk before the next one begins. The stores take turns, round by round, and the medians are
compared. Every store gets its rows in the form that it likes, made before the clock runs:

* RocksDB: a WriteBatch with a synced write-ahead log; 8-byte keys, values of marshalled rows. It
  does the same work: it reads the rows that were there and writes a changelog of both images beside
  the new ones. `rocksdb_blind` only puts, and knows nothing of what was there.
* SQLite: WAL with synchronous = FULL, `INSERT OR REPLACE` by executemany in one transaction.
* DuckDB: `INSERT OR REPLACE` from an Arrow table, one transaction, which it syncs.

SQLite and DuckDB keep no changelog. RocksDB's binding is no part of Sluiceway: without `rocksdict`
the bench says so and goes on.
"""

import argparse
import importlib
import itertools
import marshal
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from bench.bench_engine import TYPES, orders, rows
from kit.bench import record
from sluiceway.catalog import CreateDatabase, CreateTable
from sluiceway.warehouse import ServerOptions, Warehouse, WriteRequest

BATCH_ROWS = 10_000
LOAD_ROWS = 50_000
BATCHES_A_ROUND = 5
REQUEST = WriteRequest("bench", "orders")
Write = Callable[[Any], object]
# What makes a store's form of a batch, and what writes it.
Store = tuple[Callable[[pa.RecordBatch], Any], Write]
Opening = Callable[[Path], AbstractContextManager[Store]]


@contextmanager
def sluiceway(folder: Path) -> Iterator[Store]:
    """The store of this repository."""
    warehouse = Warehouse.open(folder, options=ServerOptions(checkpoint_log_bytes=0))
    try:
        fresh = replace(orders(), id=0, generation=0, schema_version=0)
        warehouse.ddl([CreateDatabase("bench"), CreateTable(fresh)])
        yield lambda batch: batch, lambda batch: warehouse.write(REQUEST, batch)
    finally:
        warehouse.close()


@contextmanager
def rocksdb(folder: Path, *, blind: bool = False) -> Iterator[Store]:
    """RocksDB, as a map of bytes; with a changelog of both images unless `blind`."""
    rocksdict = importlib.import_module("rocksdict")
    options = rocksdict.Options(raw_mode=True)
    options.create_if_missing(True)
    store = rocksdict.Rdict(str(folder), options)
    synced = rocksdict.WriteOptions()
    synced.sync = True
    store.set_write_options(synced)

    def prepare(batch: pa.RecordBatch) -> list[tuple[bytes, bytes]]:
        return [(row[0].to_bytes(8, "big"), marshal.dumps(row)) for row in tuples(batch)]

    numbers = itertools.count()

    def write(pairs: list[tuple[bytes, bytes]]) -> None:
        together = rocksdict.WriteBatch(raw_mode=True)
        for key, value in pairs:
            together.put(key, value)
        if not blind:
            before = store.get([key for key, _ in pairs])
            for (_, value), old in zip(pairs, before, strict=True):
                change = value if old is None else old + value
                together.put(b"log" + next(numbers).to_bytes(8, "big"), change)
        store.write(together)

    try:
        yield prepare, write
    finally:
        store.close()


@contextmanager
def sqlite(folder: Path) -> Iterator[Store]:
    """SQLite."""
    folder.mkdir()
    store = sqlite3.connect(folder / "orders.db", isolation_level=None)
    store.execute("PRAGMA journal_mode = WAL")
    store.execute("PRAGMA synchronous = FULL")
    columns = ", ".join(TYPES)
    store.execute(f"CREATE TABLE orders ({columns}, PRIMARY KEY (order_id)) WITHOUT ROWID")
    insert = f"INSERT OR REPLACE INTO orders VALUES ({', '.join('?' * len(TYPES))})"

    def write(some: list[tuple[Any, ...]]) -> None:
        store.execute("BEGIN")
        store.executemany(insert, some)
        store.execute("COMMIT")

    try:
        yield tuples, write
    finally:
        store.close()


@contextmanager
def duck(folder: Path) -> Iterator[Store]:
    """DuckDB."""
    folder.mkdir()
    store = duckdb.connect(str(folder / "orders.duckdb"))
    columns = ", ".join(f"{name} {kind}" for name, kind in TYPES.items())
    columns = columns.replace("TIMESTAMP(3)", "TIMESTAMP")
    store.execute(f"CREATE TABLE orders ({columns}, PRIMARY KEY (order_id))")

    def write(some: pa.Table) -> None:
        store.register("batch", some)
        store.execute("INSERT OR REPLACE INTO orders SELECT * FROM batch")

    try:
        yield lambda batch: pa.table(batch.drop_columns(["_op"])), write
    finally:
        store.close()


def tuples(batch: pa.RecordBatch) -> list[tuple[Any, ...]]:
    """The rows of a batch as numbers and texts."""
    columns = []
    for column in batch.columns[1:]:
        kind = column.type
        if pa.types.is_decimal(kind):
            column = column.cast(pa.string())
        elif pa.types.is_date32(kind):
            column = column.cast(pa.int32())
        elif pa.types.is_timestamp(kind):
            column = column.cast(pa.int64())
        columns.append(column.to_pylist())
    return list(zip(*columns, strict=True))


STORES: dict[str, Opening] = {
    "sluiceway": sluiceway,
    "rocksdb": rocksdb,
    "rocksdb_blind": partial(rocksdb, blind=True),
    "sqlite": sqlite,
    "duckdb": duck,
}


def seconds(write: Write, batches: list[Any]) -> float:
    """How long it takes to write them one after the other."""
    start = time.perf_counter()
    for batch in batches:
        write(batch)
    return time.perf_counter() - start


def loaded(stored: int) -> Iterator[pa.RecordBatch]:
    """The rows that are there before the clock runs."""
    for at in range(0, stored, LOAD_ROWS):
        yield rows(orders(), np.arange(at, min(at + LOAD_ROWS, stored)), at)


def upserts(stored: int, number: int) -> list[pa.RecordBatch]:
    """The batches of one round: stored keys at random."""
    random, table = np.random.default_rng(number), orders()
    keys = [random.choice(stored, BATCH_ROWS, replace=False) for _ in range(BATCHES_A_ROUND)]
    return [rows(table, some, number) for some in keys]


def measure(name: str, stored: int, rounds: int) -> float:
    """Load, then write rounds beside Sluiceway, taking turns; returns the ratio of the medians."""
    rates: tuple[list[float], list[float]] = ([], [])
    with (
        tempfile.TemporaryDirectory() as folder,
        STORES["sluiceway"](Path(folder) / "ours") as ours,
        STORES[name](Path(folder) / "theirs") as theirs,
    ):
        stores = (ours, theirs)
        for batch in loaded(stored):
            for prepare, write in stores:
                write(prepare(batch))
        for number in range(rounds):
            batches = upserts(stored, number)
            for which in (0, 1) if number % 2 else (1, 0):
                prepare, write = stores[which]
                took_s = seconds(write, [prepare(batch) for batch in batches])
                rates[which].append(BATCH_ROWS * BATCHES_A_ROUND / took_s)
    mine, other = (statistics.median(found) for found in rates)
    record(f"peers.{name}.upsert.10k.rows_per_s", other, "rows/s")
    record(f"peers.{name}.beside.sluiceway.rows_per_s", mine, "rows/s")
    return mine / other


def main() -> None:
    """Compare with every store that is installed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows stored before")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    for name in list(STORES)[1:]:
        try:
            ratio = measure(name, given.rows, given.rounds)
        except ModuleNotFoundError as error:
            print(f"{name}: {error}; pip install {error.name}")
            continue
        record(f"peers.{name}.ratio", ratio, "times")


if __name__ == "__main__":
    main()
