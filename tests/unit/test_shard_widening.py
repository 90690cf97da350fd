"""A shard whose columns became wider or went: old segments and new ones answer as one table."""

import datetime
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from kit.marks import visible
from sluiceway.catalog import Column, Table, UserError, parse_type
from sluiceway.warehouse.table import Memory, Shard, prepare

KEY = Column(1, "k", parse_type("INT"), False)
NEVER = 2**63 - 1
# From, to, values of old rows, a value that only the new type holds, a default.
WIDENINGS: list[tuple[str, str, list[Any], Any, str | None]] = [
    ("TINYINT", "SMALLINT", [-128, None, 127], 300, "5"),
    ("SMALLINT", "BIGINT", [-32768, None, 7], 2**40, None),
    ("INT", "DOUBLE", [-(2**31), None, 2**31 - 1], 0.5, "5"),
    ("INT", "DECIMAL(12,2)", [-(2**31), None, 2**31 - 1], Decimal("0.25"), "5"),
    ("BIGINT", "DECIMAL(38,3)", [-(2**63), None, 2**63 - 1], Decimal("0.125"), None),
    ("FLOAT", "DOUBLE", [0.1, None, float("inf")], 0.1, None),
    (
        "DECIMAL(4,2)",
        "DECIMAL(20,2)",
        [Decimal("-9.25"), None, Decimal("1.50")],
        Decimal(10**9),
        "1",
    ),
    (
        "DECIMAL(4,2)",
        "DECIMAL(9,4)",
        [Decimal("-9.25"), None, Decimal("1.50")],
        Decimal("1.1234"),
        "1",
    ),
    ("VARCHAR(3)", "STRING", ["abc", None, ""], "x" * 500, "q"),
    ("BINARY(2)", "VARBINARY(4)", [b"ab", None, b""], b"wxyz", "q"),
    (
        "TIMESTAMP(0)",
        "TIMESTAMP(6)",
        [datetime.datetime(2023, 2, 15), None, datetime.datetime(1, 1, 1)],
        datetime.datetime(2023, 2, 15, 1, 2, 3, 456789),
        None,
    ),
    ("ARRAY<INT>", "ARRAY<BIGINT>", [[1, None], None, []], [2**40], None),
    ("ARRAY<FLOAT>", "ARRAY<DOUBLE>", [[0.5], None, [None]], [0.1, 0.2], None),
]


def _table(*columns: Column, key: Sequence[str] = ("k",), version: int = 1) -> Table:
    return Table("db", "t", columns, tuple(key), id=1, schema_version=version, shards=1)


def _write(shard: Shard, lsn: int, rows: dict[str, Any], *, partial: bool = False) -> Any:
    count = len(next(iter(rows.values())))
    batch = pa.record_batch({"_op": pa.array([0] * count, pa.int8()), **rows})
    ops, checked = prepare(shard.table, batch, partial=partial)
    result = shard.merge(
        checked,
        ops,
        conflict="update",
        partial=partial,
        positions=np.arange(count, dtype=np.int32),
        commit_lsn=lsn,
        first_lsn=lsn - 2 * count,
    )
    shard.publish(lsn, lsn)
    return result


def _by_key(shard: Shard, lsn: int, table: Table) -> dict[Any, Any]:
    """Rows as a scan gives them, after batches and look-ups have agreed with it."""
    rows = [row for b, _ in shard.scan(lsn, table, None, 0, 2) for row in b.to_pylist()]
    live = [row for b in visible(shard.batches(lsn, table, None), lsn) for row in b.to_pylist()]
    assert sorted(map(repr, live)) == sorted(map(repr, rows))
    schema = table.arrow_schema(table.primary_key)
    keys = pa.RecordBatch.from_pylist([{n: r[n] for n in schema.names} for r in rows], schema)
    found = shard.lookup(keys, lsn, table, None)
    assert found.drop_columns(["_pos"]).to_pylist() == rows
    assert found.schema.types[1:] == table.arrow_schema().types
    for key, row in zip(keys.to_pylist(), rows, strict=True):
        assert shard.read_row(tuple(key.values()), lsn, table, None) == tuple(row.values())
    return {row["k"]: row.get("v") for row in rows}


@pytest.fixture
def memory(tmp_path: Path) -> Any:
    opened = Memory(tmp_path)
    yield opened
    opened.close()


@pytest.mark.parametrize(("old", "new", "values", "wide", "default"), WIDENINGS)
def test_old_segments_read_in_a_wider_type(
    memory: Memory, old: str, new: str, values: list[Any], wide: Any, default: str | None
) -> None:
    narrow = Column(2, "v", parse_type(old), default=default)
    first = _table(KEY, narrow)
    shard = Shard(first, 0, memory)
    stored = pa.array(values, narrow.type.arrow())
    _write(shard, 10, {"k": pa.array([1, 2, 3], pa.int32()), "v": stored})
    then = dict(zip([1, 2, 3], stored.to_pylist(), strict=True))
    second = _table(replace(narrow, type=parse_type(new)), KEY, version=2)
    shard.alter(second)
    assert _by_key(shard, 10, second) == then
    kind = second.column("v").type.arrow()
    before = _write(shard, 20, {"k": [3, 4], "v": pa.array([wide, wide], kind)}).before
    assert before.column("v").to_pylist() == [then[3]] and before.schema.field("v").type == kind
    # One who does not know the change yet goes on writing.
    late = _write(shard, 30, {"k": pa.array([1], pa.int32()), "v": stored[:1]})
    assert late.before.column("v").to_pylist() == late.after.column("v").to_pylist()
    _write(shard, 40, {"k": [2, 5]}, partial=True)
    filled = second.column("v").default_scalar().as_py()
    now = {1: then[1], 2: None, 3: wide, 4: wide, 5: filled}
    loaded = Shard.load(second, 0, memory, shard.images(40), 40, {1: first, 2: second}.__getitem__)
    for each in (shard, loaded):
        assert _by_key(each, 40, second) == now
        assert _by_key(each, 10, first) == then
        assert _by_key(each, 20, second) == {**then, 3: wide, 4: wide}


