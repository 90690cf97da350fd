"""What of the log is kept: by each table's `binlog.ttl`, by bytes, by holds, by two checkpoints."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kit.model import (
    INSERT,
    UPDATE_AFTER,
    Row,
    all_rows,
    by_content,
    changes,
    check_changelog,
    scanned,
)
from kit.store import DATABASE, Shop, orders
from kit.workload import column
from sluiceway.catalog import AddColumn, CreateTable, DropTable, GoneError, SetOptions
from sluiceway.warehouse.log import LogFile
from sluiceway.warehouse.replica import Replica
from sluiceway.warehouse.upkeep.retention import first_wanted, unwanted

TTL_S = 100
FILES = [
    LogFile(1, 10, 1_000, {0: 1, 7: 5}),
    LogFile(11, 20, 1_000, {7: 8, 8: 9}),
    LogFile(21, 30, 1_000, {8: 12}),
]


def opened(folder: Path, **options: int) -> Shop:
    """A shop whose log has a file for every commit, and checkpoints only when asked."""
    shop = Shop(folder, log_file_bytes=1, checkpoint_log_bytes=0, **options)
    shop.create(orders(ttl_s=TTL_S))
    return shop


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    shop = opened(tmp_path / "data")
    yield shop
    shop.warehouse.close()


def later(shop: Shop, seconds: int) -> None:
    shop.clock.us += seconds * 1_000_000


def checkpoint_twice(shop: Shop) -> int:
    """Let both kept manifests do without what is not wanted now; returns the oldest LSN then."""
    shop.warehouse.checkpoint()
    shop.warehouse.checkpoint()
    return shop.warehouse.shards(shop.table())[0].oldest


@pytest.mark.parametrize(
    ("ttls_us", "horizon", "now_us", "keep_bytes", "expected"),
    [
        ({7: 10, 8: 10}, 30, 14, 0, 0),
        ({7: 10, 8: 10}, 30, 15, 0, 11),
        ({7: 10, 8: 10}, 30, 19, 0, 21),
        ({7: 10, 8: 90}, 30, 60, 0, 11),  # table 8 keeps its neighbour's changes
        ({8: 10}, 30, 1, 0, 11),  # a dropped table wants nothing
        ({7: 10, 8: 10}, 10, 99, 0, 0),  # a hold at the last LSN of the file wants its catalog
        ({7: 10, 8: 10}, 11, 99, 0, 11),
        ({7: 10, 8: 10}, 30, 99, 0, 21),  # the newest record stays
        ({7: 99, 8: 99}, 30, 1, 2_000, 11),
        ({7: 99, 8: 99}, 30, 1, 1, 21),
        ({7: 99, 8: 99}, 5, 1, 1, 0),
    ],
)
def test_a_file_goes_when_nothing_in_it_is_wanted(
    ttls_us: dict[int, int], horizon: int, now_us: int, keep_bytes: int, expected: int
) -> None:
    assert first_wanted(FILES, ttls_us, horizon, now_us, keep_bytes) == expected


def test_changes_expire_and_rows_do_not(shop: Shop) -> None:
    table = shop.table()
    shop.put((1, "a", 1))
    old = shop.warehouse.published
    later(shop, TTL_S)
    shop.put((1, "b", 2), (2, "c", 3))
    rows = all_rows(shop.warehouse, DATABASE)
    for _ in range(2):
        oldest = checkpoint_twice(shop)
        assert oldest == old + 1
        assert all_rows(shop.warehouse, DATABASE) == rows
        check_changelog(shop.warehouse, table, rows["orders"])
        with pytest.raises(GoneError, match=f"the oldest is {oldest}"):
            shop.warehouse.changelog(table, 0, old)
        names = [path.stem for path in (shop.folder / "log").iterdir()]
        assert min(names) == f"{oldest:020d}"
        shop.again()


def test_the_log_is_cut_in_an_idle_warehouse_too(shop: Shop) -> None:
    shop.put((1, "a", 1))
    shop.put((2, "b", 2))
    last = shop.warehouse.published
    assert checkpoint_twice(shop) == 1
    later(shop, TTL_S)
    assert checkpoint_twice(shop) == last - 2
    retention = shop.warehouse.stats().log["checkpoints"]["retention"]
    assert (retention["removed_files"], retention["oldest"]) == (2, last - 2)
    kept = (shop.folder / "log").glob("*.log")
    assert shop.warehouse.stats().log["bytes"] == sum(path.stat().st_size for path in kept)


def test_one_manifest_alone_removes_nothing(shop: Shop) -> None:
    shop.put((1, "a", 1))
    later(shop, TTL_S)
    shop.put((2, "b", 2))
    shop.warehouse.checkpoint()
    assert shop.warehouse.shards(shop.table())[0].oldest == 1
    assert checkpoint_twice(shop) > 1


def test_a_hold_keeps_the_changes_behind_it_and_its_schema(shop: Shop) -> None:
    shop.put((1, "a", 1))
    lsn = shop.warehouse.hold("h", None, 86_400_000)
    shop.warehouse.ddl([AddColumn(DATABASE, "orders", column("later", "INT", default="7"))])
    later(shop, TTL_S)
    shop.put((1, "b", 2))
    for _ in range(2):
        assert checkpoint_twice(shop) <= lsn
        snapshot = shop.warehouse.snapshot(hold="h")
        table = snapshot.table(DATABASE, "orders")
        assert scanned(snapshot, table) == [{"id": 1, "name": "a", "qty": 1}]
        shop.again()
    shop.warehouse.release("h")
    assert checkpoint_twice(shop) > lsn


def test_the_history_of_the_catalog_begins_where_the_log_does(shop: Shop) -> None:
    shop.put((1, "a", 1))
    shop.warehouse.ddl([AddColumn(DATABASE, "orders", column("b", "INT"))])
    later(shop, TTL_S)
    shop.put((1, "b", 2))
    before = shop.warehouse.published
    shop.warehouse.ddl([AddColumn(DATABASE, "orders", column("c", "INT"))])
    shop.put((1, "c", 3))
    oldest = checkpoint_twice(shop)
    assert 1 < oldest <= before
    shop.again()
    table = shop.warehouse.snapshot(before).table(DATABASE, "orders")
    assert table.column_names == ("id", "name", "qty", "b")
    with pytest.raises(GoneError, match=f"the oldest is LSN {oldest}"):
        shop.warehouse.snapshot(oldest - 1)


def test_a_time_before_the_log_is_not_guessed(shop: Shop) -> None:
    shop.put((1, "a", 1))
    then = shop.clock.us
    later(shop, TTL_S)
    shop.put((1, "b", 2))
    assert shop.warehouse.snapshot(time_us=then).lsn < shop.warehouse.published
    oldest = checkpoint_twice(shop)
    with pytest.raises(GoneError, match=f"the oldest is LSN {oldest}"):
        shop.warehouse.snapshot(time_us=then)
    later(shop, 1)
    assert shop.warehouse.snapshot(time_us=shop.clock.us).lsn == shop.warehouse.published


def test_bytes_bound_the_log_whatever_the_options_of_tables_say(tmp_path: Path) -> None:
    shop = opened(tmp_path / "data", log_keep_bytes=3_000)
    try:
        for number in range(20):
            shop.put((number, "x" * 100, number))
        checkpoint_twice(shop)
        sizes = [path.stat().st_size for path in (shop.folder / "log").glob("*.log")]
        assert 2_000 < sum(sizes) < 4_000
        check_changelog(shop.warehouse, shop.table(), all_rows(shop.warehouse, DATABASE)["orders"])
    finally:
        shop.warehouse.close()


def test_a_longer_ttl_counts_at_once(shop: Shop) -> None:
    shop.put((1, "a", 1))
    shop.warehouse.ddl([SetOptions(DATABASE, "orders", {"table_property.binlog.ttl": "1000"})])
    later(shop, TTL_S)
    shop.put((1, "b", 2))
    assert checkpoint_twice(shop) < shop.warehouse.published
    check_changelog(shop.warehouse, shop.table(), all_rows(shop.warehouse, DATABASE)["orders"])


def test_a_dropped_table_keeps_nothing(shop: Shop) -> None:
    shop.warehouse.ddl([SetOptions(DATABASE, "orders", {"table_property.binlog.ttl": "1000"})])
    shop.put((1, "a", 1))
    later(shop, TTL_S)
    fresh = CreateTable(orders(ttl_s=TTL_S))
    shop.warehouse.ddl([DropTable(DATABASE, "orders"), fresh])
    shop.put((2, "b", 2))
    oldest = checkpoint_twice(shop)
    assert [e["id"] for e in changes(shop.warehouse, shop.table(), 0, oldest)] == [2]
    assert oldest > 1


def test_a_reader_that_fell_behind_is_told_and_others_go_on(shop: Shop) -> None:
    table = shop.table()
    shop.put((1, "a", 1))
    behind = shop.warehouse.changelog(table, 0, 1)
    shop.put((2, "b", 2))
    ahead = shop.warehouse.changelog(table, 0, 1)
    assert ahead.read(0).batch.num_rows == 2
    later(shop, TTL_S)
    shop.put((3, "c", 3))
    oldest = checkpoint_twice(shop)
    assert oldest > 1
    assert ahead.read(0).batch.column("id").to_pylist() == [3]
    with pytest.raises(GoneError, match=f"the oldest LSN is {oldest}"):
        behind.read(0)


@pytest.mark.parametrize(
    ("ttls_us", "held_lsn", "now_us", "expected"),
    [
        ({7: 10, 8: 10}, 30, 14, {}),
        ({7: 10, 8: 10}, 30, 15, {7: 11}),
        ({7: 10, 8: 90}, 30, 60, {7: 21}),
        ({7: 90, 8: 10}, 30, 60, {8: 21}),
        ({8: 90}, 30, 1, {7: 21}),  # a dropped table wants nothing
        ({7: 10, 8: 10}, 20, 99, {7: 11}),  # a hold wants all behind it
        ({7: 10, 8: 10}, 30, 99, {7: 21, 8: 21}),  # the newest file stays whole
    ],
)
def test_a_tables_changes_go_from_files_that_stay(
    ttls_us: dict[int, int], held_lsn: int, now_us: int, expected: dict[int, int]
) -> None:
    assert unwanted(FILES, ttls_us, held_lsn, now_us) == expected


MANY: list[Row] = [{"id": n, "name": f"name {n}", "qty": n} for n in range(2_000)]
FEW = MANY[:3]


def stored_bytes(shop: Shop) -> int:
    """How much room the log takes, holes left out."""
    return sum(path.stat().st_blocks * 512 for path in (shop.folder / "log").glob("*.log"))


def test_one_tables_long_retention_keeps_no_others_bytes(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "data", log_file_bytes=1 << 20, checkpoint_log_bytes=0)
    replica = Replica.open(shop.folder, clock=shop.clock)
    try:
        shop.create(orders(ttl_s=TTL_S, shards=2), replace(orders(ttl_s=100 * TTL_S), name="audit"))
        for _ in range(30):
            shop.write([UPDATE_AFTER] * len(MANY), MANY)
            shop.write([UPDATE_AFTER] * len(FEW), FEW, "audit")
        audit = changes(shop.warehouse, shop.table("audit"), 0, 1)
        early = replica.changelog(shop.table(), 0, 1, batch_rows=100)
        assert early.read(0).batch.num_rows == 100
        full_bytes, published = stored_bytes(shop), shop.warehouse.published
        later(shop, TTL_S + 1)
        shop.write([UPDATE_AFTER] * len(FEW), FEW)
        for _ in range(3):
            shop.write([UPDATE_AFTER], FEW[:1], "audit")
            shop.warehouse.checkpoint()
        assert stored_bytes(shop) < full_bytes // 2
        with pytest.raises(GoneError, match=r"the oldest LSN is \d+"):
            while early.read(0).batch.num_rows:
                pass
        for _ in range(2):
            late = Replica.open(shop.folder, clock=shop.clock)
            for reads in (shop.warehouse, replica, late):
                assert changes(reads, shop.table("audit"), 0, 1, until=published) == audit
                oldest = reads.shards(shop.table())[0].oldest
                assert oldest > 1 == reads.shards(shop.table("audit"))[0].oldest
                with pytest.raises(GoneError, match=f"the oldest is {oldest}"):
                    changes(reads, shop.table(), 0, oldest - 1)
                kept = [e for n in range(2) for e in changes(reads, shop.table(), n, oldest)]
                assert [event["_lsn"] > published for event in kept] == [True] * 2 * len(FEW)
                assert scanned(reads.snapshot(), shop.table()) == sorted(MANY, key=by_content)
            late.close()
            shop.again()
    finally:
        replica.close()
        shop.warehouse.close()


def test_a_hold_keeps_each_tables_changes(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "data", log_file_bytes=1, checkpoint_log_bytes=0)
    try:
        shop.create(orders(ttl_s=TTL_S), replace(orders(ttl_s=100 * TTL_S), name="audit"))
        shop.write([INSERT] * len(FEW), FEW)
        held = shop.warehouse.hold("reader", None, 10 * TTL_S * 1_000)
        shop.write([UPDATE_AFTER] * len(FEW), FEW)
        expected = changes(shop.warehouse, shop.table(), 0, held + 1)
        later(shop, 2 * TTL_S)
        for _ in range(3):
            shop.write([UPDATE_AFTER], FEW[:1], "audit")
            shop.warehouse.checkpoint()
        until = expected[-1]["_lsn"]
        assert changes(shop.warehouse, shop.table(), 0, held + 1, until=until) == expected
        later(shop, 10 * TTL_S)
        for _ in range(3):
            shop.write([UPDATE_AFTER], FEW[:1], "audit")
            shop.warehouse.checkpoint()
        assert shop.warehouse.shards(shop.table())[0].oldest > held
    finally:
        shop.warehouse.close()
