"""Which unit a row belongs to: its partition's values, and the frozen distribution hash.

docs/format.md, "Partitions" and "Hashes".
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sluiceway.catalog import Partitions, Table, Values, unit_of

from ..kernels import hashing
from ..kernels.views import Int64s
from .arrays import rows_of


def distribution_hashes(keys: list[pa.Array]) -> NDArray[np.uint64]:
    """Return the 64-bit distribution hash, version 1, of each row of some columns."""
    hashes = np.zeros(len(keys[0]), np.int64)
    words = np.empty(len(hashes), np.int64)
    for key in keys:
        if pa.types.is_float32(key.type):
            key = key.cast(pa.float64())
        floating = pa.types.is_floating(key.type)
        hashing.distribution_words(rows_of([key]), floating, words)
        hashing.distribute_words(words, hashes)
    return hashes.view(np.uint64)


def shard_of(table: Table, batch: pa.RecordBatch, turn: int = 0) -> NDArray[np.int32]:
    """Return the shard of each row.

    Without a distribution key the rows go round the shards, the first to the shard whose turn it is
    (counted modulo their number): nothing is ever looked for by a key, and the log says where each
    row went.
    """
    if table.shards <= 1:
        return np.zeros(batch.num_rows, np.int32)
    if not table.distribution_key:
        turns = np.arange(batch.num_rows) + turn % table.shards
        return (turns % table.shards).astype(np.int32)
    hashes = distribution_hashes([batch.column(name) for name in table.distribution_key])
    return ((hashes >> np.uint64(32)) % np.uint64(table.shards)).astype(np.int32)


def partition_values(table: Table, batch: pa.RecordBatch) -> tuple[list[Values], Int64s]:
    """Return the different values of the partition columns, and which of them each row has.

    A row with a NULL among them has -1.
    """
    encoded = [batch.column(name).dictionary_encode() for name in table.partition_by]
    texts = [column.dictionary.cast(pa.string()).to_pylist() for column in encoded]
    codes = [column.indices.fill_null(-1).to_numpy().astype(np.int64) for column in encoded]
    if len(codes) == 1:
        return [(text,) for text in texts[0]], codes[0]
    (outer, inner), width = codes, len(texts[1])
    whole = (outer >= 0) & (inner >= 0)
    pairs, which = np.unique(outer[whole] * width + inner[whole], return_inverse=True)
    place = np.full(len(outer), -1)
    place[whole] = which
    return [(texts[0][pair // width], texts[1][pair % width]) for pair in pairs.tolist()], place


def unit_of_rows(
    table: Table, partitions: Partitions | None, batch: pa.RecordBatch, turn: int = 0
) -> Int64s:
    """Return the unit of each row, -1 where its values have no partition; `turn` as `shard_of`."""
    shards = shard_of(table, batch, turn)
    if partitions is None:
        return shards.astype(np.int64)
    values, codes = partition_values(table, batch)
    ids = [partitions.ids.get(each) for each in values]
    first_units = np.array([*(-1 if each is None else unit_of(each, 0) for each in ids), -1])
    first = first_units[codes]
    return np.where(first < 0, -1, first + shards)
