"""Schema changes, wide values and hidden columns: what a shard does beside plain merging."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from sluiceway.catalog import Column, NotFoundError, Table, UserError, parse_type
from sluiceway.warehouse.table import Memory, MergeResult, Shard, prepare
from sluiceway.warehouse.table.column import HIDDEN_NAME

KEY = Column(1, "k", parse_type("BIGINT"), False)
NAME = Column(2, "name", parse_type("STRING"))


def _table(*columns: Column, key: Sequence[str] = ("k",), version: int = 1) -> Table:
    return Table("db", "t", columns, tuple(key), id=1, schema_version=version, shards=1)


def _write(
    shard: Shard,
    lsn: int,
    ops: Sequence[int],
    values: dict[str, Any],
    *,
    conflict: str = "update",
    partial: bool = False,
) -> MergeResult:
    batch = pa.record_batch({"_op": pa.array(ops, pa.int8()), **values})
    kinds, checked = prepare(shard.table, batch, partial=partial)
    result = shard.merge(
        checked,
        kinds,
        conflict=conflict,
        partial=partial,
        positions=np.arange(len(ops), dtype=np.int32),
        commit_lsn=lsn,
        first_lsn=lsn - 2 * len(ops),
    )
    shard.publish(lsn, lsn)
    return result


def _rows(shard: Shard, lsn: int, table: Table) -> list[dict[str, Any]]:
    return [row for b, _ in shard.scan(lsn, table, None, 0, 100) for row in b.to_pylist()]


@pytest.fixture
def memory(tmp_path: Path) -> Any:
    opened = Memory(tmp_path)
    yield opened
    opened.close()


def test_added_and_renamed_columns(memory: Memory) -> None:
    old = _table(KEY, NAME)
    shard = Shard(old, 0, memory)
    _write(shard, 5, [0, 0], {"k": [1, 2], "name": ["a", "b"]})
    new = _table(
        Column(3, "note", parse_type("STRING"), default="none"),
        KEY,
        replace(NAME, name="title"),
        Column(4, "tags", parse_type("ARRAY<STRING>")),
        version=2,
    )
    shard.alter(new)
    before = _write(shard, 10, [2], {"k": [2], "tags": [["x"]]}, partial=True).before
    old_2 = {"note": "none", "k": 2, "title": "b", "tags": None}
    assert before.to_pylist() == [old_2]
    assert _rows(shard, 5, old) == [{"k": 1, "name": "a"}, {"k": 2, "name": "b"}]
    now = [{**old_2, "k": 1, "title": "a"}, {**old_2, "tags": ["x"]}]
    assert _rows(shard, 10, new) == now
    assert _rows(shard, 10, old) == [{"k": 1, "name": "a"}, {"k": 2, "name": "b"}]
    found = shard.lookup(pa.record_batch({"k": [2]}), 10, new, ["tags", "note"])
    assert found.to_pylist() == [{"_pos": 0, "tags": ["x"], "note": "none"}]
    versions = {1: old, 2: new}
    loaded = Shard.load(new, 0, memory, shard.images(10), 10, versions.__getitem__)
    assert _rows(loaded, 10, new) == now
    assert (loaded.stats().rows, loaded.stats().versions) == (2, 3)


def test_schema_change_seals_the_tail(memory: Memory) -> None:
    table = _table(KEY)
    shard = Shard(table, 0, memory)
    _write(shard, 3, [0], {"k": [1]})
    shard.alter(_table(KEY, NAME, version=2))
    _write(shard, 6, [0], {"k": [2]})
    assert [image.sealed for image in shard.images(6)] == [True, False]
    assert [image.first_ordinal for image in shard.images(6)] == [0, 1]


def test_value_wider_than_a_segment_reserves(memory: Memory) -> None:
    table = _table(KEY, NAME)
    shard = Shard(table, 0, memory, (4,))
    wide = ["x" * 10_000, "short", "y" * 9_000]
    _write(shard, 7, [0, 0, 0], {"k": [1, 2, 3], "name": wide})
    assert shard.stats().segments == 3
    assert [row["name"] for row in _rows(shard, 7, table)] == wide
    loaded = Shard.load(table, 0, memory, shard.images(7), 7, lambda _: table, (4,))
    assert [row["name"] for row in _rows(loaded, 7, table)] == wide


def test_table_without_key_keeps_the_lsn_of_each_insert(memory: Memory) -> None:
    table = _table(KEY, key=())
    shard = Shard(table, 0, memory)
    result = _write(shard, 5, [0, 2], {"k": [7, 7]})
    assert result.kinds.tolist() == [5, 5]
    assert result.after.to_pylist() == [{"k": 7, HIDDEN_NAME: 2}, {"k": 7, HIDDEN_NAME: 4}]
    assert result.before.num_rows == 0
    assert _rows(shard, 5, table) == [{"k": 7}, {"k": 7}]


def test_partial_write_of_a_new_row_needs_not_null_columns(memory: Memory) -> None:
    table = _table(KEY, replace(NAME, nullable=False))
    shard = Shard(table, 0, memory)
    _write(shard, 3, [0], {"k": [1], "name": ["a"]})
    _write(shard, 6, [0], {"k": [1]}, partial=True)
    with pytest.raises(UserError, match="'name'") as raised:
        _write(shard, 9, [0, 0], {"k": [1, 2]}, partial=True)
    assert raised.value.sqlstate == "23502"
    assert shard.stats().versions == 2


def test_two_batches_of_one_commit_see_each_other(memory: Memory) -> None:
    table = _table(KEY, NAME)
    shard = Shard(table, 0, memory)
    plans = []
    for name in ("first", "second"):
        batch = pa.record_batch({"_op": pa.array([0], pa.int8()), "k": [1], "name": [name]})
        ops, checked = prepare(table, batch, partial=False)
        result = shard.merge(
            checked,
            ops,
            conflict="update",
            partial=False,
            positions=np.zeros(1, np.int32),
            commit_lsn=5,
        )
        plans.append(result)
    assert _rows(shard, 5, table) == []
    shard.publish(5, 5)
    assert plans[1].before.to_pylist() == [{"k": 1, "name": "first"}]
    assert _rows(shard, 5, table) == [{"k": 1, "name": "second"}]
    asked = pa.record_batch({"k": [1, None]})
    assert shard.lookup(asked, 4, table, None).num_rows == 0
    assert shard.lookup(asked, 5, table, ["name"]).to_pylist() == [{"_pos": 0, "name": "second"}]


def test_unknown_columns_and_keys_are_named(memory: Memory) -> None:
    table = _table(KEY, NAME)
    shard = Shard(table, 0, memory)
    with pytest.raises(NotFoundError, match="nmae"):
        shard.scan(1, table, ["nmae"], 0, 10)
    with pytest.raises(UserError, match="primary key"):
        shard.lookup(pa.record_batch({"name": ["a"]}), 1, table, None)
    with pytest.raises(UserError, match="wrong type"):
        shard.lookup(pa.record_batch({"k": [[1]]}), 1, table, None)
