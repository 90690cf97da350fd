"""Writes to several tables as one batch of a stream: each row holds the rows of one table.

    RecordBatch[_table: int32, _rows: binary]     _table: which of the request's tables
                                                  _rows: an Arrow IPC stream [_op: int8, columns…]

Invariants: a batch is taken apart before any of it is written; bytes that are no IPC stream are an
error that names the table. Rows are not copied, unless they came at an address that is no multiple
of 8, or in more than one batch.
"""

from collections.abc import Iterator, Sequence

import pyarrow as pa

from sluiceway.catalog import UserError
from sluiceway.warehouse.requests import Write, WriteRequest

SCHEMA = pa.schema(
    [
        pa.field("_table", pa.int32(), nullable=False),
        pa.field("_rows", pa.binary(), nullable=False),
    ]
)
_ALIGNED_BYTES = 8


def writes_of(batch: pa.RecordBatch, requests: Sequence[WriteRequest]) -> Iterator[Write]:
    """Yield the write of each table in the batch."""
    if not batch.schema.equals(SCHEMA):
        raise UserError(
            f"a batch of write_all is RecordBatch[{_shown(SCHEMA)}], not [{_shown(batch.schema)}]"
        )
    batch.validate(full=True)
    for number, rows in zip(batch.column(0), batch.column(1), strict=True):
        place = number.as_py()
        if place is None or not 0 <= place < len(requests):
            raise UserError(f"_table {place} is none of the {len(requests)} tables of the request")
        request = requests[place]
        yield request, _read(rows.as_buffer(), f'"{request.database}"."{request.table}"')


def _read(stream: pa.Buffer | None, table: str) -> pa.RecordBatch:
    if stream is None:
        raise UserError(f"_rows of {table} is NULL: send an Arrow IPC stream")
    if stream.address % _ALIGNED_BYTES:
        stream = pa.py_buffer(stream.to_pybytes())
    try:
        with pa.ipc.open_stream(stream) as reader:
            batches = list(reader)
            schema = reader.schema
    except (pa.ArrowException, OSError, EOFError) as error:
        raise UserError(f"_rows of {table} is no Arrow IPC stream: {error}") from None
    if len(batches) == 1:
        return batches[0]
    joined = pa.Table.from_batches(batches, schema)
    columns = [column.combine_chunks() for column in joined.columns]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _shown(schema: pa.Schema) -> str:
    return ", ".join(f"{field.name}: {field.type}" for field in schema)
