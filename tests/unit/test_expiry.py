"""Row TTL: what is too old goes, in a commit that snapshots, checkpoints and recovery respect."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kit.model import changes, looked_up, scanned
from kit.store import DATABASE, Shop, orders
from kit.workload import column
from sluiceway.catalog import CreateTable, DropTable, SetOptions, Table
from sluiceway.warehouse.requests import ExpireWork
from sluiceway.warehouse.upkeep import expiry

LIVE_S = 100


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(tmp_path / "data", checkpoint_log_bytes=0)
    shop.create(orders(shards=2, live_s=LIVE_S))
    yield shop
    shop.warehouse.close()


def later(shop: Shop, seconds: int) -> None:
    shop.clock.us += seconds * 1_000_000


def ids(shop: Shop, lsn: int | None = None) -> list[int]:
    return [row["id"] for row in scanned(shop.warehouse.snapshot(lsn), shop.table())]


def test_rows_live_from_their_last_write(shop: Shop) -> None:
    shop.put(*((i, "a", i) for i in range(10)))
    later(shop, LIVE_S - 1)
    shop.put((3, "b", 3), (4, "b", 4))
    assert shop.warehouse.expire() == 0
    later(shop, 1)
    assert shop.warehouse.expire() == 8
    assert ids(shop) == [3, 4]
    assert set(looked_up(shop.warehouse, shop.table(), [(1,), (3,)])) == {(3,)}
    later(shop, LIVE_S)
    assert shop.warehouse.expire() == 2
    assert ids(shop) == []
    assert shop.warehouse.expire() == 0
    assert shop.warehouse.stats().space["expiry"]["rows"] == 10


def test_an_expired_key_is_inserted_anew(shop: Shop) -> None:
    shop.put((1, "a", 1))
    later(shop, LIVE_S)
    shop.warehouse.expire()
    start = shop.warehouse.published + 1
    shop.write([0], [{"id": 1, "name": "b"}], partial=True)
    assert scanned(shop.warehouse.snapshot(), shop.table()) == [{"id": 1, "name": "b", "qty": None}]
    events = [e for n in range(2) for e in changes(shop.warehouse, shop.table(), n, start)]
    assert [event["_event"] for event in events] == [5]


def test_no_changes_tell_of_it_and_older_snapshots_show_the_rows(shop: Shop) -> None:
    shop.put((1, "a", 1), (2, "b", 2))
    before = shop.warehouse.published
    later(shop, LIVE_S)
    shop.warehouse.expire()
    assert shop.warehouse.published > before
    assert ids(shop, before) == [1, 2]
    assert [e for n in range(2) for e in changes(shop.warehouse, shop.table(), n, before + 1)] == []


@pytest.mark.parametrize("checkpoints", ["none", "before", "after", "both"])
def test_it_survives_restarts(shop: Shop, checkpoints: str) -> None:
    shop.put((1, "a", 1), (2, "b", 2))
    later(shop, LIVE_S)
    shop.put((3, "c", 3))
    if checkpoints in ("before", "both"):
        shop.warehouse.checkpoint()
    assert shop.warehouse.expire() == 2
    if checkpoints in ("after", "both"):
        shop.warehouse.checkpoint()
    killed = shop.folder.with_name("killed")
    killed.mkdir()
    for path in [p for p in shop.folder.rglob("*") if p.is_file() and p.name != "LOCK"]:
        copy = killed / path.relative_to(shop.folder)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    other = Shop(killed)
    try:
        assert ids(other) == [3]
        assert set(looked_up(other.warehouse, other.table(), [(1,), (3,)])) == {(3,)}
        assert sum(table.rows for table in other.warehouse.stats().tables) == 1
    finally:
        other.warehouse.close()


def test_a_commit_ends_a_bounded_number_of_rows(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expiry, "ROWS_AT_ONCE", 6)
    for first in range(0, 40, 4):
        shop.put(*((i, "a", i) for i in range(first, first + 4)))
    later(shop, LIVE_S)
    shop.put((99, "b", 1))
    before = shop.warehouse.stats().log["commits"]
    assert shop.warehouse.expire() == 40
    commits = shop.warehouse.stats().log["commits"] - before
    assert 40 / (6 * 2) <= commits <= 10
    assert ids(shop) == [99]


def test_rows_without_a_key_expire_and_options_count_at_once(shop: Shop) -> None:
    lines = Table(DATABASE, "lines", (column("line", "STRING"),))
    shop.warehouse.ddl([CreateTable(lines)])
    shop.write([0, 0], [{"line": "a"}, {"line": "b"}], "lines")
    later(shop, LIVE_S)
    assert shop.warehouse.expire() == 0
    ttl = {"table_property.time_to_live_in_seconds": str(LIVE_S)}
    shop.warehouse.ddl([SetOptions(DATABASE, "lines", ttl)])
    shop.write([0], [{"line": "c"}], "lines")
    assert shop.warehouse.expire() == 2
    assert scanned(shop.warehouse.snapshot(), shop.table("lines")) == [{"line": "c"}]


def test_a_table_that_is_dropped_meanwhile_is_left_alone(shop: Shop) -> None:
    shop.put((1, "a", 1))
    table = shop.table()
    later(shop, LIVE_S)
    work = ExpireWork(table.id, {0: shop.warehouse.published})
    shop.warehouse.ddl([DropTable(DATABASE, "orders")])
    published = shop.warehouse.published
    shop.warehouse._committer.submit(work)
    assert work.future.result(60) == 0
    assert shop.warehouse.published == published
