"""Durable writes of other shapes, and what many tables cost, in process.

Upserts by keys of 32 characters, partial updates, many writers of small batches into four shards,
one commit over 200 small tables; then a warehouse with `--tables` tables of four shards: seconds to
create, to checkpoint and to open, files, maps and memory of a table.
"""

import argparse
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import pyarrow as pa

from bench.bench_engine import orders, rows
from kit.bench import record, record_rows, timed
from sluiceway.catalog import CreateDatabase, CreateTable, Table, parse_type
from sluiceway.warehouse import ServerOptions, Warehouse, WriteRequest

STORED, BATCH_ROWS, BATCHES = 200_000, 10_000, 10
WRITERS, WRITER_BATCHES, WRITER_ROWS = 8, 200, 1_000
SMALL_TABLES, SMALL_ROWS, REPEATS = 200, 20, 5
DATABASE = "shapes"
Result = TypeVar("Result")


def opened(folder: Path) -> Warehouse:
    """Open the folder; checkpoints only when asked for."""
    return Warehouse.open(folder, options=ServerOptions(checkpoint_log_bytes=0))


@contextmanager
def warehouse(tables: Sequence[Table]) -> Iterator[Warehouse]:
    """A warehouse of its own with these tables."""
    with tempfile.TemporaryDirectory() as folder:
        store = opened(Path(folder) / "data")
        try:
            store.ddl([CreateDatabase(DATABASE), *map(CreateTable, tables)])
            yield store
        finally:
            store.close()


def table(name: str, shards: int = 1) -> Table:
    """Orders under another name."""
    options = {"table_property.shard_count": str(shards)}
    fresh = replace(orders(), id=0, generation=0, schema_version=0, shards=0)
    return replace(fresh, database=DATABASE, name=name, options=options)


def texts(keys: "np.ndarray[tuple[int], np.dtype[np.int64]]") -> pa.Array:
    """Keys of 32 characters."""
    return pa.array([f"order-{key:026}" for key in keys.tolist()])


def upserts(keyed_by_text: bool) -> tuple[list[pa.RecordBatch], list[pa.RecordBatch]]:
    """The batches that are stored first, and those that update them."""
    random = np.random.default_rng(1)
    stored = [np.arange(at, at + BATCH_ROWS) for at in range(0, STORED, BATCH_ROWS)]
    updated = [random.choice(STORED, BATCH_ROWS, replace=False) for _ in range(BATCHES)]

    def batches(
        all_keys: list["np.ndarray[tuple[int], np.dtype[np.int64]]"],
    ) -> list[pa.RecordBatch]:
        made = [(keys, rows(orders(), keys, at)) for at, keys in enumerate(all_keys)]
        if not keyed_by_text:
            return [batch for _, batch in made]
        return [batch.set_column(1, "order_id", texts(keys)) for keys, batch in made]

    return batches(stored), batches(updated)


def write(store: Warehouse, request: WriteRequest, batches: list[pa.RecordBatch]) -> None:
    """Commit one after the other."""
    for batch in batches:
        store.write(request, batch)


def string_keys() -> None:
    """Upserts by keys of 32 characters."""
    whole = table("texts")
    key = replace(whole.columns[0], type=parse_type("STRING"))
    with warehouse([replace(whole, columns=(key, *whole.columns[1:]))]) as store:
        request = WriteRequest(DATABASE, "texts")
        stored, updated = upserts(keyed_by_text=True)
        write(store, request, stored)
        took = timed(partial(write, store, request, updated))
        record_rows("shapes.upsert.string_key.10k", BATCHES * BATCH_ROWS, took)


def partial_updates() -> None:
    """Updates of the key and three of fourteen columns."""
    with warehouse([table("parts")]) as store:
        stored, updated = upserts(keyed_by_text=False)
        write(store, WriteRequest(DATABASE, "parts"), stored)
        some = [batch.select(["_op", "order_id", "price", "name", "updated"]) for batch in updated]
        request = WriteRequest(DATABASE, "parts", partial=True)
        took = timed(partial(write, store, request, some))
        record_rows("shapes.partial.10k", BATCHES * BATCH_ROWS, took)


def writers() -> None:
    """Small batches from several threads into four shards."""
    with warehouse([table("many", shards=4)]) as store:
        request = WriteRequest(DATABASE, "many")
        stored, _ = upserts(keyed_by_text=False)
        write(store, request, stored)
        random = np.random.default_rng(2)
        batches = [
            rows(orders(), random.choice(STORED, WRITER_ROWS, replace=False), at)
            for at in range(WRITER_BATCHES)
        ]

        def all_at_once() -> None:
            with ThreadPoolExecutor(WRITERS) as pool:
                list(pool.map(partial(store.write, request), batches))

        took = timed(all_at_once)
        record_rows(f"shapes.upsert.1k.{WRITERS}_writers", WRITER_BATCHES * WRITER_ROWS, took)


def small_tables() -> None:
    """One write of a small batch for each of many tables: one commit."""
    names = [f"t{number}" for number in range(SMALL_TABLES)]
    with warehouse([table(name) for name in names]) as store:
        batch = rows(orders(), np.arange(SMALL_ROWS), 1)
        writes = [(WriteRequest(DATABASE, name), batch) for name in names]

        def once() -> None:
            store.submit(*writes).result()

        once()
        before = store.stats().log["commits"]
        took_s = sorted(timed(once).wall_s for _ in range(REPEATS))[REPEATS // 2]
        record(f"shapes.{SMALL_TABLES}_tables", took_s * 1e3, "ms")
        commits = (store.stats().log["commits"] - before) / REPEATS
        record(f"shapes.{SMALL_TABLES}_tables.commits", commits, "commits")


def many_tables(count: int) -> None:
    """Create tables, write to each, checkpoint and open again."""
    name = f"shapes.{count}x4"
    batch = rows(orders(), np.arange(SMALL_ROWS), 1)
    tables = [table(f"t{number}", shards=4) for number in range(count)]
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        store = opened(data)
        store.ddl([CreateDatabase(DATABASE)])
        timing(f"{name}.create", lambda: store.ddl([CreateTable(one) for one in tables]))
        maps, memory_bytes = held()
        for future in [store.submit((WriteRequest(DATABASE, t.name), batch)) for t in tables]:
            future.result()
        more_maps, more_bytes = held()
        record(f"{name}.maps_a_table", (more_maps - maps) / count, "maps")
        record(f"{name}.memory_a_table", (more_bytes - memory_bytes) / count / 1024, "KiB")
        timing(f"{name}.checkpoint", store.checkpoint)
        store.close()
        files = [path for path in (data / "data").rglob("*") if path.is_file()]
        record(f"{name}.files", len(files), "files")
        record(f"{name}.bytes_a_table", sum(f.stat().st_size for f in files) / count, "bytes")
        timing(f"{name}.open", lambda: opened(data)).close()


def timing(name: str, work: Callable[[], Result]) -> Result:
    """Record how long some work takes, by the clock and in processor time; returns its result."""
    found: list[Result] = []
    took = timed(lambda: found.append(work()))
    record(name, took.wall_s, "s")
    record(f"{name}.cpu", took.cpu_s, "s")
    return found[0]


def held() -> tuple[int, int]:
    """How many maps this process has, and how many bytes of memory, shared ones included."""
    maps = len(Path("/proc/self/maps").read_text().splitlines())
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return maps, pages * os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    """Measure every shape."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=int, default=2_000)
    tables = parser.parse_args().tables
    string_keys()
    partial_updates()
    writers()
    small_tables()
    many_tables(tables)


if __name__ == "__main__":
    main()
