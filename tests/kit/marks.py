"""What of live batches a snapshot shows."""

from collections.abc import Sequence

import pyarrow as pa

from sluiceway.warehouse.kernels.views import NEVER

MARK = "_mark "  # as no column of a user is called


def visible(batches: Sequence[pa.RecordBatch], lsn: int) -> list[pa.RecordBatch]:
    """The rows that show at an LSN, without their marks."""
    return [_visible(batch, lsn) for batch in batches]


def _visible(batch: pa.RecordBatch, lsn: int) -> pa.RecordBatch:
    if MARK not in batch.schema.names:
        return batch
    alive = batch.column(MARK).to_numpy() < NEVER - lsn
    return batch.drop_columns([MARK]).filter(pa.array(alive))
