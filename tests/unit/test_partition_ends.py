"""How partitions end: dropped, truncated, overwritten, expired; each as the changes it means."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kit.model import by_content, changes, check_changelog, scanned
from kit.partitions import DAYS, check, drop, listed, put, row, sales, units
from kit.store import DATABASE, Shop
from kit.workload import column
from sluiceway.catalog import (
    AddPartition,
    CorruptionError,
    NotFoundError,
)
from sluiceway.warehouse.replica import Replica


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(tmp_path / "data")
    yield shop
    shop.warehouse.close()


@pytest.mark.parametrize("again", ["", "restart", "checkpoint"])
def test_a_dropped_partition_is_the_deletes_of_its_rows(shop: Shop, again: str) -> None:
    shop.create(sales())
    rows = [row(day, number) for day in DAYS[:2] for number in range(6)]
    put(shop, *rows)
    before = shop.warehouse.published
    lsn = drop(shop, DAYS[0])
    put(shop, row(DAYS[1], 7), row(DAYS[2], 8))
    if again == "checkpoint":
        shop.warehouse.checkpoint()
    if again:
        shop.again()
    left = [*rows[6:], row(DAYS[1], 7), row(DAYS[2], 8)]
    check(shop, left)
    assert listed(shop) == [DAYS[1], DAYS[2]]
    table = shop.table("sales")
    ends = [e for n in (0, 1) for e in changes(shop.warehouse, table, n, before + 1, until=lsn)]
    assert {event["_event"] for event in ends} == {2}
    found = [{name: event[name] for name in ("day", "id", "qty")} for event in ends]
    assert sorted(found, key=by_content) == sorted(rows[:6], key=by_content)
    older = shop.warehouse.snapshot(before)
    assert scanned(older, older.table(DATABASE, "sales")) == sorted(rows, key=by_content)


def test_a_partition_that_comes_again_is_another(shop: Shop) -> None:
    shop.create(sales())
    put(shop, row(DAYS[0], 1))
    drop(shop, DAYS[0])
    with pytest.raises(NotFoundError, match="no partition day='2024-01-01'"):
        drop(shop, DAYS[0])
    put(shop, row(DAYS[0], 1, 2))
    assert list(shop.warehouse.catalog.partitions_of(shop.table("sales")).values()) == [2]
    check(shop, [row(DAYS[0], 1, 2)])


def test_a_dropped_partition_goes_when_nobody_can_ask_for_it(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "data", history_s=0, log_file_bytes=2_000)
    second_us = 1_000_000
    shop.create(
        sales(options={"table_property.shard_count": "2", "table_property.binlog.ttl": "10"})
    )
    put(shop, *(row(DAYS[0], number) for number in range(9)))
    put(shop, *(row(DAYS[1], number) for number in range(9)))
    replica = Replica.open(shop.folder, clock=shop.clock)
    try:
        drop(shop, DAYS[0])
        shop.warehouse.compact()
        assert units(shop) == [1024, 1025, 2048, 2049], "its deletes are still in the log"
        for _ in range(2):
            shop.clock.us += 20 * second_us
            put(shop, *(row(DAYS[1], number, 2) for number in range(9)))
            for _ in range(3):
                shop.warehouse.checkpoint()
        shop.warehouse.compact()
        assert units(shop) == [2048, 2049]
        table = replica.catalog.table(DATABASE, "sales")
        assert replica.snapshot().count(table) == 9
        shop.again().compact()
        assert units(shop) == [2048, 2049]
        assert len(scanned(shop.warehouse.snapshot(), shop.table("sales"))) == 9
    finally:
        replica.close()
        shop.warehouse.close()


def test_an_empty_partition_that_was_dropped_goes_at_once(shop: Shop) -> None:
    shop.create(sales())
    put(shop, row(DAYS[0], 1))
    shop.warehouse.ddl([AddPartition(DATABASE, "sales", {"day": DAYS[1]})])
    drop(shop, DAYS[1])
    assert units(shop) == [1024, 1025, 2048, 2049]
    shop.warehouse.compact()
    assert units(shop) == [1024, 1025]


def test_damage_in_a_dropped_partition_harms_its_past_alone(shop: Shop) -> None:
    shop.create(sales())
    put(shop, row(DAYS[0], 1))
    before = shop.warehouse.published
    drop(shop, DAYS[0])
    shop.warehouse.checkpoint()
    put(shop, row(DAYS[1], 2))
    shop.again()
    for _ in range(2):
        put(shop, row(DAYS[1], 3))
        shop.warehouse.checkpoint()
    shop.warehouse.close()
    first = min((shop.folder / "data" / "packs").glob("*.pack"))
    damaged = bytearray(first.read_bytes())
    damaged[-1] ^= 1
    first.write_bytes(damaged)
    shop.warehouse = shop.opened()
    table = shop.table("sales")
    assert scanned(shop.warehouse.snapshot(), table) == [row(DAYS[1], 2), row(DAYS[1], 3)]
    assert shop.warehouse.compact() == 0
    replica = Replica.open(shop.folder, clock=shop.clock)
    try:
        for reads in (shop.warehouse, replica):
            with pytest.raises(CorruptionError, match=first.name):
                scanned(reads.snapshot(before), table)
    finally:
        replica.close()


def test_one_partition_is_truncated(shop: Shop) -> None:
    shop.create(sales())
    rows = [row(day, number) for day in DAYS for number in range(4)]
    put(shop, *rows)
    ack = shop.warehouse.truncate(DATABASE, "sales", partition={"day": DAYS[1]})
    assert (ack.rows, ack.events) == (4, 4)
    left = [each for each in rows if each["day"] != rows[4]["day"]]
    check(shop, left)
    assert listed(shop) == list(DAYS)
    put(shop, row(DAYS[1], 9))
    shop.again()
    check(shop, [*left, row(DAYS[1], 9)])
    with pytest.raises(NotFoundError, match="no partition day='2025-01-01'"):
        shop.warehouse.truncate(DATABASE, "sales", partition={"day": "2025-01-01"})


def test_an_overwrite_replaces_the_partitions_that_it_has_rows_for(shop: Shop) -> None:
    shop.create(sales())
    rows = [row(day, number) for day in DAYS[:2] for number in range(4)]
    put(shop, *rows)
    before = shop.warehouse.published
    new = [row(DAYS[1], 7), row(DAYS[1], 1, 5), row(DAYS[2], 3)]
    ack = shop.write([0] * 3, new, "sales", overwrite=True)
    assert (ack.rows, ack.events) == (3, 7)
    check(shop, [*rows[:4], *new])
    assert scanned(shop.warehouse.snapshot(before), shop.table("sales")) == rows
    shop.again()
    check(shop, [*rows[:4], *new])


def test_partitions_expire_by_the_day_that_they_name(shop: Shop) -> None:
    columns = (column("day", "STRING"), column("id", "INT"))
    options = {"table_property.partition_expiration_time": "2 day"}
    shop.create(sales(columns=columns, options=options))
    shop.clock.us = 1_706_832_000_000_000  # 2024-02-02
    days = ["2024-01-31", "20240130", "2024-02-01", "2024-01-99", "2023", "later"]
    rows = [{"day": day, "id": number} for number, day in enumerate(days)]
    shop.write([0] * len(rows), rows, "sales")
    assert shop.warehouse.drop_expired_partitions() == 2
    assert listed(shop) == days[2:]
    check_changelog(shop.warehouse, shop.table("sales"), sorted(rows[2:], key=by_content))
    shop.clock.us += 86_400_000_000 - 1
    assert shop.warehouse.drop_expired_partitions() == 0
    shop.clock.us += 1
    assert shop.warehouse.drop_expired_partitions() == 1
    assert shop.warehouse.stats().space["partition_expiry"] == {"partitions": 3}
