"""The index doubles, splits and keeps every key findable; equal hashes are told apart."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from sluiceway.catalog import Column, Table, parse_type
from sluiceway.warehouse.kernels.views import Int64s
from sluiceway.warehouse.table import Memory, Shard, prepare
from sluiceway.warehouse.table.index import FIRST_SLOTS, FULL_PERCENT

ROWS = 400_000


def _shard(memory: Memory) -> Shard:
    columns = (Column(1, "k", parse_type("BIGINT"), False),)
    return Shard(Table("db", "t", columns, ("k",), id=1, schema_version=1, shards=1), 0, memory)


def _insert(shard: Shard, keys: Int64s, lsn: int) -> None:
    batch = pa.record_batch({"_op": np.zeros(len(keys), np.int8), "k": keys})
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
    assert shard.stats().index_slots == FIRST_SLOTS
    for lsn, start in enumerate(range(0, ROWS, 40_000), 1):
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


def test_updates_take_no_new_slots(tmp_path: Path) -> None:
    memory = Memory(tmp_path)
    shard = _shard(memory)
    for lsn in range(1, 12):
        _insert(shard, np.arange(500), lsn)
    stats = shard.stats()
    assert (stats.rows, stats.versions, stats.index_used) == (500, 5_500, 500)
    memory.close()
