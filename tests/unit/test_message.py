"""Batches made as IPC messages are the batches that pyarrow would make, for every type and size."""

import numpy as np
import pyarrow as pa
import pytest

from kit.shards import TYPES
from sluiceway.catalog import Column, parse_type
from sluiceway.warehouse.table.column import StoredColumn, stored_column
from sluiceway.warehouse.table.message import POSITION, head_of
from sluiceway.warehouse.table.selection import Selection

_DEFAULTS = {"i4": "-7", "b": "true", "s": "é and more than eight bytes", "d": "0.5", "dec": "1.5"}


def _columns(with_nulls: bool) -> list[StoredColumn]:
    """Columns whose only row is their default: a value, or NULL."""
    return [
        stored_column(Column(at + 1, name, parse_type(kind), default=_DEFAULTS.get(name)))
        for at, (name, kind) in enumerate(TYPES.items())
        if with_nulls or name in _DEFAULTS
    ]


@pytest.mark.parametrize("with_nulls", [True, False])
@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 1000])
def test_a_gathered_batch_is_whole(count: int, with_nulls: bool) -> None:
    columns = _columns(with_nulls)
    selection = Selection(columns, ())
    found = selection.gather(np.full(count, selection.default_rid), defaults=True)
    found.validate(full=True)
    assert found.num_rows == count
    for column, array in zip(columns, found.columns, strict=True):
        assert array.type == column.storage
        assert array.null_count == (0 if column.default.is_valid else count)
        assert column.is_list or array.equals(pa.repeat(column.default, count))


def test_positions_stand_before_the_columns() -> None:
    selection = Selection(_columns(with_nulls=False), ())
    rids = np.full(3, selection.default_rid)
    found = selection.gather_found(rids, np.array([4, 0, 2**31 - 1]))
    found.validate(full=True)
    assert found.schema.field(0) == POSITION
    assert found["_pos"].to_pylist() == [4, 0, 2**31 - 1]
    assert found["i4"].to_pylist() == [-7] * 3


@pytest.mark.parametrize("rows", [0, 3])
def test_no_columns_but_positions(rows: int) -> None:
    selection = Selection((), ())
    found = selection.gather_found(np.zeros(rows, np.int64), np.arange(rows))
    assert found.schema == pa.schema([POSITION])
    assert found["_pos"].to_pylist() == list(range(rows))


def test_a_head_is_made_once_and_the_body_is_aligned() -> None:
    schema = pa.schema([pa.field(f"c{at}", pa.int64()) for at in range(50)])
    head = head_of(schema)
    assert head_of(schema) is head
    assert head.words.nbytes % 64 == 0
    assert not head.has_positions
