"""How long a count and a range of keys take, next to a table of DuckDB's own with the same rows."""

import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

import duckdb
import numpy as np
import pyarrow as pa

from kit.bench import record
from sluiceway.catalog import Column, CreateDatabase, CreateTable, Table, parse_type
from sluiceway.warehouse import Warehouse, WriteRequest
from sluiceway.warehouse.query import run_sql

ROWS = 1_000_000
BATCH_ROWS = 50_000
REPEATS = 21
QUERIES = {
    "count": "SELECT count(*) FROM orders",
    "range": "SELECT count(*), sum(amount) FROM orders WHERE order_id BETWEEN 500000 AND 500999",
    "all": "SELECT count(*), sum(amount) FROM orders",
}
_KINDS = {"order_id": "BIGINT", "shop_id": "INT", "amount": "DOUBLE"}


def rows(first: int) -> pa.RecordBatch:
    """Return a batch of orders, keys rising."""
    keys = np.arange(first, first + BATCH_ROWS)
    ops = np.zeros(BATCH_ROWS, np.int8)
    shops = (keys % 97).astype(np.int32)
    values = [ops, keys, shops, keys / 4]
    return pa.RecordBatch.from_arrays([pa.array(each) for each in values], ["_op", *_KINDS])


def fill(warehouse: Warehouse, peer: duckdb.DuckDBPyConnection) -> None:
    """Write the same rows to both."""
    columns = tuple(
        Column(0, name, parse_type(kind), nullable=name != "order_id")
        for name, kind in _KINDS.items()
    )
    orders = Table("dw", "orders", columns, ("order_id",))
    warehouse.ddl([CreateDatabase("dw"), CreateTable(orders)])
    peer.execute("CREATE TABLE orders (order_id BIGINT, shop_id INTEGER, amount DOUBLE)")
    for first in range(0, ROWS, BATCH_ROWS):
        batch = rows(first)
        warehouse.write(WriteRequest("dw", "orders"), batch)
        peer.register("batch", batch.select(list(_KINDS)))
        peer.execute("INSERT INTO orders FROM batch")
        peer.unregister("batch")


def ask(warehouse: Warehouse, sql: str) -> None:
    """Ask the newest snapshot."""
    run_sql(warehouse.snapshot(), sql, "dw").read_all()


def ask_peer(peer: duckdb.DuckDBPyConnection, sql: str) -> None:
    """Ask DuckDB's own table."""
    peer.execute(sql).fetchall()


def median_ms(work: Callable[[], None]) -> float:
    """Return the median time of a query."""
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return median(times) * 1000


def main() -> None:
    """Ask both, one after the other."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as directory:
        warehouse = Warehouse.open(Path(directory) / "data")
        peer = duckdb.connect()
        try:
            fill(warehouse, peer)
            for name, sql in QUERIES.items():
                ours = median_ms(partial(ask, warehouse, sql))
                theirs = median_ms(partial(ask_peer, peer, sql))
                record(f"query.{name}.ms", ours, "ms")
                record(f"query.{name}.of_duckdb", ours / theirs, "x")
        finally:
            warehouse.close()
            peer.close()


if __name__ == "__main__":
    main()
