"""ARRAY values ↔ packed bytes (docs/format.md, "Memory").

    fixed elements:     u32 count, bitmap, values (BOOLEAN: bits)
    variable elements:  u32 count, bitmap, u32 lengths[count], bytes

A NULL element has bit 0, a zero value and length 0, so equal arrays pack to equal bytes. A NULL
array packs to no bytes at all. `lists` holds the one list column, `items` its child column.
"""

import numpy as np

from .bits import bit_at, raise_bit, zero
from .jit import helper, kernel
from .views import BITS, VARIABLE, Int32s, Int64s, Rows, as_int
from .words import copy_bytes, load_i32, load_u32, store_32


@helper
def _is_valid(rows: Rows, i: int) -> bool:
    bit = rows.offset[0] + i
    return bool(rows.validity[0] == 0) or bit_at(rows.validity[0], bit) == 1


@helper
def _item_size(items: Rows, j: int) -> int:
    if not _is_valid(items, j):
        return 0
    address = items.values[0] + (items.offset[0] + j) * 4
    return load_i32(address + 4) - load_i32(address)


@helper
def _bitmap_bytes(count: int) -> int:
    return (count + 7) >> 3


@helper
def _values_bytes(width: int, count: int) -> int:
    """Return the bytes of `count` values, of their lengths when they are variable."""
    if width == VARIABLE:
        return count * 4
    return _bitmap_bytes(count) if width == BITS else count * width


@kernel
def pack_offsets(lists: Rows, items: Rows, offsets: Int64s) -> None:
    """Write where each packed array begins and where the last one ends."""
    for i in range(len(offsets) - 1):
        offsets[i + 1] = offsets[i]
        if not _is_valid(lists, i):
            continue
        address = lists.values[0] + (lists.offset[0] + i) * 4
        first = load_i32(address)
        count = load_i32(address + 4) - first
        size = 4 + _bitmap_bytes(count) + _values_bytes(items.width[0], count)
        if items.width[0] == VARIABLE:
            for j in range(first, first + count):
                size += _item_size(items, j)
        offsets[i + 1] += size


@helper
def _pack_one(items: Rows, first: int, count: int, target: int) -> None:
    width = items.width[0]
    store_32(target, count)
    bitmap = target + 4
    values = bitmap + _bitmap_bytes(count)
    data = values + _values_bytes(width, count)
    zero(bitmap, data - bitmap)
    for j in range(count):
        if not _is_valid(items, first + j):
            continue
        raise_bit(bitmap, j)
        row = items.offset[0] + first + j
        if width == VARIABLE:
            size = _item_size(items, first + j)
            store_32(values + j * 4, size)
            copy_bytes(data, items.data[0] + load_i32(items.values[0] + row * 4), size)
            data += size
        elif width == BITS:
            if bit_at(items.values[0], row) == 1:
                raise_bit(values, j)
        else:
            copy_bytes(values + j * width, items.values[0] + row * width, width)


@kernel
def pack(lists: Rows, items: Rows, offsets: Int64s, target: int) -> None:
    """Write the packed arrays at `target`, each where `pack_offsets` put it."""
    for i in range(len(offsets) - 1):
        if offsets[i + 1] > offsets[i]:
            address = lists.values[0] + (lists.offset[0] + i) * 4
            first = load_i32(address)
            _pack_one(items, first, load_i32(address + 4) - first, target + offsets[i])


@helper
def _packed_size(packed: Rows, i: int) -> int:
    address = packed.values[0] + (packed.offset[0] + i) * 4
    return load_i32(address + 4) - load_i32(address) if _is_valid(packed, i) else 0


@helper
def _packed_start(packed: Rows, i: int) -> int:
    start = load_i32(packed.values[0] + (packed.offset[0] + i) * 4)
    return as_int(packed.data[0] + start)


@kernel
def unpack_offsets(packed: Rows, width: int, offsets: Int32s) -> int:
    """Write the list offsets of the packed arrays; return the bytes of all variable elements."""
    total = 0
    offsets[0] = 0
    for i in range(len(offsets) - 1):
        offsets[i + 1] = offsets[i]
        size = _packed_size(packed, i)
        if size == 0:
            continue
        count = load_u32(_packed_start(packed, i))
        offsets[i + 1] = np.int32(offsets[i] + count)
        total += size - 4 - _bitmap_bytes(count) - _values_bytes(width, count)
    return total


@kernel
def unpack(
    packed: Rows, width: int, offsets: Int32s, validity: int, values: int, data: int
) -> None:
    """Write the elements of all arrays; `validity` and the bits of BOOLEAN begin as zeros."""
    used = 0
    if width == VARIABLE:
        store_32(values, 0)
    for i in range(len(offsets) - 1):
        count = as_int(offsets[i + 1]) - as_int(offsets[i])
        if count == 0:
            continue
        bitmap = _packed_start(packed, i) + 4
        source = bitmap + _bitmap_bytes(count)
        at = source + _values_bytes(width, count)
        for j in range(count):
            k = as_int(offsets[i]) + j
            if bit_at(bitmap, j) == 1:
                raise_bit(validity, k)
            if width == VARIABLE:
                size = load_u32(source + j * 4)
                copy_bytes(data + used, at, size)
                at += size
                used += size
                store_32(values + k * 4 + 4, used)
            elif width == BITS:
                if bit_at(source, j) == 1:
                    raise_bit(values, k)
            else:
                copy_bytes(values + k * width, source + j * width, width)
