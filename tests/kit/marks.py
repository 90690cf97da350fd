"""What of live batches a snapshot shows."""

from collections.abc import Sequence

import pyarrow as pa

from sluiceway.warehouse.kernels.views import NEVER


def visible(batches: Sequence[pa.RecordBatch], lsn: int) -> list[pa.RecordBatch]:
    """The rows that show at an LSN, without `_mark`."""
    return [_visible(batch, lsn) for batch in batches]


def _visible(batch: pa.RecordBatch, lsn: int) -> pa.RecordBatch:
    if "_mark" not in batch.schema.names:
        return batch
    alive = batch.column("_mark").to_numpy() < NEVER - lsn
    return batch.drop_columns(["_mark"]).filter(pa.array(alive))
