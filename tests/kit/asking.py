"""A frozen snapshot of a small catalog, and how the tests ask it."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from kit.frozen import LSN, NEVER, Frozen
from sluiceway.catalog import (
    Catalog,
    Column,
    CreateDatabase,
    CreateTable,
    SluicewayError,
    Table,
    apply_change,
    parse_type,
)
from sluiceway.warehouse.query import run_sql


def table_of(name: str, key: Sequence[str], **types: str) -> CreateTable:
    columns = tuple(Column(0, column, parse_type(kind)) for column, kind in types.items())
    return CreateTable(Table("dw", name, columns, tuple(key)))


def _catalog() -> Catalog:
    catalog = Catalog.empty()
    for change in (
        CreateDatabase("dw", "the warehouse"),
        CreateDatabase("other"),
        table_of("orders", ["id", "ds"], id="BIGINT", ds="STRING", fee="DECIMAL(20, 2)"),
        table_of("ods.pay", ["id"], id="BIGINT"),
        table_of("days", ["day"], day="DATE", price="DECIMAL(10, 2)"),
        table_of("log", [], line="STRING"),
    ):
        catalog, _ = apply_change(catalog, change, default_shards=1)
    return catalog


def _mark(*dead: int | None) -> pa.Array:
    return pa.array([0 if lsn is None else NEVER - lsn for lsn in dead], pa.int64())


@pytest.fixture
def snapshot() -> Frozen:
    money = pa.decimal128(20, 2)
    orders = pa.record_batch(
        {
            "id": pa.array([1, 2, 3, 1], pa.int64()),
            "ds": ["a", "b", "c", "a"],
            "fee": pa.array([Decimal(1), Decimal(2), None, Decimal(5)], money),
            # Dead before, at (not yet visible again), and after the snapshot's LSN.
            "_mark": _mark(50, None, LSN + 1, None),
        }
    )
    pay = pa.record_batch({"id": pa.array([1], pa.int64()), "_mark": _mark(None)})
    days = pa.record_batch(
        {
            "day": pa.array([19403], pa.date32()),
            "price": pa.array([Decimal("9.50")], pa.decimal128(10, 2)),
            "_mark": _mark(None),
        }
    )
    log = pa.record_batch({"line": pa.array([], pa.utf8()), "_mark": _mark()})
    rows = {"dw.orders": orders, "dw.ods.pay": pay, "dw.days": days, "dw.log": log}
    return Frozen(_catalog(), rows)


def ask(snapshot: Frozen, sql: str, database: str | None = "dw") -> list[tuple[Any, ...]]:
    table = run_sql(snapshot, sql, database).read_all()
    return [tuple(row.values()) for row in table.to_pylist()]


def refused(snapshot: Frozen, sql: str, database: str | None = "dw") -> SluicewayError:
    with pytest.raises(SluicewayError) as caught:
        ask(snapshot, sql, database)
    return caught.value
