"""Arrow arrays as kernels see them: addresses of buffers, and ARRAY values packed or not."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from sluiceway.catalog import UserError

from ..kernels import lists
from ..kernels.exported import ARRAY_WORDS, RELEASE_WORD, addresses
from ..kernels.views import BITS, VARIABLE, Int64s, Rows
from .column import StoredColumn, width_of

if TYPE_CHECKING:
    from .layout import TableLayout

# The most bytes that a column of one batch may have, and that a batch should have if it can be cut.
# Twice the first is what Arrow's offsets reach, so the images of a change fit side by side.
MAX_BYTES = 2**30 - 1
BATCH_BYTES = 1 << 25
_EXACT_FROM_BYTES = 1 << 20
# A structure of Arrow's C data interface, and how it is given back.
_Exported = ctypes.c_int64 * ARRAY_WORDS
_Release = ctypes.PYFUNCTYPE(None, ctypes.c_void_p)


def rows_of_batch(batch: pa.RecordBatch, widths: Int64s) -> Rows:
    """Return the addresses of a batch as stored, which the caller keeps alive, in one call."""
    exported = _Exported()
    at = ctypes.addressof(exported)
    batch._export_to_c(at)
    rows = Rows(widths, *addresses(at, widths))
    _Release(exported[RELEASE_WORD])(at)
    return rows


def rows_of(arrays: Sequence[pa.Array]) -> Rows:
    """Return the addresses of some arrays, which the caller keeps alive."""
    words = np.array([_addresses(array) for array in arrays], np.int64).reshape(-1, 5)
    return Rows(*words.T.copy())


def _addresses(array: pa.Array) -> tuple[int, int, int, int, int]:
    buffers = array.buffers()
    valid, values = buffers[0], buffers[1]
    data = buffers[2] if len(buffers) == 3 and not pa.types.is_list(array.type) else None
    return (
        width_of(array.type),
        0 if valid is None or array.null_count == 0 else valid.address,
        0 if values is None else values.address,
        0 if data is None else data.address,
        array.offset,
    )


def check_bytes(what: str, size_bytes: int, cure: str) -> None:
    """Refuse more bytes than a batch can have."""
    if size_bytes > MAX_BYTES:
        raise UserError(
            f"{what} take {size_bytes} bytes, {MAX_BYTES} are the most in one batch: {cure}",
            sqlstate="54000",
        )


def bytes_of(batch: pa.RecordBatch) -> int:
    """Return how many bytes a batch has: a slice of a large one only its own."""
    size_bytes = int(batch.get_total_buffer_size())
    # Exact for a slice, but it takes longer than to merge a few rows.
    return int(batch.nbytes) if size_bytes > _EXACT_FROM_BYTES else size_bytes


def joined(batches: Sequence[pa.RecordBatch], cure: str) -> pa.RecordBatch:
    """Return batches of one schema, at least one, as one."""
    if len(batches) == 1:
        return batches[0]
    check_bytes("the rows", sum(batch.nbytes for batch in batches), cure)
    whole = pa.Table.from_batches(batches).combine_chunks().to_batches()
    return whole[0] if whole else batches[0]


def pack(array: pa.Array) -> pa.Array:
    """Pack a list array into `binary` (docs/format.md, "Memory")."""
    if len(array) == 0:
        return pa.array([], pa.binary())
    items, of_lists = rows_of([array.values]), rows_of([array])
    offsets = np.zeros(len(array) + 1, np.int64)
    lists.pack_offsets(of_lists, items, offsets)
    check_bytes("arrays", int(offsets[-1]), "write smaller batches")
    packed = np.empty(max(int(offsets[-1]), 1), np.uint8)
    lists.pack(of_lists, items, offsets, packed.ctypes.data)
    return pa.Array.from_buffers(
        pa.binary(),
        len(array),
        [_validity(array), pa.py_buffer(offsets.astype(np.int32)), pa.py_buffer(packed)],
    )


def unpack(packed: pa.Array, kind: pa.DataType) -> pa.Array:
    """Unpack `binary` into a list array of type `kind`."""
    count = len(packed)
    width = width_of(kind.value_type)
    if count == 0:
        return pa.array([], kind)
    rows = rows_of([packed])
    offsets = np.empty(count + 1, np.int32)
    total_bytes = lists.unpack_offsets(rows, width, offsets)
    items = int(offsets[-1])
    validity = np.zeros((items + 7) // 8 + 1, np.uint8)
    values = np.zeros(_values_bytes(width, items) + 8, np.uint8)
    data = np.empty(total_bytes + 1, np.uint8)
    lists.unpack(rows, width, offsets, validity.ctypes.data, values.ctypes.data, data.ctypes.data)
    buffers = [pa.py_buffer(validity), pa.py_buffer(values)]
    if width == VARIABLE:
        buffers.append(pa.py_buffer(data))
    child = pa.Array.from_buffers(kind.value_type, items, buffers)
    outer = [_validity(packed), pa.py_buffer(offsets)]
    return pa.Array.from_buffers(kind, count, outer, children=[child])


def packed(layout: TableLayout, batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return columns of a table as they are stored."""
    if not layout.has_lists:
        return batch
    names = batch.schema.names
    columns = [layout.columns[layout.positions[name]] for name in names]
    arrays = [to_storage(c, array) for c, array in zip(columns, batch.columns, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, names)


def unpacked(layout: TableLayout, batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return all columns of a table, given as they are stored, as users see them."""
    if not layout.has_lists:
        return batch
    columns = zip(layout.columns, batch.columns, strict=True)
    return pa.RecordBatch.from_arrays([from_storage(*c) for c in columns], schema=layout.schema)


def to_storage(column: StoredColumn, array: pa.Array) -> pa.Array:
    """Return the array as it is stored."""
    return pack(array) if column.is_list else array


def from_storage(column: StoredColumn, array: pa.Array) -> pa.Array:
    """Return a stored array as users see it."""
    return unpack(array, column.arrow) if column.is_list else array


def widened(old: StoredColumn, new: StoredColumn, stored: pa.Array) -> pa.Array:
    """Return an array that is stored as `old` as it is stored in `new`, a wider type."""
    return to_storage(new, from_storage(old, stored).cast(new.arrow))


def constant(column: StoredColumn, count: int) -> pa.Array:
    """Return the column's default `count` times, as stored."""
    return to_storage(column, pa.repeat(column.default, count))


def _values_bytes(width: int, items: int) -> int:
    if width == VARIABLE:
        return 4 * items + 4
    return (items + 7) // 8 if width == BITS else items * width


def _validity(array: pa.Array) -> pa.Buffer | None:
    """Return a validity bitmap that starts at bit 0, None when nothing is NULL."""
    if array.null_count == 0:
        return None
    valid = array.is_valid().to_numpy(zero_copy_only=False)
    return pa.py_buffer(np.packbits(valid, bitorder="little"))
