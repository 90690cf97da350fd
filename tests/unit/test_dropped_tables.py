"""A table that was dropped is read AS OF an LSN before that, as long as such an LSN is kept."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from kit.model import Row, scanned
from kit.store import DATABASE, Shop, orders
from kit.workload import column
from sluiceway.catalog import (
    AddColumn,
    CreateDatabase,
    CreateTable,
    DropDatabase,
    DropTable,
    GoneError,
    NotFoundError,
)
from sluiceway.warehouse.clock import SECOND_US
from sluiceway.warehouse.query import run_sql
from sluiceway.warehouse.reads import Reads
from sluiceway.warehouse.replica import Replica

HISTORY_S = 100
ROWS = [{"id": 1, "name": "a", "qty": 1}, {"id": 2, "name": "b", "qty": 2}]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A warehouse with two orders."""
    shop = Shop(tmp_path / "data", checkpoint_log_bytes=0, history_s=HISTORY_S)
    shop.create(orders(shards=2))
    shop.put((1, "a", 1), (2, "b", 2))
    yield shop
    shop.warehouse.close()


def rows(reads: Reads, lsn: int) -> list[Row]:
    snapshot = reads.snapshot(lsn)
    found = scanned(snapshot, snapshot.table(DATABASE, "orders"))
    return sorted(found, key=lambda row: int(row["id"]))


def mapped(shop: Shop) -> int:
    """How many files of shards are in memory."""
    kinds = (".data.", ".side.", ".index.")
    return sum(any(kind in path.name for kind in kinds) for path in shop.run_dir.rglob("*"))


def kill(shop: Shop) -> None:
    shop.warehouse._opened.release()
    shop.warehouse = shop.opened()


def checkpoint_and_kill(shop: Shop) -> None:
    shop.warehouse.checkpoint()
    shop.warehouse.ddl([CreateDatabase("other")])
    kill(shop)


def restart_twice(shop: Shop) -> None:
    shop.again()
    shop.again()


WAYS: dict[str, Callable[[Shop], object]] = {
    "at once": lambda shop: None,
    "after a checkpoint": lambda shop: shop.warehouse.checkpoint(),
    "after a kill": kill,
    "after a checkpoint and a kill": checkpoint_and_kill,
    "after two restarts": restart_twice,
}


@pytest.mark.parametrize("way", WAYS)
def test_it_is_read_as_it_was(shop: Shop, way: str) -> None:
    with_rows = shop.warehouse.published
    shop.warehouse.ddl([AddColumn(DATABASE, "orders", column("more", "INT"))])
    shop.put((3, "c", 3))
    table, widened = shop.table(), shop.warehouse.published
    shop.warehouse.ddl([DropTable(DATABASE, "orders")])
    WAYS[way](shop)
    with closing(Replica.open(shop.folder, clock=shop.clock)) as replica:
        for reads in (shop.warehouse, replica):
            assert rows(reads, with_rows) == ROWS
            assert [row["more"] for row in rows(reads, widened)] == [None, None, None]
            with pytest.raises(NotFoundError):
                reads.snapshot().table(DATABASE, "orders")
            with pytest.raises(GoneError, match="was dropped"):
                scanned(reads.snapshot(), table)


def test_one_of_the_same_name_is_another(shop: Shop) -> None:
    first = shop.warehouse.published
    shop.warehouse.ddl([DropTable(DATABASE, "orders"), CreateTable(orders())])
    shop.put((1, "new", 9))
    second = shop.warehouse.published
    shop.warehouse.ddl([DropDatabase(DATABASE, cascade=True)])
    shop.again()
    assert rows(shop.warehouse, first) == ROWS
    assert rows(shop.warehouse, second) == [{"id": 1, "name": "new", "qty": 9}]


def test_sql_asks_for_it(shop: Shop) -> None:
    before = shop.warehouse.published
    shop.warehouse.ddl([DropTable(DATABASE, "orders")])
    sql = f"SELECT sum(qty) FROM orders AT (VERSION => {before})"
    answer = run_sql(shop.warehouse.snapshot(), sql, DATABASE, shop.warehouse).read_all()
    assert [list(row.values()) for row in answer.to_pylist()] == [[3]]


def test_it_goes_when_no_lsn_is_kept_that_shows_it(shop: Shop) -> None:
    before = shop.warehouse.published
    held = shop.warehouse.hold("held", None, ttl_ms=10_000_000)
    assert mapped(shop)
    shop.warehouse.ddl([DropTable(DATABASE, "orders")])
    shop.clock.us += 10 * HISTORY_S * SECOND_US
    shop.warehouse.compact()
    kept = shop.warehouse.stats().space["dropped"]
    assert kept == {"tables": 1, "rows": 2, "oldest_lsn": shop.warehouse.published}
    assert rows(shop.warehouse, held) == ROWS
    shop.warehouse.release("held")
    old = shop.warehouse.snapshot(before)
    shop.warehouse.compact()
    assert mapped(shop), "a snapshot is open"
    del old
    shop.warehouse.compact()
    assert shop.warehouse.stats().space["compaction"]["dropped_tables"] == 1
    assert shop.warehouse.stats().space["dropped"]["tables"] == 0
    assert not mapped(shop)
    with pytest.raises(GoneError, match="is not kept"):
        shop.warehouse.snapshot(before)
    for _ in range(2):
        shop.warehouse.checkpoint()
        shop.clock.us += SECOND_US
        shop.warehouse.ddl([CreateTable(orders()), DropTable(DATABASE, "orders")])
    assert not list((shop.folder / "data").rglob("*.seg"))
