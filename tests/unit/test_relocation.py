"""Sealed segments leave memory at a checkpoint: what is read stays, in this process and others."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kit.model import all_rows, check_changelog, looked_up, scanned
from kit.store import DATABASE, Shop, orders
from sluiceway.catalog import SetType, parse_type
from sluiceway.warehouse.replica import Replica
from sluiceway.warehouse.table import MemoryStats, Shard

SEALED = 4_096
ROWS = 6_000


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(tmp_path / "data", checkpoint_log_bytes=0, history_s=0, packed_shard_bytes=150_000)
    shop.create(orders())
    shop.put(*((key, f"order {key}" if key % 3 else None, key % 7) for key in range(ROWS)))
    yield shop
    shop.warehouse.close()


def shard_of(shop: Shop) -> Shard:
    (shard,) = shop.warehouse._opened.committer.state.shards[shop.table().id].values()
    return shard


def memory_of(shop: Shop) -> MemoryStats:
    return shard_of(shop)._memory.stats()


def test_columns_move_to_the_data_file_and_their_memory_goes(shop: Shop) -> None:
    before, used = scanned(shop.warehouse.snapshot(), shop.table()), memory_of(shop)
    assert shard_of(shop).in_memory() == {0: SEALED}
    shop.warehouse.checkpoint()
    assert shard_of(shop).in_memory() == {}
    assert scanned(shop.warehouse.snapshot(), shop.table()) == before
    after = memory_of(shop)
    assert after.files == used.files - 1, "the columns went, marks and chains stay"
    assert after.used_bytes < used.used_bytes
    stats = shop.warehouse.stats().log["checkpoints"]["relocation"]
    assert stats["segments"] == 1
    assert stats["bytes"] > SEALED * (16 + 8 + 4 + 4)


def test_rows_in_a_data_file_are_updated_deleted_and_kept(shop: Shop) -> None:
    shop.warehouse.checkpoint()
    shop.put((5, "changed", 1), (ROWS, "new", 2))
    shop.write([3], [{"id": 7, "name": None, "qty": None}])
    keys = [(5,), (6,), (7,), (ROWS - 1,), (ROWS,)]
    found = looked_up(shop.warehouse, shop.table(), keys)
    assert set(found) == {(5,), (6,), (ROWS - 1,), (ROWS,)}
    rows = scanned(shop.warehouse.snapshot(), shop.table())
    assert len(rows) == ROWS
    shop.warehouse.checkpoint()
    check_changelog(shop.warehouse, shop.table(), rows)
    shop.again()
    assert scanned(shop.warehouse.snapshot(), shop.table()) == rows


def test_a_snapshot_of_before_reads_on(shop: Shop) -> None:
    snapshot = shop.warehouse.snapshot()
    batches = shard_of(shop).batches(snapshot.lsn, shop.table(), ["name"])
    before = [batch.to_pylist() for batch in batches]
    shop.warehouse.checkpoint()
    assert [batch.to_pylist() for batch in batches] == before
    assert len(scanned(snapshot, shop.table())) == ROWS


def test_a_reading_process_follows(shop: Shop) -> None:
    replica = Replica.open(shop.folder, clock=shop.clock)
    before = all_rows(replica, DATABASE)
    shop.warehouse.checkpoint()
    assert all_rows(replica, DATABASE) == before == all_rows(shop.warehouse, DATABASE)
    shop.put((5, "changed", 1))
    assert all_rows(replica, DATABASE) == all_rows(shop.warehouse, DATABASE) != before
    replica.close()
    late = Replica.open(shop.folder, clock=shop.clock)
    assert all_rows(late, DATABASE) == all_rows(shop.warehouse, DATABASE)
    late.close()


def test_a_snapshot_of_before_gets_rows_on(shop: Shop) -> None:
    """What it got rows by once it goes on with, and keeps the files of that mapped."""
    table, keys = shop.table(), range(0, ROWS, 7)
    replica = Replica.open(shop.folder, clock=shop.clock)
    snapshots = [shop.warehouse.snapshot(), replica.snapshot()]
    before = [[snapshot.get(table, (key,)) for key in keys] for snapshot in snapshots]
    shop.warehouse.checkpoint()
    shop.put(*((key, "changed", 1) for key in range(ROWS)))
    assert all_rows(replica, DATABASE) == all_rows(shop.warehouse, DATABASE)
    after = [[snapshot.get(table, (key,)) for key in keys] for snapshot in snapshots]
    assert after == before
    assert replica.snapshot().get(table, (7,)) == (7, "changed", 1)
    replica.close()


def test_wider_copies_stay_good(shop: Shop) -> None:
    shop.warehouse.ddl([SetType(DATABASE, "orders", "qty", parse_type("BIGINT"))])
    before = scanned(shop.warehouse.snapshot(), shop.table())
    shop.warehouse.checkpoint()
    assert scanned(shop.warehouse.snapshot(), shop.table()) == before
    shop.put((5, "changed", 1 << 40))
    assert len(scanned(shop.warehouse.snapshot(), shop.table())) == ROWS


def test_a_shard_with_files_of_its_own_is_not_packed(shop: Shop) -> None:
    """Whoever attaches later finds the file that others were told of."""
    many = range(ROWS, 70_000)
    shop.put(*((key, None, None) for key in many))
    shop.warehouse.checkpoint()
    shop.write(
        [3] * (len(many) + ROWS - SEALED),
        [{"id": key, "name": None, "qty": None} for key in range(SEALED, many.stop)],
    )
    assert shop.warehouse.compact() == 1
    for qty in range(3):
        shop.put((1, "again", qty))
        shop.warehouse.checkpoint()
    assert list(shop.folder.rglob(f"0.{SEALED}.seg"))
    replica = Replica.open(shop.folder, clock=shop.clock)
    assert all_rows(replica, DATABASE) == all_rows(shop.warehouse, DATABASE)
    replica.close()


def test_a_table_dropped_meanwhile_costs_nothing(shop: Shop) -> None:
    relocation = shop.warehouse._opened.checkpointer._relocation
    shop.warehouse.checkpoint()
    shop.put(*((key, "more", key) for key in range(70_000)))
    state = shop.warehouse._opened.committer.state
    assert relocation._replace(999, 0, {}) == []
    assert state.shards[shop.table().id][0].in_memory() != {}
    shop.warehouse.checkpoint()
    assert state.shards[shop.table().id][0].in_memory() == {}
