"""No room on the disk: writes are refused whole, reads go on, and writes do once there is room."""

import errno
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kit.disk import Fault, HandClock, LyingDisk
from kit.model import batch_of, changes, looked_up, replayed, scanned
from kit.store import DATABASE, orders
from sluiceway.catalog import CreateDatabase, CreateTable, DiskFullError
from sluiceway.warehouse import ServerOptions, Warehouse, WriteRequest
from sluiceway.warehouse.disk import RealDisk

REQUEST = WriteRequest(DATABASE, "orders")
ONE, TWO = {"id": 1, "name": "a", "qty": 1}, {"id": 2, "name": "b", "qty": 2}


class Small:
    """A warehouse on a disk whose room a test decides; a log file for every commit."""

    def __init__(self, run: Path, packed_shard_bytes: int = 0) -> None:
        self.disk = LyingDisk(1)
        options = ServerOptions(
            run_dir=run,
            checkpoint_log_bytes=0,
            log_file_bytes=1,
            packed_shard_bytes=packed_shard_bytes,
        )
        self.warehouse = Warehouse.open(
            Path("/w"), options=options, disk=self.disk, clock=HandClock()
        )
        self.warehouse.ddl([CreateDatabase(DATABASE), CreateTable(orders())])
        self.table = self.warehouse.catalog.table(DATABASE, "orders")
        self.put(ONE)

    def put(self, row: dict[str, Any]) -> None:
        self.warehouse.write(REQUEST, batch_of(self.table, [0], [row]))

    def fail_in(self, effects: int) -> None:
        """Let the room end at the effect so many ahead."""
        self.disk._stop_at, self.disk._fault = self.disk.effects + effects, Fault.NO_SPACE


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Small]:
    small = Small(tmp_path / "run")
    yield small
    small.warehouse.close()


REFUSED: dict[str, Callable[[Small], Any]] = {
    "write": lambda small: small.put(TWO),
    "ddl": lambda small: small.warehouse.ddl([CreateDatabase("more")]),
    "hold": lambda small: small.warehouse.hold("h", None, 60_000),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_would_write_is_refused_and_what_reads_goes_on(small: Small, what: str) -> None:
    warehouse, table = small.warehouse, small.table
    reader = warehouse.changelog(table, 0, 1)
    published, files = warehouse.published, small.disk.files()
    small.disk.free = 1 << 20
    for _ in range(3):
        with pytest.raises(DiskFullError, match="nothing was changed") as refused:
            REFUSED[what](small)
        assert refused.value.sqlstate == "53100"
    assert (warehouse.published, small.disk.files()) == (published, files)
    assert scanned(warehouse.snapshot(), table) == [ONE]
    assert looked_up(warehouse, table, [(1,), (2,)]) == {(1,): ONE}
    assert [event["id"] for event in changes(warehouse, table, 0, 1)] == [1]
    assert reader.read(0).batch.num_rows == 1
    small.disk.free = 1 << 40
    REFUSED[what](small)
    assert warehouse.published > published


def test_a_log_file_for_which_there_is_no_room_leaves_nothing(small: Small) -> None:
    files = small.disk.files()
    small.fail_in(2)  # the name of the new file, then its header
    with pytest.raises(DiskFullError, match="cannot open a log file at LSN"):
        small.put(TWO)
    assert small.disk.files() == files
    small.put(TWO)
    assert scanned(small.warehouse.snapshot(), small.table) == [ONE, TWO]
    assert replayed(small.warehouse, small.table) == [ONE, TWO]
    assert not small.disk.dead


@pytest.mark.parametrize(
    ("packed_shard_bytes", "effect"),
    [(0, effect) for effect in range(2, 18)] + [(1 << 18, effect) for effect in range(2, 13)],
)
def test_a_checkpoint_without_room_leaves_nothing_and_the_next_one_succeeds(
    tmp_path: Path, packed_shard_bytes: int, effect: int
) -> None:
    small = Small(tmp_path / "run", packed_shard_bytes)
    try:
        small.warehouse.checkpoint()
        small.put(TWO)
        files = set(small.disk.files())
        small.fail_in(effect)
        try:
            small.warehouse.checkpoint()
        except DiskFullError as error:
            assert "the log still has everything" in str(error)
            assert {path for path in small.disk.files() if path.suffix != ".outline"} <= files
        assert small.disk.struck
        small.put(ONE)
        assert small.warehouse.checkpoint() == small.warehouse.published
        assert not small.disk.dead
    finally:
        small.warehouse.close()


def test_half_a_file_is_removed_from_a_real_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(fd: int, pieces: object) -> None:
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr("sluiceway.warehouse.disk._write_all", full)
    with pytest.raises(OSError, match="no space left"):
        RealDisk().replace(tmp_path / "file", [b"content"])
    assert list(tmp_path.iterdir()) == []
