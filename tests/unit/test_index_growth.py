"""The index doubles, splits and keeps every key findable; equal hashes are told apart."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from sluiceway.catalog import Column, Table, parse_type
from sluiceway.warehouse.kernels.views import Int64s
from sluiceway.warehouse.table import Memory, Shard, prepare
from sluiceway.warehouse.table.index import FIRST_SLOTS, FULL_PERCENT

ROWS = 400_000
DELETE = 3


def _shard(memory: Memory) -> Shard:
    columns = (Column(1, "k", parse_type("BIGINT"), False),)
    return Shard(Table("db", "t", columns, ("k",), id=1, schema_version=1, shards=1), 0, memory)


def _insert(shard: Shard, keys: Int64s, lsn: int, op: int = 0) -> None:
    batch = pa.record_batch({"_op": np.full(len(keys), op, np.int8), "k": keys})
    ops, checked = prepare(shard.table, batch, partial=False)
    shard.merge(
        checked,
        ops,
        conflict="update",
        partial=False,
        positions=np.arange(len(keys), dtype=np.int32),
        commit_lsn=lsn,
    )
    shard.publish(lsn, lsn)


def test_partitions_double_then_split(tmp_path: Path) -> None:
    memory = Memory(tmp_path)
    shard = _shard(memory)
    assert shard.lookup(pa.record_batch({"k": [1]}), 100, shard.table, None).num_rows == 0
    assert (shard.stats().index_slots, memory.stats().files) == (0, 0)
    _insert(shard, np.arange(1), 1)
    assert shard.stats().index_slots == FIRST_SLOTS
    for lsn, start in enumerate(range(0, ROWS, 40_000), 2):
        _insert(shard, np.arange(start, start + 40_000), lsn)
    stats = shard.stats()
    assert stats.rows == stats.index_used == ROWS
    assert stats.index_partitions > 1
    assert stats.index_used * 100 <= stats.index_slots * FULL_PERCENT
    asked = pa.record_batch({"k": np.arange(ROWS)[::-1]})
    found = shard.lookup(asked, 100, shard.table, None)
    assert found.column("k").equals(asked.column("k"))
    assert shard.lookup(pa.record_batch({"k": [-1, ROWS]}), 100, shard.table, None).num_rows == 0
    shard.close()
    assert memory.stats().files == 0


def test_partitions_do_not_grow_in_the_same_commit(tmp_path: Path) -> None:
    memory = Memory(tmp_path)
    shard = _shard(memory)
    partitions = [1]
    for lsn, start in enumerate(range(0, ROWS, 4_000), 1):
        _insert(shard, np.arange(start, start + 4_000), lsn)
        partitions.append(shard.stats().index_partitions)
    assert partitions[-1] > 4
    assert np.diff(partitions).max() == 1
    memory.close()


def test_updates_take_no_new_slots(tmp_path: Path) -> None:
    memory = Memory(tmp_path)
    shard = _shard(memory)
    for lsn in range(1, 12):
        _insert(shard, np.arange(500), lsn)
    stats = shard.stats()
    assert (stats.rows, stats.versions, stats.index_used) == (500, 5_500, 500)
    memory.close()


def test_an_index_over_stored_rows_is_sized_for_the_rows_alive(tmp_path: Path) -> None:
    memory = Memory(tmp_path)
    shard = _shard(memory)
    _insert(shard, np.arange(ROWS), 1)
    _insert(shard, np.arange(0, ROWS, 2), 2)
    loaded = Shard.load(shard.table, 0, memory, shard.images(2), 2, lambda _: shard.table)
    stats = loaded.stats()
    assert (stats.rows, stats.versions, stats.index_used) == (ROWS, ROWS * 3 // 2, ROWS)
    assert stats.index_slots * FULL_PERCENT < ROWS * 400
    asked = pa.record_batch({"k": np.arange(-5, ROWS, 7)})
    for lsn in (1, 2):
        expected = shard.lookup(asked, lsn, shard.table, None)
        assert loaded.lookup(asked, lsn, shard.table, None).equals(expected)
    memory.close()


def test_keys_whose_rows_are_all_dead_make_a_rebuilt_index_grow_and_split(tmp_path: Path) -> None:
    memory = Memory(tmp_path)
    shard = _shard(memory)
    _insert(shard, np.arange(ROWS), 1)
    _insert(shard, np.arange(10, ROWS), 2, op=DELETE)
    loaded = Shard.load(shard.table, 0, memory, shard.images(2), 2, lambda _: shard.table)
    stats = loaded.stats()
    assert (stats.rows, stats.index_used) == (10, ROWS)
    assert stats.index_partitions > 1
    assert stats.index_used * 100 <= stats.index_slots * FULL_PERCENT
    asked = pa.record_batch({"k": np.arange(ROWS)})
    assert loaded.lookup(asked, 1, shard.table, None).column("k").equals(asked.column("k"))
    assert loaded.lookup(asked, 2, shard.table, None).num_rows == 10
    _insert(loaded, np.arange(ROWS + 5), 3)
    assert loaded.stats().index_used == ROWS + 5
    assert loaded.lookup(asked, 3, shard.table, None).num_rows == ROWS
    memory.close()
    assert memory.stats().files == 0
