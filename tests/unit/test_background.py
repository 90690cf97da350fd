"""What is done in the background goes on after a failure of any kind, and tells of it."""

import errno
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from kit.disk import HandClock, LyingDisk
from kit.model import INSERT, batch_of
from kit.server import wait_for
from kit.store import DATABASE, orders
from sluiceway.catalog import CreateDatabase, CreateTable, SetOptions, UnavailableError
from sluiceway.warehouse import ServerOptions, Warehouse, WriteRequest
from sluiceway.warehouse.background import Background, TaskStats
from sluiceway.warehouse.clock import SECOND_US
from sluiceway.warehouse.replica import Replica

FAILURES = {
    "the disk": OSError(errno.EIO, "input/output error"),
    "memory": MemoryError(),
    "a defect": KeyError("a defect"),
    "one of ours": UnavailableError("not now"),
}
LIVE_S = 60
REQUEST = WriteRequest(DATABASE, "orders")


class Shop:
    """A warehouse with one cold shard, on a disk that a test can break."""

    def __init__(self, run: Path) -> None:
        self.disk, self.clock, self._run = LyingDisk(1), HandClock(), run
        self.warehouse = self._open()
        self.warehouse.ddl([CreateDatabase(DATABASE), CreateTable(orders())])
        ttl = {"table_property.time_to_live_in_seconds": str(LIVE_S)}
        self.warehouse.ddl([SetOptions(DATABASE, "orders", ttl)])
        self.write(1)
        self.warehouse.close()
        self.warehouse = self._open()

    def _open(self) -> Warehouse:
        options = ServerOptions(run_dir=self._run, checkpoint_log_bytes=2_000)
        return Warehouse.open(Path("/w"), options=options, disk=self.disk, clock=self.clock)

    def write(self, number: int) -> None:
        row = {"id": number, "name": "x" * 1_000, "qty": number}
        table = self.warehouse.catalog.table(DATABASE, "orders")
        self.warehouse.write(REQUEST, batch_of(table, [INSERT], [row]))

    def rows(self) -> int:
        snapshot = self.warehouse.snapshot()
        return snapshot.count(snapshot.table(DATABASE, "orders"))

    def task(self, name: str) -> TaskStats:
        [found] = [task for task in self.warehouse.stats().background if task.name == name]
        return found


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(tmp_path / "run")
    yield shop
    shop.disk.unreadable = None
    shop.warehouse.close()


@pytest.mark.parametrize("what", FAILURES)
def test_a_chore_that_fails_is_done_again(shop: Shop, what: str) -> None:
    keeper = shop.warehouse._opened.housekeeper
    shop.clock.us += 2 * LIVE_S * SECOND_US
    shop.disk.unreadable = FAILURES[what]
    keeper.wake()
    wait_for("a failure that shows", lambda: shop.task("expiry").state == "failing")
    failed = shop.task("expiry")
    assert failed.error is not None and str(FAILURES[what]) in failed.error
    assert (failed.failures, failed.in_a_row) == (1, 1)
    keeper.wake()
    wait_for("another one", lambda: shop.task("expiry").in_a_row == 2)
    assert shop.task("housekeeper").state == "running"
    shop.disk.unreadable = None
    keeper.wake()
    wait_for("an end of it", lambda: shop.task("expiry").state == "running")
    assert shop.rows() == 0
    assert (shop.task("expiry").failures, shop.task("expiry").in_a_row) == (2, 0)


@pytest.mark.parametrize("what", FAILURES)
def test_a_checkpoint_that_fails_is_written_once_it_can_be(shop: Shop, what: str) -> None:
    shop.write(2)
    wait_for("a checkpoint", lambda: shop.task("checkpointer").state == "running")
    shop.disk.unreadable = FAILURES[what]
    before = shop.warehouse.stats().checkpoint_lsn
    for number in range(3, 6):
        shop.write(number)
    wait_for("a failure that shows", lambda: shop.task("checkpointer").state == "failing")
    shop.disk.unreadable = None
    wait_for("an end of it", lambda: shop.task("checkpointer").state == "running")
    assert shop.warehouse.stats().checkpoint_lsn > before
    assert shop.task("checkpointer").failures > 0
    assert [task.state for task in shop.warehouse.stats().background] == ["running"] * 8


def test_a_thread_is_off_runs_and_ends_and_says_so() -> None:
    turns: list[int] = []
    thread = Background("worker", lambda: turns.append(thread.rest(0.001)))
    assert thread.stats() == TaskStats("worker", "off", 0, 0, None)
    thread.start()
    wait_for("turns", lambda: len(turns) > 3)
    assert thread.stats() == TaskStats("worker", "running", 0, 0, None)
    thread.close()
    assert thread.stats().state == "ended"


@pytest.mark.parametrize("what", FAILURES)
def test_a_reading_process_that_cannot_look_looks_again(shop: Shop, what: str) -> None:
    shop.write(2)  # the shard is in memory
    replica = Replica.open(Path("/w"), disk=shop.disk, clock=shop.clock)
    table, published = replica.catalog.table(DATABASE, "orders"), replica.published
    told: list[bool] = []
    subscriber = threading.Thread(
        target=lambda: told.append(replica.wait_beyond((table.id, 0), published, 30.0))
    )
    subscriber.start()
    try:
        shop.disk.unreadable = FAILURES[what]
        shop.write(3)
        wait_for("a failure that shows", lambda: replica.stats().background[0].state == "failing")
        shop.disk.unreadable = None
        subscriber.join(30.0)
        assert told == [True]
        wait_for("an end of it", lambda: replica.stats().background[0].state == "running")
    finally:
        replica.close()
    assert replica.stats().background[0].state == "ended"
