"""Leases end to end: what a hold keeps, for how long, and what is freed and told after it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pytest

from kit.model import scanned
from kit.store import DATABASE, Shop, orders
from sluiceway.catalog import GoneError
from sluiceway.warehouse import Warehouse
from sluiceway.warehouse.client import Client
from sluiceway.warehouse.disk import Piece, RealDisk
from sluiceway.warehouse.server import FlightServer

BINLOG_TTL_S = 10
LEASE_MS = 60_000


class InterruptedDisk(RealDisk):
    """A disk on which something happens right after a manifest got its name."""

    then: Callable[[], object] = staticmethod(lambda: None)

    def replace(self, path: Path, pieces: Sequence[Piece]) -> None:
        super().replace(path, pieces)
        self.then()


class Lessor(Shop):
    """A shop with a log file for every commit and a disk to interrupt."""

    def __init__(self, folder: Path) -> None:
        self.disk = InterruptedDisk()
        super().__init__(folder, log_file_bytes=1, checkpoint_log_bytes=0)

    def opened(self) -> Warehouse:
        return Warehouse.open(self.folder, options=self.options, clock=self.clock, disk=self.disk)

    def pass_s(self, seconds: int) -> None:
        self.clock.us += seconds * 1_000_000

    def oldest_after_checkpoints(self) -> int:
        """Let go of all that nobody wants; returns where the log begins then."""
        self.warehouse.checkpoint()
        self.warehouse.checkpoint()
        return self.warehouse.shards(self.table())[0].oldest


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Lessor]:
    shop = Lessor(tmp_path / "data")
    shop.create(orders(ttl_s=BINLOG_TTL_S))
    shop.put(*((i, "old", i) for i in range(10)))
    yield shop
    shop.warehouse.close()


@pytest.fixture
def client(shop: Lessor) -> Iterator[Client]:
    with closing(FlightServer(shop.warehouse)) as server, Client(server.endpoint) as client:
        yield client


def names(client: Client, *, lsn: int | None = None, hold: str | None = None) -> set[str]:
    with client.scan(DATABASE, "orders", ["name"], lsn=lsn, hold=hold) as chunks:
        return set(chunks.to_reader().read_all().column(0).to_pylist())


def test_a_lease_keeps_a_moment_until_it_ends(shop: Lessor, client: Client) -> None:
    lsn = client.hold("job", LEASE_MS)
    shop.put(*((i, "new", i) for i in range(10)))
    for _ in range(3):
        shop.pass_s(50)
        assert client.hold("job", LEASE_MS, lsn) == lsn
        assert shop.oldest_after_checkpoints() <= lsn
        assert names(client, hold="job") == names(client, lsn=lsn) == {"old"}
        assert client.sql("SELECT min(name) AS n FROM shop.orders", lsn=lsn).to_pylist() == [
            {"n": "old"}
        ]
    with client.scan(DATABASE, "orders", ["name"], hold="job", batch_rows=1) as opened:
        rows = iter(opened)
        first = next(rows).batch
        shop.pass_s(61)
        with pytest.raises(GoneError, match="'job' at LSN .* has expired: take a new one"):
            names(client, hold="job")
        with pytest.raises(GoneError, match="has expired"):
            client.hold("job", LEASE_MS, lsn)
        shop.put((99, "newer", 1))
        oldest = shop.oldest_after_checkpoints()
        assert oldest > lsn
        rest = [chunk.batch for chunk in rows]
        assert pa.Table.from_batches([first, *rest]).column(0).to_pylist() == ["old"] * 10
    for refused in (
        lambda: names(client, lsn=lsn),
        lambda: client.hold("other", LEASE_MS, lsn),
        lambda: client.sql(f"SELECT * FROM shop.orders FOR SYSTEM_VERSION AS OF {lsn}"),
    ):
        with pytest.raises(GoneError, match=f"the oldest .*{oldest}"):
            refused()
    published = shop.warehouse.published
    assert client.hold("job", LEASE_MS) == published
    assert names(client, hold="job") == {"new", "newer"}


def test_a_lease_on_the_past_is_granted_where_it_is_kept(shop: Lessor, client: Client) -> None:
    lsn = shop.warehouse.published
    shop.put((1, "new", 1))
    assert client.hold("past", LEASE_MS, lsn) == lsn
    shop.pass_s(BINLOG_TTL_S + 1)
    assert shop.oldest_after_checkpoints() <= lsn
    shop.again()
    assert scanned(shop.warehouse.snapshot(hold="past"), shop.table())[1]["name"] == "old"
    shop.warehouse.release("past")
    assert shop.oldest_after_checkpoints() > lsn


def test_a_lease_that_is_taken_during_a_checkpoint_is_kept(shop: Lessor) -> None:
    lsn = shop.warehouse.published
    shop.put((1, "new", 1))
    shop.pass_s(BINLOG_TTL_S + 1)
    shop.put((1, "newer", 1))
    shop.warehouse.checkpoint()
    shop.disk.then = lambda: shop.warehouse.hold("late", lsn, LEASE_MS)
    shop.put((1, "newest", 1))
    shop.warehouse.checkpoint()
    shop.disk.then = lambda: None
    assert shop.warehouse.shards(shop.table())[0].oldest <= lsn
    assert scanned(shop.warehouse.snapshot(hold="late"), shop.table())[1]["name"] == "old"
    shop.warehouse.release("late")
    assert shop.oldest_after_checkpoints() > lsn
