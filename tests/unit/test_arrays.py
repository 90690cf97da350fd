"""What kernels see of a batch: the addresses of its buffers, however the batch was made."""

import numpy as np
import pyarrow as pa
import pytest

from sluiceway.catalog import Column, parse_type
from sluiceway.warehouse.table.arrays import rows_of, rows_of_batch
from sluiceway.warehouse.table.column import stored_column

KINDS = {"n": "INT", "text": "STRING", "flag": "BOOLEAN", "money": "DECIMAL(20, 2)"}
WIDTHS = np.array(
    [stored_column(Column(1, name, parse_type(kind))).width for name, kind in KINDS.items()],
    np.int64,
)
VALUES = {
    "n": [1, None, 3, 4],
    "text": ["a", "bb", None, ""],
    "flag": [True, False, True, False],
    "money": [1, 2, 3, None],
}
WHOLE = pa.record_batch(
    [pa.array(VALUES[name], parse_type(kind).arrow()) for name, kind in KINDS.items()],
    list(KINDS),
)
BATCHES = {
    "whole": WHOLE,
    "begin": WHOLE.slice(0, 1),
    "end": WHOLE.slice(2),
    "nothing": WHOLE.slice(4),
    "message": pa.ipc.read_record_batch(WHOLE.serialize(), WHOLE.schema),
    "without rows": pa.RecordBatch.from_pylist([], WHOLE.schema),
}


@pytest.mark.parametrize("name", BATCHES)
def test_a_batch_has_the_addresses_of_its_columns(name: str) -> None:
    batch = BATCHES[name]
    columns = rows_of(batch.columns)
    for found, wanted in zip(rows_of_batch(batch, WIDTHS), columns, strict=True):
        assert found.tolist() == wanted.tolist()


def test_a_batch_is_given_back() -> None:
    block = pa.py_buffer(np.arange(4, dtype=np.int32))
    batch = pa.record_batch([pa.Array.from_buffers(pa.int32(), 4, [None, block])], ["n"])
    before = pa.total_allocated_bytes()
    for _ in range(100):
        rows_of_batch(batch, WIDTHS[:1])
    assert pa.total_allocated_bytes() == before
    assert batch.column(0).to_pylist() == [0, 1, 2, 3]
