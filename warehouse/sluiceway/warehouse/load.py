"""A load: the rows that one step brings into the units of one table.

Small batches that wait for the same commit are put together, so that a shard merges them at once:
a merge costs a millisecond however few rows it has. Larger ones are loads of their own, which the
thread of the writer cuts.

Invariants: rows keep the order in which they came, and their LSNs; each knows which write it came
with, and has the outcome that it would have if its write were merged alone after those before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from sluiceway.catalog import Partitions, Table
from sluiceway.warehouse.kernels.views import Int8s, Int32s
from sluiceway.warehouse.table import joined, unit_of_rows

COALESCED_ROWS_MAX = 4096
# 2^64 divided by the golden ratio: multiples of it, modulo 2^64, lie evenly (Knuth, volume 3, 6.4).
_GOLDEN = 0x9E37_79B9_7F4A_7C15


class Slice(NamedTuple):
    """The rows of a load that belong to one unit.

    Row `i` owns the LSNs of place `positions[i]` behind the load's first, and came with the load's
    write number `writes[i]`.
    """

    unit: int
    batch: pa.RecordBatch
    ops: Int8s
    positions: Int32s
    writes: Int32s


def cut_load(
    table: Table,
    partitions: Partitions | None,
    batches: Sequence[tuple[int, Int8s, pa.RecordBatch]],
    first_lsn: int = 0,
) -> list[Slice]:
    """Return a load by unit; `batches` are (position of the first row, row kinds, rows).

    Of a table without a distribution key, `first_lsn` decides which shard comes first, so that
    loads of few rows do not all go to one.
    """
    turn = first_lsn * _GOLDEN % 2**64 >> 32
    return _cut(table, partitions, _joined(batches), turn)


def _joined(batches: Sequence[tuple[int, Int8s, pa.RecordBatch]]) -> Slice:
    positions = [_positions(first, ops) for first, ops, _ in batches]
    if len(batches) == 1:
        [(_, ops, batch)] = batches
        return Slice(0, batch, ops, positions[0], np.zeros(len(ops), np.int32))
    return Slice(
        0,
        joined([batch for _, _, batch in batches], "write fewer rows at once"),
        np.concatenate([ops for _, ops, _ in batches]),
        np.concatenate(positions),
        np.repeat(np.arange(len(batches), dtype=np.int32), [len(ops) for _, ops, _ in batches]),
    )


def _positions(first: int, ops: Int8s) -> Int32s:
    return np.arange(first, first + len(ops), dtype=np.int32)


def _cut(table: Table, partitions: Partitions | None, whole: Slice, turn: int) -> list[Slice]:
    """Cut rows by unit; a unit without any has no slice.

    Rows without a partition are left out: deletes of nothing, or soon to be cut again.
    """
    if partitions is None and table.shards == 1:
        return [whole] if len(whole.ops) else []
    owner = unit_of_rows(table, partitions, whole.batch, turn)
    slices = []
    for unit in np.unique(owner[owner >= 0]).tolist():
        rows = np.flatnonzero(owner == unit)
        batch = whole.batch.take(pa.array(rows))
        slices.append(
            Slice(unit, batch, whole.ops[rows], whole.positions[rows], whole.writes[rows])
        )
    return slices
