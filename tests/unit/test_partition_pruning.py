"""A query reads no partition whose values its WHERE excludes, and answers as if it had."""

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from kit.store import DATABASE, Shop
from kit.workload import column
from sluiceway.catalog import Table
from sluiceway.warehouse import Snapshot
from sluiceway.warehouse.condition import Condition
from sluiceway.warehouse.query import run_sql

DAYS = ("2024-01-01", "2024-01-02", "2024-01-03")


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(tmp_path / "data")
    yield shop
    shop.warehouse.close()


class Counted:
    """A snapshot that counts the rows that it hands out, and can hand out all of them."""

    def __init__(self, snapshot: Snapshot, prunes: bool) -> None:
        self.snapshot, self.catalog, self.lsn = snapshot, snapshot.catalog, snapshot.lsn
        self.prunes, self.rows = prunes, 0

    def batches(
        self, table: Table, columns: Sequence[str] | None, conditions: Sequence[Condition] = ()
    ) -> list[pa.RecordBatch]:
        found = self.snapshot.batches(table, columns, conditions if self.prunes else ())
        self.rows += sum(batch.num_rows for batch in found)
        return found

    def count(self, table: Table) -> int:
        return self.snapshot.count(table)

    def lookup(
        self, table: Table, keys: pa.RecordBatch, columns: Sequence[str] | None
    ) -> pa.RecordBatch:
        return self.snapshot.lookup(table, keys, columns)


@pytest.mark.parametrize(
    ("kind", "where", "asked"),
    [
        ("DATE", "day = '2024-01-02'", [2]),
        ("DATE", "day IN ('2024-01-01', DATE '2024-01-03') AND qty = 1", [1, 3]),
        ("DATE", "day BETWEEN '2024-01-02' AND '2024-02-01'", [2, 3]),
        ("DATE", "day = '2024-01-02' OR qty = 1", [1, 2, 3]),
        ("STRING", "day = '2024-01-02'", [2]),
        ("STRING", "day > '2024-01-01x' AND day < '2024-01-02x'", [2]),
        ("STRING", "day <> '2024-01-01'", [1, 2, 3]),
        ("STRING", "day = '2024-01-09'", []),
        ("STRING", "upper(day) = '2024-01-01'", [1, 2, 3]),
        ("INT", "day >= 20240102", [2, 3]),
        ("INT", "day IN (20240101, 7)", [1]),
    ],
)
def test_a_query_leaves_out_partitions(shop: Shop, kind: str, where: str, asked: list[int]) -> None:
    columns = (column("day", kind), column("id", "INT"), column("qty", "INT"))
    shop.create(Table(DATABASE, "sales", columns, ("day", "id"), partition_by=("day",), shards=2))
    days: dict[str, list[Any]] = {
        "DATE": [date.fromisoformat(day) for day in DAYS],
        "STRING": list(DAYS),
        "INT": [int(day.replace("-", "")) for day in DAYS],
    }
    rows = [{"day": day, "id": n, "qty": n} for day in days[kind] for n in range(3)]
    shop.write([0] * len(rows), rows, "sales")
    query = f"SELECT day, id, qty FROM sales WHERE {where} ORDER BY day, id"
    pruned, whole = (Counted(shop.warehouse.snapshot(), prunes) for prunes in (True, False))
    answers = [run_sql(each, query, DATABASE).read_all().to_pylist() for each in (pruned, whole)]
    assert answers[0] == answers[1]
    assert (pruned.rows, whole.rows) == (3 * len(asked), 9)
