"""Memory for a commit is reserved before it begins: no store needs more, a refusal changes nothing.

Where a small tmpfs can be mounted, one is filled by others while a warehouse writes.
"""

import errno
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from kit.model import all_rows, looked_up
from kit.store import DATABASE, Shop, orders
from sluiceway.catalog import DiskFullError
from sluiceway.warehouse import WriteRequest
from sluiceway.warehouse.extents import STEP_BYTES, Extents
from sluiceway.warehouse.table import Memory, Shard, prepare

REQUEST = WriteRequest(DATABASE, "orders")
PAGE_BYTES = 4096


def rows_of(start: int, count: int, op: int = 0) -> pa.RecordBatch:
    """Upserts or deletes of consecutive keys, with names that grow."""
    ids = pa.array(range(start, start + count), pa.int64())
    names = pa.array(["n" * (number % 90) for number in range(count)])
    ops = pa.repeat(pa.scalar(op, pa.int8()), count)
    return pa.record_batch({"_op": ops, "id": ids, "name": names, "qty": ids.cast(pa.int32())})


def blocks(folder: Path) -> Mapping[str, int]:
    """How many blocks each file has."""
    return {entry.name: entry.stat().st_blocks for entry in os.scandir(folder)}


@pytest.fixture
def memory() -> Iterator[Memory]:
    """Memory where the blocks of a file are its pages."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        memory = Memory(Path(folder))
        yield memory
        memory.close()


def test_buffers_grow_by_what_they_have(memory: Memory) -> None:
    mapped = memory.create("a", 16 * STEP_BYTES)
    extents = Extents(mapped, [0, 8 * STEP_BYTES], [8 * STEP_BYTES, 8 * STEP_BYTES])
    reached = []
    for needed in (1, PAGE_BYTES, PAGE_BYTES + 1, 3 * STEP_BYTES, 3 * STEP_BYTES + 1):
        extents.reach(np.array([needed, 0]))
        reached.append(blocks(memory.directory)[mapped.path.name] * 512)
    assert reached == [
        PAGE_BYTES, PAGE_BYTES, 2 * PAGE_BYTES, 3 * STEP_BYTES, 4 * STEP_BYTES,
    ]  # fmt: skip
    extents.reach(np.array([8 * STEP_BYTES, 8 * STEP_BYTES]))
    assert blocks(memory.directory)[mapped.path.name] * 512 == mapped.size_bytes


def test_applying_a_plan_needs_no_more_memory(tmp_path: Path, memory: Memory) -> None:
    """Segments begin and fill, the index grows, rows are replaced and deleted."""
    shop = Shop(tmp_path / "data")
    try:
        table = shop.create(orders())
    finally:
        shop.warehouse.close()
    shard = Shard(table, 0, memory, (512, 2_048, 8_192))
    kinds = [(0, 3_000, 0), (100, 700, 0), (2_900, 5_000, 0), (50, 400, 3), (0, 60, 0)]
    for number, (start, count, op) in enumerate(kinds, 1):
        ops, batch = prepare(table, rows_of(start, count, op), partial=False)
        lsn = 100_000 * number
        plan = shard.plan(
            batch, ops, conflict="update", partial=False,
            positions=np.arange(count, dtype=np.int32), commit_lsn=lsn,
        )  # fmt: skip
        reserved = blocks(memory.directory)
        shard.apply(plan)
        shard.publish(lsn, lsn)
        used = blocks(memory.directory)
        assert used == {name: reserved[name] for name in used}
    assert shard.stats().rows == 7_900 - 400 + 10
    assert shard.stats().segments == 3 and shard.stats().index_slots > 4_096


class Full:
    """A file system that has no room from the n-th request on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left: int | None = None
        self._real = os.posix_fallocate
        monkeypatch.setattr(os, "posix_fallocate", self.reserve)

    def reserve(self, descriptor: int, start: int, length: int) -> None:
        if self.left is not None:
            if self.left == 0:
                raise OSError(errno.ENOSPC, "no space left")
            self.left -= 1
        self._real(descriptor, start, length)


def test_small_commits_seldom_ask_for_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = Shop(tmp_path / "data")
    shop.create(orders())
    warehouse = shop.warehouse
    warehouse.write(REQUEST, rows_of(0, 2))
    warehouse.write(REQUEST, rows_of(0, 2))
    full = Full(monkeypatch)
    full.left = 0
    try:
        for _ in range(100):
            warehouse.write(REQUEST, rows_of(0, 2))
        assert len(all_rows(warehouse, DATABASE)["orders"]) == 2
    finally:
        full.left = None
        warehouse.close()


BATCHES = {
    "the first rows": (0, [rows_of(0, 10)]),
    "more segments and partitions": (300, [rows_of(0, 6_000)]),
    "rows that end": (300, [rows_of(0, 300, 3)]),
    "several shards": (300, [rows_of(0, 6_000), rows_of(0, 300, 3)]),
}


@pytest.mark.parametrize("what", BATCHES)
def test_a_refused_commit_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    before, batches = BATCHES[what]
    shop = Shop(tmp_path / "data")
    warehouse = shop.warehouse
    table = shop.create(orders(shards=3))
    if before:
        warehouse.write(REQUEST, rows_of(0, before))
        shop.again()
        warehouse = shop.warehouse
    full = Full(monkeypatch)
    published, rows = warehouse.published, all_rows(warehouse, DATABASE)
    run = blocks(shop.run_dir)
    for batch in batches:
        for requests in range(10_000):
            full.left = requests
            try:
                warehouse.write(REQUEST, batch)
            except DiskFullError as error:
                assert error.sqlstate == "53100" and "nothing was changed" in str(error)
                assert warehouse.published == published
                assert blocks(shop.run_dir).keys() == run.keys()
            else:
                break
            if requests % 7 == 0:
                assert all_rows(warehouse, DATABASE) == rows
        full.left = None
        published, rows = warehouse.published, all_rows(warehouse, DATABASE)
        run = blocks(shop.run_dir)
    keys = [(number,) for number in (0, 299, 5_999)]
    expected = {row["id"]: row for row in rows["orders"]}
    found = looked_up(warehouse, table, keys)
    assert found == {key: expected[key[0]] for key in keys if key[0] in expected}
    again = shop.again()
    assert all_rows(again, DATABASE) == rows
    again.close()


@pytest.fixture
def tmpfs(tmp_path: Path) -> Iterator[Path]:
    """A file system in memory of 24 MiB, where one may be mounted; it goes with its last map."""
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a tmpfs cannot be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_tmpfs_that_others_fill_ends_no_process(tmp_path: Path, tmpfs: Path) -> None:
    shop = Shop(tmp_path / "data", run_dir=tmpfs / "run")
    shop.create(orders(shards=2))
    written = refused = 0
    with open(tmpfs / "ballast", "wb", buffering=0) as ballast:
        for number in range(200):
            try:
                shop.warehouse.write(REQUEST, rows_of(1_000 * number, 1_000))
                written += 1_000
            except DiskFullError:
                refused += 1
            try:
                ballast.write(bytes(400_000))
            except OSError as error:
                assert error.errno == errno.ENOSPC
    assert written and refused
    assert shop.warehouse.stats().tables[0].rows == written
    assert len(all_rows(shop.warehouse, DATABASE)["orders"]) == written
    (tmpfs / "ballast").unlink()
    shop.warehouse.write(REQUEST, rows_of(0, 1_000))
    shop.warehouse.close()