def test_copies_are_made_ahead_of_the_change_and_once(memory: Memory) -> None:
    narrow = Column(2, "v", parse_type("INT"))
    wide = replace(narrow, type=parse_type("BIGINT"))
    shard = Shard(_table(KEY, narrow), 0, memory, (4,))
    _write(shard, 10, {"k": list(range(6)), "v": list(range(6))})
    used = [shard.stats().bytes]
    shard.widen(wide)
    used.append(shard.stats().bytes)
    shard.alter(_table(KEY, wide, version=2))
    used.append(shard.stats().bytes)
    _by_key(shard, 10, shard.table)
    used.append(shard.stats().bytes)
    # Four rows lie in a sealed segment, two in the tail that the change seals.
    assert [b - a for a, b in zip(used, used[1:], strict=False)] == [4 * 8, 2 * 8, 0]


@pytest.mark.parametrize("key", [("k",), ("k", "s")])
def test_keys_of_every_age_are_found_in_a_wider_type(memory: Memory, key: tuple[str, ...]) -> None:
    text = Column(3, "s", parse_type("VARCHAR(4)"), False)
    value = Column(2, "v", parse_type("INT"))
    first = _table(KEY, text, value, key=key)
    shard = Shard(first, 0, memory)
    same = {"s": ["a", "a", "a"]}
    _write(shard, 10, {"k": [-5, 0, 7], **same, "v": [1, 2, 3]})
    second = _table(
        replace(KEY, type=parse_type("BIGINT")),
        replace(text, type=parse_type("STRING")),
        value,
        key=key,
        version=2,
    )
    shard.alter(second)
    # 2^32 + 7 is 7 to whoever reads four bytes of it.
    result = _write(shard, 20, {"k": [-5, 7, 2**32 + 7], **same, "v": [10, 30, 40]})
    assert result.kinds.tolist() == [7, 7, 5]
    loaded = Shard.load(second, 0, memory, shard.images(20), 20, {1: first, 2: second}.__getitem__)
    for each in (shard, loaded):
        assert _by_key(each, 20, second) == {-5: 10, 0: 2, 7: 30, 2**32 + 7: 40}
        assert _by_key(each, 10, first) == {-5: 1, 0: 2, 7: 3}
    again = _write(loaded, 30, {"k": [7, 0], "s": ["a", "a"], "v": [31, 21]})
    assert again.kinds.tolist() == [7, 7]


def test_a_dropped_column_stays_readable_where_it_was(memory: Memory) -> None:
    value = Column(2, "v", parse_type("STRING"), default="d")
    first = _table(KEY, value)
    shard = Shard(first, 0, memory)
    _write(shard, 10, {"k": [1, 2], "v": ["a", "b"]})
    second = _table(KEY, version=2)
    shard.alter(second)
    _write(shard, 20, {"k": [2, 3]})
    third = _table(KEY, replace(value, id=3, type=parse_type("INT"), default="8"), version=3)
    shard.alter(third)
    _write(shard, 30, {"k": [3], "v": [9]})
    versions = {1: first, 2: second, 3: third}
    loaded = Shard.load(third, 0, memory, shard.images(30), 30, versions.__getitem__)
    for each in (shard, loaded):
        assert _by_key(each, 10, first) == {1: "a", 2: "b"}
        assert _by_key(each, 20, second) == {1: None, 2: None, 3: None}
        assert _by_key(each, 30, third) == {1: 8, 2: 8, 3: 9}


def test_visible_nulls_are_seen_whatever_segment_they_lie_in(memory: Memory) -> None:
    value = Column(2, "v", parse_type("INT"))
    added = Column(3, "w", parse_type("INT"))
    filled = Column(4, "x", parse_type("INT"), default="1")
    shard = Shard(_table(KEY, value), 0, memory)
    _write(shard, 10, {"k": [1, 2], "v": [None, 5]})
    assert shard.has_null(10, value)
    assert not shard.has_null(9, value)
    shard.alter(_table(KEY, value, added, filled, version=2))
    _write(shard, 20, {"k": [1], "v": [4]}, partial=True)
    assert not shard.has_null(20, value) and shard.has_null(10, value)
    assert shard.has_null(20, added) and not shard.has_null(20, filled)


def test_a_value_of_another_kind_is_still_refused(memory: Memory) -> None:
    shard = Shard(_table(KEY, Column(2, "v", parse_type("INT"))), 0, memory)
    for wrong in (pa.array([0.5]), pa.array(["1"]), pa.array([True])):
        with pytest.raises(UserError, match="'v'"):
            _write(shard, 10, {"k": [1], "v": wrong})
