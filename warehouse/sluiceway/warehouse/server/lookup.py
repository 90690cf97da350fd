"""Look-ups: batches of keys in, the rows that exist at the newest LSN out, in request order.

Invariants: one answer a request batch, with the request's metadata; `_pos` is the row of the key in
its request; a key with a NULL matches nothing; the columns of a stream are those of its start, even
when the table is altered meanwhile, but one of which a column was widened ends: its answers could
not say what the table holds. Who asks begins another.
"""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.flight as fl

from sluiceway.catalog import Table, UnavailableError, UserError
from sluiceway.warehouse.server.requests import Lookup
from sluiceway.warehouse.server.service import Service, named_table

POS = pa.field("_pos", pa.int32(), nullable=False)


def exchange(
    service: Service,
    context: fl.ServerCallContext,
    request: Lookup,
    reader: fl.MetadataRecordBatchReader,
    writer: fl.MetadataRecordBatchWriter,
) -> None:
    """Answer look-ups on one stream until the client ends it."""
    service.reach(request.at_least)
    snapshot = service.warehouse.snapshot()
    table = named_table(snapshot, request.database, request.table, request.table_id)
    _check_keys(table, request.keys)
    columns = None if request.columns is None else list(request.columns)
    writer.begin(pa.schema([POS, *table.arrow_schema(columns)]))
    while not service.gone(context):
        try:
            chunk = reader.read_chunk()
        except StopIteration:
            return
        keys, positions = key_batch(table, chunk.data)
        snapshot = service.warehouse.snapshot()
        now = named_table(snapshot, request.database, request.table, table.id)
        _check_types(table, now)
        answer = at_positions(snapshot.lookup(table, keys, columns), positions)
        if chunk.app_metadata is None:
            writer.write_batch(answer)
        else:
            writer.write_with_metadata(answer, chunk.app_metadata)


def key_batch(
    table: Table, batch: pa.RecordBatch
) -> tuple[pa.RecordBatch, npt.NDArray[np.int64] | None]:
    """Return the keys in the table's order and types, without NULLs, and the rows they came from.

    The rows are None when every key of the batch is whole.
    """
    _check_keys(table, tuple(batch.schema.names))
    arrays, whole = [], None
    for name in table.primary_key:
        array = _cast(batch.column(batch.schema.get_field_index(name)), table, name)
        if array.null_count:
            valid = pc.is_valid(array)
            whole = valid if whole is None else pc.and_(whole, valid)
        arrays.append(array)
    keys = pa.RecordBatch.from_arrays(arrays, names=list(table.primary_key))
    if whole is None:
        return keys, None
    return keys.filter(whole), np.flatnonzero(whole.to_numpy(zero_copy_only=False))


def at_positions(answer: pa.RecordBatch, positions: npt.NDArray[np.int64] | None) -> pa.RecordBatch:
    """Return the answer with `_pos` as rows of the request from which NULL keys were left out."""
    if positions is None:
        return answer
    found = answer.column(0).to_numpy(zero_copy_only=False)
    pos = pa.array(positions[found].astype(np.int32), pa.int32())
    return pa.RecordBatch.from_arrays([pos, *answer.columns[1:]], schema=answer.schema)


def _check_types(table: Table, now: Table) -> None:
    if now.schema_version == table.schema_version:
        return
    types = {column.id: column.type for column in now.columns}
    for column in table.columns:
        if types.get(column.id, column.type) != column.type:
            raise UnavailableError(
                f'column "{column.name}" of "{table.name}" was widened from {column.type} to '
                f"{types[column.id]}: begin another look-up"
            )


def _check_keys(table: Table, keys: tuple[str, ...]) -> None:
    if not table.primary_key:
        raise UserError(f'table "{table.name}" has no primary key to look rows up by; scan it')
    if sorted(keys) != sorted(table.primary_key):
        raise UserError(
            f'a look-up in "{table.name}" is by its primary key ({", ".join(table.primary_key)}), '
            f"not by ({', '.join(keys)})"
        )


def _cast(array: pa.Array, table: Table, name: str) -> pa.Array:
    kind = table.column(name).type.arrow()
    if array.type == kind:
        return array
    try:
        return array.cast(kind)
    except pa.ArrowException as error:
        raise UserError(f'key "{name}" is {array.type}, not {kind}: {error}') from None
