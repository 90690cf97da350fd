"""How long queries take, next to a table of DuckDB's own with the same rows (`--rows` of them).

A row by its key, a count, a range of keys, groups of few rows and of all; both asked in turn. Then
the same once each hundredth row was updated: rows that ended have to be told from the others.
"""

import argparse
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

import duckdb
import numpy as np
import pyarrow as pa

from kit.bench import record, timed
from sluiceway.catalog import Column, CreateDatabase, CreateTable, Table, parse_type
from sluiceway.warehouse import Warehouse, WriteRequest
from sluiceway.warehouse.kernels.views import Int64s
from sluiceway.warehouse.query import run_sql

ROWS = 1_000_000
BATCH_ROWS = 50_000
REPEATS = 21
UPDATED_EACH = 100
QUERIES = {
    "key": "SELECT * FROM orders WHERE order_id = 500000",
    "count": "SELECT count(*) FROM orders",
    "range": "SELECT count(*), sum(amount) FROM orders WHERE order_id BETWEEN 500000 AND 500999",
    "few_groups": (
        "SELECT shop_id, count(*), sum(amount) FROM orders WHERE order_id < 1000 GROUP BY shop_id"
    ),
    "all": "SELECT count(*), sum(amount) FROM orders",
    "groups": "SELECT shop_id, count(*), sum(amount) FROM orders GROUP BY shop_id",
}
_KINDS = {"order_id": "BIGINT", "shop_id": "INT", "amount": "DOUBLE"}


def rows(keys: Int64s) -> pa.RecordBatch:
    """Return a batch of orders."""
    ops = np.zeros(len(keys), np.int8)
    shops = (keys % 97).astype(np.int32)
    values = [ops, keys, shops, keys / 4]
    return pa.RecordBatch.from_arrays([pa.array(each) for each in values], ["_op", *_KINDS])


def fill(warehouse: Warehouse, peer: duckdb.DuckDBPyConnection, count: int) -> None:
    """Write the same rows to both."""
    columns = tuple(
        Column(0, name, parse_type(kind), nullable=name != "order_id")
        for name, kind in _KINDS.items()
    )
    orders = Table("dw", "orders", columns, ("order_id",))
    warehouse.ddl([CreateDatabase("dw"), CreateTable(orders)])
    peer.execute("CREATE TABLE orders (order_id BIGINT, shop_id INTEGER, amount DOUBLE)")
    for first in range(0, count, BATCH_ROWS):
        batch = rows(np.arange(first, first + BATCH_ROWS))
        warehouse.write(WriteRequest("dw", "orders"), batch)
        peer.register("batch", batch.select(list(_KINDS)))
        peer.execute("INSERT INTO orders FROM batch")
        peer.unregister("batch")


def update(warehouse: Warehouse, peer: duckdb.DuckDBPyConnection, count: int) -> None:
    """Update each hundredth row in both."""
    keys = np.arange(0, count, UPDATED_EACH)
    for first in range(0, len(keys), BATCH_ROWS):
        warehouse.write(WriteRequest("dw", "orders"), rows(keys[first : first + BATCH_ROWS]))
    peer.execute(f"UPDATE orders SET amount = amount + 1 WHERE order_id % {UPDATED_EACH} = 0")


def ask(warehouse: Warehouse, sql: str) -> None:
    """Ask the newest snapshot."""
    run_sql(warehouse.snapshot(), sql, "dw").read_all()


def ask_peer(peer: duckdb.DuckDBPyConnection, sql: str) -> None:
    """Ask DuckDB's own table."""
    peer.execute(sql).fetchall()


def median_ms(*works: Callable[[], None]) -> list[float]:
    """Return the median time of each of some queries, asked in turn."""
    times_s: list[list[float]] = [[] for _ in works]
    for _ in range(REPEATS):
        for work, of_work_s in zip(works, times_s, strict=True):
            of_work_s.append(timed(work).wall_s)
    return [median(of_work_s) * 1000 for of_work_s in times_s]


def compare(warehouse: Warehouse, peer: duckdb.DuckDBPyConnection, name: str) -> None:
    """Ask both the same, in turn."""
    for query, sql in QUERIES.items():
        ours, theirs = median_ms(partial(ask, warehouse, sql), partial(ask_peer, peer, sql))
        record(f"{name}.{query}.ms", ours, "ms")
        record(f"{name}.{query}.of_duckdb", ours / theirs, "x")


def main() -> None:
    """Ask before and after the updates."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=ROWS)
    count: int = parser.parse_args().rows
    with tempfile.TemporaryDirectory(dir="/dev/shm") as directory:
        warehouse = Warehouse.open(Path(directory) / "data")
        peer = duckdb.connect()
        try:
            fill(warehouse, peer, count)
            compare(warehouse, peer, "query")
            update(warehouse, peer, count)
            compare(warehouse, peer, "query.updated")
        finally:
            warehouse.close()
            peer.close()


if __name__ == "__main__":
    main()
