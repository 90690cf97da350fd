"""Which shard a row belongs to: the frozen distribution hash (docs/format.md, "Hashes")."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sluiceway.catalog import Table

from ..kernels import hashing
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


def shard_of(table: Table, batch: pa.RecordBatch) -> NDArray[np.int32]:
    """Return the shard of each row; without a distribution key all rows belong to shard 0."""
    if table.shards <= 1 or not table.distribution_key:
        return np.zeros(batch.num_rows, np.int32)
    hashes = distribution_hashes([batch.column(name) for name in table.distribution_key])
    return ((hashes >> np.uint64(32)) % np.uint64(table.shards)).astype(np.int32)
