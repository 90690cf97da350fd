"""Group commit: what waits is committed together, each with its own answer."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from kit.disk import Crash, Fault, HandClock, LyingDisk
from kit.model import batch_of, changes, replayed, scanned
from kit.store import DATABASE, Shop, orders
from sluiceway.catalog import (
    CreateDatabase,
    CreateTable,
    UnavailableError,
    UserError,
)
from sluiceway.warehouse import ServerOptions, Warehouse, WriteRequest
from sluiceway.warehouse.requests import WriteWork, prepare_write

REQUEST = WriteRequest(DATABASE, "orders")


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(tmp_path / "data")
    yield shop
    shop.warehouse.close()


def held(shop: Shop, works: list[WriteWork]) -> None:
    """Hand in several requests while the committer cannot take the first."""
    committer = shop.warehouse._committer
    with committer._queue._wake:
        for work in works:
            committer.submit(work)


def work(shop: Shop, *ids: int, name: str = "n", conflict: str = "update") -> WriteWork:
    rows = [{"id": i, "name": name, "qty": 0} for i in ids]
    batch = batch_of(shop.table(), [0] * len(rows), rows)
    request = WriteRequest(DATABASE, "orders", conflict=conflict)
    return prepare_write(shop.warehouse.catalog, [(request, batch)])


def test_waiting_batches_become_one_record(shop: Shop) -> None:
    table = shop.create(orders(shards=2))
    before = shop.warehouse.stats().log
    works = [work(shop, 1, 2, name="a"), work(shop, 2, 3, name="b"), work(shop, 3, name="c")]
    held(shop, works)
    acks = [one.future.result(60) for one in works]
    assert len({ack.lsn for ack in acks}) == 1
    assert [(ack.rows, ack.events) for ack in acks] == [(2, 2), (2, 3), (1, 2)]
    after = shop.warehouse.stats().log
    assert (after["records"], after["batches"]) == (before["records"] + 1, before["batches"] + 3)
    names = {row["id"]: row["name"] for row in scanned(shop.warehouse.snapshot(), table)}
    assert names == {1: "a", 2: "b", 3: "c"}
    assert len(replayed(shop.warehouse, table)) == 3
    assert len(replayed(shop.again(), table)) == 3


def test_a_batch_that_fails_in_the_group_fails_alone(shop: Shop) -> None:
    table = shop.create(orders())
    good, bad, last = work(shop, 1), work(shop, 2), work(shop, 3)
    bad.parts = (replace(bad.parts[0], request=WriteRequest(DATABASE, "nowhere")),)
    held(shop, [good, bad, last])
    assert good.future.result(60).events == last.future.result(60).events == 1
    with pytest.raises(Exception, match="nowhere"):
        bad.future.result(60)
    assert [r["id"] for r in scanned(shop.warehouse.snapshot(), table)] == [1, 3]


def test_a_group_has_a_bound_on_its_rows(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "data", group_rows_max=4)
    try:
        shop.create(orders())
        works = [work(shop, i, i + 1) for i in range(0, 12, 2)]
        held(shop, works)
        assert len({one.future.result(60).lsn for one in works}) == 3
        assert work(shop, *range(50)).rows == 50
        assert shop.put(*((i, "", 0) for i in range(50))).rows == 50
    finally:
        shop.warehouse.close()


def test_ddl_keeps_its_place_among_writes(shop: Shop) -> None:
    shop.create(orders())
    table = shop.table()
    with ThreadPoolExecutor(4) as pool:
        batches = [batch_of(table, [0], [{"id": i, "name": "x", "qty": i}]) for i in range(60)]
        writes = [pool.submit(shop.warehouse.write, REQUEST, batch) for batch in batches]
        ddl = [pool.submit(shop.warehouse.ddl, [CreateDatabase(f"d{i}")]) for i in range(10)]
        lsns = {w.result(60).lsn for w in writes} | {d.result(60).lsn for d in ddl}
    assert max(lsns) == shop.warehouse.published
    assert len(changes(shop.warehouse, table, 0, 1)) == 60
    assert len(shop.warehouse.catalog.databases) == 11


def test_writers_in_many_threads_see_their_own_writes(shop: Shop) -> None:
    table = shop.create(orders(shards=2))
    stop = threading.Event()
    totals: list[int] = []

    def watch() -> None:
        while not stop.is_set():
            rows = scanned(shop.warehouse.snapshot(), table)
            totals.append(sum(row["qty"] for row in rows))

    def write(writer: int) -> None:
        for step in range(20):
            pair = [{"id": writer, "name": "", "qty": step}, {"id": -1 - writer, "name": "",
                                                              "qty": -step}]  # fmt: skip
            ack = shop.warehouse.write(REQUEST, batch_of(table, [0, 0], pair))
            assert shop.warehouse.published >= ack.lsn

    watcher = threading.Thread(target=watch)
    watcher.start()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    stop.set()
    watcher.join(60)
    assert set(totals) == {0}, "a reader saw half a commit"


def lying(tmp_path: Path, disk: LyingDisk) -> Warehouse:
    options = ServerOptions(run_dir=tmp_path / "run", checkpoint_log_bytes=0)
    return Warehouse.open(Path("/w"), options=options, disk=disk, clock=HandClock())


@pytest.mark.parametrize("fault", [Fault.SYNC_FAILS, Fault.NO_SPACE])
def test_a_failed_write_of_the_log_stops_everything(tmp_path: Path, fault: Fault) -> None:
    disk = LyingDisk(1)
    warehouse = lying(tmp_path, disk)
    warehouse.ddl([CreateDatabase(DATABASE), CreateTable(orders())])
    table = warehouse.catalog.table(DATABASE, "orders")
    batch = batch_of(table, [0], [{"id": 1, "name": "a", "qty": 1}])
    disk._stop_at, disk._fault = disk.effects + 1, fault
    for _ in range(2):
        with pytest.raises(UnavailableError):
            warehouse.write(REQUEST, batch)
    with pytest.raises(UnavailableError):
        warehouse.ddl([CreateDatabase("more")])
    warehouse.close()
    assert disk.dead


def test_a_closed_warehouse_takes_nothing(shop: Shop) -> None:
    shop.create(orders())
    shop.put((1, "a", 1))
    shop.warehouse.close()
    with pytest.raises(UnavailableError, match="closed"):
        shop.put((2, "b", 2))
    shop.warehouse.close()


def test_an_error_of_the_caller_is_not_the_end(shop: Shop) -> None:
    shop.create(orders())
    for _ in range(3):
        with pytest.raises(UserError):
            shop.write([1, 7], [{"id": 1}, {"id": 2}])
    assert shop.put((1, "a", 1)).events == 1


def test_a_crash_is_no_error_that_a_caller_could_catch() -> None:
    assert not issubclass(Crash, Exception)
