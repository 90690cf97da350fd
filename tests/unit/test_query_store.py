"""SQL over the real store: every type, every shard, one LSN, many threads."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from sluiceway.catalog import Column, CreateDatabase, CreateTable, Table, parse_type
from sluiceway.warehouse import Warehouse, WriteRequest
from sluiceway.warehouse.query import run_sql

ROWS = 1000
_KINDS = {
    "id": "BIGINT",
    "ds": "STRING",
    "fee": "DECIMAL(20, 2)",
    "tags": "ARRAY<STRING>",
    "ts": "TIMESTAMP(3)",
    "ns": "TIMESTAMP(9)",
    "tz": "TIMESTAMP_LTZ(3)",
    "paid": "BOOLEAN",
    "tm": "TIME(3)",
    "day": "DATE",
    "ratio": "DOUBLE",
    "small": "TINYINT",
    "raw": "BYTES",
}


def _rows(table: Table) -> pa.RecordBatch:
    n = range(ROWS)
    values: dict[str, list[Any]] = {
        "id": list(n),
        "ds": [f"s{i % 7}" for i in n],
        "fee": [Decimal(i) for i in n],
        "tags": [["a", None, str(i)] if i % 3 else None for i in n],
        "ts": [i * 1000 for i in n],
        "ns": [i * 1000 for i in n],
        "tz": [i * 1000 for i in n],
        "paid": [i % 2 == 0 for i in n],
        "tm": list(n),
        "day": list(n),
        "ratio": [i / 2 for i in n],
        "small": [i % 100 for i in n],
        "raw": [str(i).encode() for i in n],
    }
    arrays = [pa.array(values[c.name], c.type.arrow()) for c in table.columns]
    ops = pa.array([0] * ROWS, pa.int8())
    return pa.RecordBatch.from_arrays([ops, *arrays], names=["_op", *values])


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    opened = Warehouse.open(tmp_path / "data")
    columns = tuple(Column(0, name, parse_type(kind)) for name, kind in _KINDS.items())
    table = Table("dw", "orders", columns, ("id", "ds"), shards=2)
    opened.ddl([CreateDatabase("dw"), CreateTable(table)])
    opened.write(WriteRequest("dw", "orders"), _rows(table))
    yield opened
    opened.close()


def ask(warehouse: Warehouse, sql: str, lsn: int | None = None) -> list[tuple[Any, ...]]:
    answer = run_sql(warehouse.snapshot(lsn), sql, "dw").read_all()
    return [tuple(row.values()) for row in answer.to_pylist()]


def test_aggregates_cover_all_shards(warehouse: Warehouse) -> None:
    sql = "SELECT count(*), sum(fee), max(ds), count(DISTINCT ds), count(tags) FROM orders"
    assert ask(warehouse, sql) == [(ROWS, Decimal(sum(range(ROWS))), "s6", 7, 666)]


def test_old_snapshots_show_old_rows(warehouse: Warehouse) -> None:
    before = warehouse.published
    change = pa.record_batch(
        {"_op": pa.array([3, 0], pa.int8()), "id": pa.array([1, 0]), "ds": ["s1", "s0"]}
    )
    warehouse.write(WriteRequest("dw", "orders", partial=True), change)
    warehouse.write(WriteRequest("dw", "orders"), change)
    count = "SELECT count(*), count(fee) FROM orders"
    point = "SELECT fee FROM orders WHERE id = 0 AND ds = 's0'"
    assert ask(warehouse, count) == [(ROWS - 1, ROWS - 2)]
    assert ask(warehouse, point) == [(None,)]
    assert ask(warehouse, count, before) == [(ROWS, ROWS)]
    assert ask(warehouse, point, before) == [(Decimal("0.00"),)]


@pytest.mark.parametrize(
    "predicate",
    [
        "id = 77",
        "fee = 77.00",
        "tags[3] = '77'",
        "ts = TIMESTAMP '1970-01-01 00:00:00.077'",
        "ns = '1970-01-01 00:00:00.000077'::TIMESTAMP_NS",
        "tz = TIMESTAMPTZ '1970-01-01 08:00:00.077+08'",
        "NOT paid AND small = 77 AND id < 100",
        "tm = TIME '00:00:00.077'",
        "day = DATE '1970-03-19'",
        "ratio = 38.5",
        "raw = '77'::BLOB",
        "id = 77 AND ds = 's0'",
        "id = 77 AND ds = 's0' AND NOT paid AND tags[3] = '77'",
    ],
)
def test_predicates_on_every_type_find_their_row(warehouse: Warehouse, predicate: str) -> None:
    rows = ask(warehouse, f"SELECT id, ds, tags FROM orders WHERE {predicate}")
    assert rows == [(77, "s0", ["a", None, "77"])]


def test_a_pinned_row_has_the_types_of_a_scanned_one(warehouse: Warehouse) -> None:
    point = "SELECT * FROM orders WHERE id = 77 AND ds = 's0'"
    direct = run_sql(warehouse.snapshot(), point, "dw").read_all()
    by_duckdb = run_sql(warehouse.snapshot(), f"{point} AND TRUE", "dw").read_all()
    scanned = run_sql(warehouse.snapshot(), "SELECT * FROM orders WHERE id = 77", "dw").read_all()
    assert direct.num_rows == 1
    assert direct.schema.equals(by_duckdb.schema) and direct.equals(by_duckdb)
    assert direct.schema.equals(scanned.schema) and direct.equals(scanned)


def test_threads_ask_at_once(warehouse: Warehouse) -> None:
    def one(i: int) -> list[tuple[Any, ...]]:
        if i % 2:
            return ask(warehouse, f"SELECT id FROM orders WHERE id = {i} AND ds = 's{i % 7}'")
        return ask(warehouse, f"SELECT max(id) FROM orders WHERE id <= {i}")

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(one, range(40))) == [[(i,)] for i in range(40)]
