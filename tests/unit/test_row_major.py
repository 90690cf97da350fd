"""The row-major copy: its bytes, which reads use it, and that it equals the columns."""

import struct
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from kit.shards import TYPES, Batch, Pair, table_of
from sluiceway.catalog import Column, Table, UserError, parse_type
from sluiceway.warehouse.table import Memory, Shard, prepare
from sluiceway.warehouse.table.layout import TableLayout

KEY = {"k": "BIGINT"}


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    opened = Memory(tmp_path)
    yield opened
    opened.close()


def wide(*columns: Column, version: int = 1) -> Table:
    """A table with a row-major copy."""
    options = {"table_property.orientation": "row,column"}
    return Table(
        "db", "t", columns, ("k",), id=1, schema_version=version, shards=1, options=options
    )


def row_column(table: Table) -> Any:
    """The hidden column of a table."""
    found = TableLayout(table).row_column
    assert found is not None
    return found


def upsert(shard: Shard, lsn: int, **values: list[Any]) -> None:
    """Merge and publish some columns of some rows."""
    table = shard.table
    arrays = [pa.array(v, table.column(n).type.arrow()) for n, v in values.items()]
    batch = pa.record_batch(
        [pa.array([2] * len(values["k"]), pa.int8()), *arrays], ["_op", *values]
    )
    ops, rows = prepare(table, batch, partial=True)
    positions = np.arange(len(ops), dtype=np.int32)
    shard.merge(rows, ops, conflict="update", partial=True, positions=positions, commit_lsn=lsn)
    shard.publish(lsn, lsn)


def test_a_row_has_a_bitmap_then_cells_then_bytes() -> None:
    kinds = ("BIGINT", "STRING", "BOOLEAN", "SMALLINT", "BYTES", "INT", "DOUBLE", "BOOLEAN", "DATE")
    names = "kabcdefgh"
    columns = [
        Column(i + 1, n, parse_type(t)) for i, (n, t) in enumerate(zip(names, kinds, strict=True))
    ]
    copy = row_column(wide(*columns))
    rows = [
        (-5, "héllo", True, 7, b"", None, 0.25, False, 3),
        (6, None, None, -7, b"bytes", 9, None, True, None),
    ]
    arrays = [
        pa.array(v, c.type.arrow()) for c, v in zip(columns, zip(*rows, strict=True), strict=True)
    ]
    first, second = copy.copied([array.slice(0, 2) for array in arrays]).to_pylist()
    cells = "<2sqII?hIIid?i"
    head = struct.calcsize(cells)
    assert struct.unpack_from(cells, first) == (
        bytes([0b11011111, 1]), -5, head, 6, True, 7, head + 6, 0, 0, 0.25, False, 3,
    )  # fmt: skip
    assert first[head:] == "héllo".encode()
    assert struct.unpack_from(cells, second) == (
        bytes([0b10111001, 0]), 6, 0, 0, False, -7, head, 5, 9, 0.0, True, 0,
    )  # fmt: skip
    assert second[head:] == b"bytes"
    assert copy.copied([array.slice(1) for array in arrays]).to_pylist() == [second]


def test_wide_reads_use_the_copy_and_narrow_ones_the_columns(memory: Memory) -> None:
    for orientation, expected in (("row,column", True), ("row", True), ("column", False)):
        pair = Pair(table_of(KEY, orientation=orientation), memory)
        pair.commit(Batch([0, 0], [{"k": 1, "s": 2}, {"k": 2, "s": 3}]))
        state, layout = pair.shard.state, pair.shard.newest
        assert state.select(layout, layout.everything).reads_rows is expected
        assert not state.select(layout, layout.everything[:5]).reads_rows
        pair.check(pair.shard, pair.lsn)
        pair.shard.close()


@pytest.mark.parametrize("types", [{"s": "STRING"}, TYPES])
def test_many_rows_in_any_order(memory: Memory, types: dict[str, str]) -> None:
    """More than one block, segments that end, several versions, all NULL here and there."""
    pair = Pair(table_of(KEY, types, orientation="row"), memory)
    for turn in range(1, 5):
        rows = [
            {"k": k} | {n: (k * turn + at) % 5 for at, n in enumerate(types)}
            for k in range(turn, 120, turn)
        ]
        pair.commit(Batch([0] * len(rows), rows))
    for lsn in pair.published:
        pair.check(pair.shard, lsn, 50)
        pair.check(pair.reload(lsn), pair.lsn, 50)


def test_columns_that_came_went_moved_and_widened(memory: Memory) -> None:
    """Segments have copies of the schema versions in which they were written."""
    key, note = Column(1, "k", parse_type("BIGINT"), False), Column(2, "note", parse_type("STRING"))
    number, gone = Column(3, "n", parse_type("INT")), Column(4, "gone", parse_type("STRING"))
    old = wide(key, note, number, gone)
    new = wide(
        replace(number, type=parse_type("BIGINT")),
        Column(5, "added", parse_type("STRING"), default="none"),
        key,
        replace(note, name="title"),
        version=2,
    )
    shard = Shard(old, 0, memory)
    upsert(shard, 5, k=[1, 2, 3], note=["a", None, "c"], n=[10, 20, None], gone=["x", "y", "z"])
    shard.alter(new)
    upsert(shard, 10, k=[2, 4], title=["b", None], n=[1 << 40, None])
    asked = pa.record_batch({"k": [4, 3, 2, 1]})
    now = [
        {"_pos": 0, "n": None, "added": "none", "k": 4, "title": None},
        {"_pos": 1, "n": None, "added": "none", "k": 3, "title": "c"},
        {"_pos": 2, "n": 1 << 40, "added": "none", "k": 2, "title": "b"},
        {"_pos": 3, "n": 10, "added": "none", "k": 1, "title": "a"},
    ]
    before = [
        {"_pos": 1, "k": 3, "note": "c", "n": None, "gone": "z"},
        {"_pos": 2, "k": 2, "note": None, "n": 20, "gone": "y"},
        {"_pos": 3, "k": 1, "note": "a", "n": 10, "gone": "x"},
    ]
    versions = {1: old, 2: new}
    loaded = Shard.load(new, 0, memory, shard.images(10), 10, versions.__getitem__)
    for one in (shard, loaded):
        layout = one.newest
        assert one.state.select(layout, layout.everything).reads_rows
        assert one.lookup(asked, 10, new, None).to_pylist() == now
        assert one.lookup(asked, 5, old, None).to_pylist() == before


def test_rows_that_are_too_large_side_by_side_are_refused() -> None:
    key = Column(1, "k", parse_type("STRING"), False)
    columns = [key, *(Column(i, f"c{i}", parse_type("STRING")) for i in range(2, 23))]
    huge = pa.array(["x" * 100_000_000])
    with pytest.raises(UserError, match="rows side by side take 2200000179 bytes") as caught:
        row_column(wide(*columns)).copied([huge] * len(columns))
    assert caught.value.sqlstate == "54000"
