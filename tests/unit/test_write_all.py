"""Writes to several tables: one commit, one LSN, all or nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kit.model import Row, batch_of, changes, replayed, scanned
from kit.store import DATABASE, Shop, orders
from kit.workload import column
from sluiceway.catalog import AddColumn, ConflictError, SluicewayError, Table, UserError
from sluiceway.warehouse import Ack, WriteRequest
from sluiceway.warehouse.requests import DdlWork, Write, prepare_write


def items() -> Table:
    """A table with a column that may not be NULL."""
    columns = (column("id", "BIGINT", nullable=False), column("price", "INT", nullable=False))
    return Table(DATABASE, "items", columns, primary_key=("id",))


def notes() -> Table:
    """A table without a key."""
    return Table(DATABASE, "notes", (column("text", "STRING"),))


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(tmp_path / "data")
    shop.create(orders(shards=2), items(), notes())
    yield shop
    shop.warehouse.close()


def write(shop: Shop, table: str, rows: list[Row], *, partial: bool = False) -> Write:
    batch = batch_of(shop.table(table), [0] * len(rows), rows)
    return WriteRequest(DATABASE, table, partial=partial), batch


def some(shop: Shop) -> list[Write]:
    """Three orders, one item, two notes."""
    return [
        write(shop, "orders", [{"id": i, "name": f"n{i}", "qty": i} for i in range(3)]),
        write(shop, "items", [{"id": 1, "price": 5}]),
        write(shop, "notes", [{"text": "a"}, {"text": "b"}]),
    ]


def shown(shop: Shop) -> dict[str, int]:
    """How many rows each table shows, by scan and by changelog."""
    snapshot = shop.warehouse.snapshot()
    counts = {}
    for table in map(shop.table, ["orders", "items", "notes"]):
        counts[table.name] = len(scanned(snapshot, table))
        assert len(replayed(shop.warehouse, table)) == counts[table.name]
    return counts


def test_several_tables_are_one_record_and_one_lsn(shop: Shop) -> None:
    before, published = shop.warehouse.stats().log, shop.warehouse.published
    ack = shop.warehouse.write_all(some(shop))
    after = shop.warehouse.stats().log
    assert ack == Ack(published + 1 + 2 * 6, 6, 6)
    assert (after["records"] - before["records"], after["fsyncs"] - before["fsyncs"]) == (1, 1)
    assert shown(shop) == {"orders": 3, "items": 1, "notes": 2}
    assert set(shown_at(shop, published).values()) == {0}
    owned = [
        event["_lsn"]
        for table in map(shop.table, ["orders", "items", "notes"])
        for shard in range(table.shards)
        for event in changes(shop.warehouse, table, shard, 1)
    ]
    assert sorted(owned) == [published + 2 + 2 * row for row in range(6)]
    shop.again()
    assert shown(shop) == {"orders": 3, "items": 1, "notes": 2}


def shown_at(shop: Shop, lsn: int) -> dict[str, int]:
    snapshot = shop.warehouse.snapshot(lsn)
    return {t.name: len(scanned(snapshot, t)) for t in snapshot.catalog.tables_of(DATABASE)}


def test_one_row_that_is_refused_refuses_all(shop: Shop) -> None:
    nobody = {"orders": 0, "items": 0, "notes": 0}
    published = shop.warehouse.published
    fresh = write(shop, "items", [{"id": 7}], partial=True)  # only the shard knows: 7 is new
    missing = (WriteRequest(DATABASE, "nowhere"), fresh[1])
    for bad, sqlstate in [(fresh, "23502"), (missing, "42P01")]:
        with pytest.raises(SluicewayError) as refused:
            shop.warehouse.write_all([*some(shop)[::2], bad])
        assert refused.value.sqlstate == sqlstate
        assert shown(shop) == nobody
    assert shop.warehouse.published == published
    assert shop.warehouse.write_all(some(shop)).rows == 6


def test_a_table_is_named_once_and_something_is_written(shop: Shop) -> None:
    with pytest.raises(UserError, match="twice"):
        again = (WriteRequest(DATABASE, "public.notes"), some(shop)[2][1])
        shop.warehouse.write_all([*some(shop), again])
    with pytest.raises(UserError, match="at least one"):
        shop.warehouse.write_all([])


def test_a_ddl_between_is_met_by_all_parts(shop: Shop) -> None:
    old = prepare_write(shop.warehouse.catalog, some(shop))
    batch = some(shop)[1][1]
    add = DdlWork([AddColumn(DATABASE, "items", column("tag", "STRING"))], None)
    committer = shop.warehouse._committer
    with committer._queue._wake:
        for work in (add, old):
            committer.submit(work)
    assert old.future.result(60).rows == 6
    assert scanned(shop.warehouse.snapshot(), shop.table("items")) == [
        {"id": 1, "price": 5, "tag": None}
    ]
    with pytest.raises(ConflictError):
        shop.warehouse.write_all([(WriteRequest(DATABASE, "items", table_id=99), batch)])


def test_writes_of_one_group_see_each_other(shop: Shop) -> None:
    works = [prepare_write(shop.warehouse.catalog, some(shop)) for _ in range(3)]
    committer = shop.warehouse._committer
    with committer._queue._wake:
        for work in works:
            committer.submit(work)
    acks = [work.future.result(60) for work in works]
    assert len({ack.lsn for ack in acks}) == 1
    assert [ack.events for ack in acks] == [6, 10, 10]
    assert shown(shop) == {"orders": 3, "items": 1, "notes": 6}
