"""Columns of a live table dropped, moved, widened, made NOT NULL: log, snapshots, restart."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from kit.model import changes, scanned
from kit.store import DATABASE, Shop, orders
from kit.workload import column
from sluiceway.catalog import (
    AddColumn,
    DropColumn,
    MoveColumn,
    NotFoundError,
    SetNullable,
    SetType,
    UserError,
    parse_type,
)
from sluiceway.warehouse import WriteRequest


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    opened = Shop(tmp_path / "data")
    yield opened
    opened.warehouse.close()


def rows(shop: Shop, lsn: int | None = None) -> list[Any]:
    snapshot = shop.warehouse.snapshot(lsn)
    return scanned(snapshot, snapshot.table(DATABASE, "orders"))


def widen(name: str, kind: str) -> SetType:
    return SetType(DATABASE, "orders", name, parse_type(kind))


def test_every_change_holds_in_log_snapshots_and_after_a_restart(shop: Shop) -> None:
    shop.create(orders(shards=2))
    first = shop.write([0, 0], [{"id": i, "name": "a", "qty": i} for i in (1, 2)]).lsn
    shop.warehouse.checkpoint()
    shop.warehouse.ddl([widen("qty", "DECIMAL(12,2)"), DropColumn(DATABASE, "orders", "name")])
    second = shop.write([2], [{"id": 2, "qty": 5}]).lsn
    shop.warehouse.ddl(
        [
            AddColumn(DATABASE, "orders", column("name", "INT", default="8")),
            MoveColumn(DATABASE, "orders", "name", first=True),
        ]
    )
    shop.write([0], [{"id": 3, "qty": 6, "name": None}])
    now: list[dict[str, int | None]] = [
        {"name": 8, "id": 1, "qty": 1},
        {"name": 8, "id": 2, "qty": 5},
    ]
    now.append({"name": None, "id": 3, "qty": 6})
    for _ in range(3):
        assert shop.table().column_names == ("name", "id", "qty")
        assert shop.table().column("name").id == 4
        assert sorted(rows(shop), key=lambda row: row["id"]) == now
        assert rows(shop, first) == [{"id": i, "name": "a", "qty": i} for i in (1, 2)]
        assert [row["qty"] for row in rows(shop, second)] == [1, 5]
        events = [e for s in range(2) for e in changes(shop.warehouse, shop.table(), s, 1)]
        told = [(e["_event"], e["id"], e["name"], e["qty"]) for e in events]
        assert sorted(told, key=repr) == [
            (3, 2, 8, 2), (5, 1, 8, 1), (5, 2, 8, 2), (5, 3, None, 6), (7, 2, 8, 5),
        ]  # fmt: skip
        shop.again()
        shop.warehouse.checkpoint()


def test_a_write_with_a_dropped_column_names_it(shop: Shop) -> None:
    table = shop.create(orders())
    shop.warehouse.ddl([DropColumn(DATABASE, "orders", "name")])
    batch = pa.record_batch({"_op": pa.array([0], pa.int8()), "id": [1], "name": ["a"]})
    with pytest.raises(NotFoundError, match="'name'") as caught:
        shop.warehouse.write(WriteRequest(DATABASE, "orders", table_id=table.id), batch)
    assert caught.value.sqlstate == "42703"
    assert rows(shop) == []


def test_not_null_waits_until_no_row_is_null(shop: Shop) -> None:
    shop.create(orders(shards=2))
    must = SetNullable(DATABASE, "orders", "qty", False)
    shop.write([0, 0], [{"id": 1, "name": "a", "qty": None}, {"id": 2, "name": "b", "qty": 2}])
    with pytest.raises(UserError, match="'qty'") as caught:
        shop.warehouse.ddl([must])
    assert caught.value.sqlstate == "23502" and shop.table().schema_version == 1
    late = [AddColumn(DATABASE, "orders", column("x", "INT"))]
    with pytest.raises(UserError, match="'x'"):
        shop.warehouse.ddl([*late, SetNullable(DATABASE, "orders", "x", False)])
    shop.write([2], [{"id": 1, "qty": 1}], partial=True)
    lsn = shop.warehouse.ddl([must]).lsn
    with pytest.raises(UserError, match="NULL in 'qty'"):
        shop.put((3, "c", None))
    with pytest.raises(UserError, match="before 'qty' became NOT NULL"):
        for shard in range(2):
            changes(shop.warehouse, shop.table(), shard, 1)
    assert changes(shop.warehouse, shop.table(), 0, lsn) == []
    for shard in range(2):
        changes(shop.warehouse, shop.table(), shard, 1, columns=["id", "name"])
    shop.again()
    assert not shop.table().column("qty").nullable
    shop.warehouse.ddl([SetNullable(DATABASE, "orders", "qty", True)])
    shop.put((3, "c", None))
    assert [row["qty"] for row in rows(shop)] == [1, 2, None]


def test_a_stream_ends_at_each_change_and_goes_on_in_the_new_types(shop: Shop) -> None:
    for change in (
        widen("qty", "BIGINT"),
        SetNullable(DATABASE, "orders", "name", False),
        MoveColumn(DATABASE, "orders", "qty", first=True),
        DropColumn(DATABASE, "orders", "name"),
    ):
        if not shop.warehouse.catalog.databases:
            shop.create(orders())
            shop.put((1, "a", 1))
        reader = shop.warehouse.changelog(shop.table(), 0, shop.warehouse.published + 1)
        shop.warehouse.ddl([change])
        shop.write(
            [2], [{n: {"id": 1, "name": "a", "qty": 2}[n] for n in shop.table().column_names}]
        )
        end = reader.read(0)
        assert end.schema_changed and end.batch.num_rows == 0
        batch = shop.warehouse.changelog(shop.table(), 0, end.next).read(0).batch
        assert batch.schema.names[3:] == list(shop.table().column_names)
        assert batch.schema.field("qty").type == pa.int64()
        assert batch.column("_event").to_pylist() == [3, 7]
