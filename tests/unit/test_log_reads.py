"""A subscriber reads its own parts of the log, whatever the other tables write."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from kit.model import batch_of, changes
from kit.store import DATABASE, Shop, orders
from sluiceway.catalog import Table
from sluiceway.warehouse import Warehouse, WriteRequest
from sluiceway.warehouse.disk import ReadFile, RealDisk
from sluiceway.warehouse.reads import Reads
from sluiceway.warehouse.replica import Replica

COMMITS, OTHERS, SHARDS = 20, 10, 2
FEW_ROWS, MANY_ROWS = 4, 1_000


class CountedFile:
    """Passes reads on and adds up what they asked for."""

    def __init__(self, file: ReadFile, disk: "CountingDisk") -> None:
        self._file = file
        self._disk = disk

    def pread(self, offset: int, length: int) -> bytes:
        self._disk.read_bytes += length
        return self._file.pread(offset, length)

    def size(self) -> int:
        return self._file.size()

    def close(self) -> None:
        self._file.close()


class CountingDisk(RealDisk):
    """Counts the bytes that are read from log files."""

    def __init__(self) -> None:
        self.read_bytes = 0

    def open_read(self, path: Path) -> ReadFile:
        file = super().open_read(path)
        return CountedFile(file, self) if path.suffix == ".log" else file


class CountedShop(Shop):
    """A shop whose disk counts, with changes of one table among those of many others."""

    def __init__(self, folder: Path) -> None:
        self.disk = CountingDisk()
        super().__init__(folder, tail_cache_bytes=0)

    def opened(self) -> Warehouse:
        return Warehouse.open(self.folder, options=self.options, disk=self.disk, clock=self.clock)

    def fill(self) -> Table:
        """Write a little to one table and much to the others, in the same commits."""
        others = [f"other{number}" for number in range(OTHERS)]
        table = self.create(orders(shards=SHARDS), *(replace(orders(), name=n) for n in others))
        for commit in range(COMMITS):
            self.warehouse.write_all(
                [
                    self._write("orders", FEW_ROWS, commit),
                    *(self._write(name, MANY_ROWS, commit) for name in others),
                ]
            )
        return table

    def _write(self, name: str, count: int, commit: int) -> tuple[WriteRequest, pa.RecordBatch]:
        rows = [{"id": at, "name": f"{commit}", "qty": at} for at in range(count)]
        return WriteRequest(DATABASE, name), batch_of(self.table(name), [0] * count, rows)

    @property
    def own_bytes(self) -> int:
        """How long the parts of the one table are."""
        return next(t.bytes for t in self.warehouse.stats().tables if t.name == "orders")

    @property
    def log_bytes(self) -> int:
        """How long the log is."""
        return int(self.warehouse.stats().log["bytes"])


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[CountedShop]:
    shop = CountedShop(tmp_path / "data")
    yield shop
    shop.warehouse.close()


def events_of(reads: Reads, table: Table) -> int:
    return sum(len(changes(reads, table, shard, 1)) for shard in range(SHARDS))


def test_a_subscriber_reads_its_own_parts_only(shop: CountedShop) -> None:
    table = shop.fill()
    shop.disk.read_bytes = 0
    assert events_of(shop.warehouse, table) == FEW_ROWS * (2 * COMMITS - 1)
    assert shop.disk.read_bytes == shop.own_bytes < shop.log_bytes // 50


def test_a_start_reads_no_rows_below_the_checkpoint(shop: CountedShop) -> None:
    table = shop.fill()
    shop.warehouse.close()
    shop.disk.read_bytes = 0
    shop.warehouse = shop.opened()
    assert shop.disk.read_bytes < shop.log_bytes // 50
    assert events_of(shop.warehouse, table) == FEW_ROWS * (2 * COMMITS - 1)


def test_a_reading_process_reads_directories_beside(shop: CountedShop) -> None:
    table = shop.fill()
    shop.disk.read_bytes = 0
    replica = Replica.open(shop.folder, disk=shop.disk, clock=shop.clock)
    try:
        assert shop.disk.read_bytes < shop.log_bytes // 20
        shop.disk.read_bytes = 0
        assert events_of(replica, table) == FEW_ROWS * (2 * COMMITS - 1)
        assert shop.disk.read_bytes == shop.own_bytes
    finally:
        replica.close()
