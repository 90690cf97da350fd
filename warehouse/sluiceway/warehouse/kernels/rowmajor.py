"""The row-major copy of a shard's rows: made of Arrow batches, gathered into Arrow batches.

One row of the copy (docs/format.md, "Memory"):

    bitmap, a bit a column: set iff it has a value
    a cell a column at its *place*: the value, a byte for BOOLEAN; u32 begin in the row and u32
    length for variable ones; zeros for NULL
    the bytes of variable values

Rows are worked on in blocks, column by column inside a block: what a block touches stays in the
nearest cache, and what is asked of a column is decided once for all of its rows.
"""

from typing import Final, NamedTuple

import numpy as np

from .bits import bit_at, raise_bit, zero
from .columns import copy_short
from .jit import helper, kernel
from .views import BITS, ROW_BITS, ROW_MASK, VARIABLE, Bools, Columns, Int64s, Rows, as_int
from .words import (
    load_i32,
    load_i64,
    load_u8,
    load_u32,
    prefetch,
    store_8,
    store_16,
    store_32,
    store_64,
)

# A multiple of 8: bitmaps are written by whole bytes.
_BLOCK: Final = 32
_LINE_BYTES: Final = 64


class RowMajor(NamedTuple):
    """Where the copy lies.

    `offsets` and `rows` by segment are the addresses of int32 offsets and of the rows, 0 without a
    copy; `place` and `bit` are [column, segment], -1 where a column is not read from the copy.
    """

    offsets: Int64s
    rows: Int64s
    place: Int64s
    bit: Int64s


@helper
def _source(rows: Rows, c: int, row: int) -> tuple[int, int]:
    """Return address and size of a variable value."""
    both = rows.values[c] + (rows.offset[c] + row) * 4
    begin = load_i32(both)
    return as_int(rows.data[c] + begin), as_int(load_i32(both + 4) - begin)


@kernel
def measure(rows: Rows, head_bytes: int, offsets: Int64s) -> None:
    """Store where each row of the copy begins and where the last one ends."""
    offsets[0] = 0
    for i in range(len(offsets) - 1):
        offsets[i + 1] = head_bytes
    for c in range(len(rows.width)):
        if rows.width[c] == VARIABLE:
            for i in range(len(offsets) - 1):
                if rows.validity[c] == 0 or bit_at(rows.validity[c], rows.offset[c] + i) == 1:
                    offsets[i + 1] += _source(rows, c, i)[1]
    for i in range(len(offsets) - 1):
        offsets[i + 1] += offsets[i]


@helper
def _write_cell(rows: Rows, c: int, row: int, cell: int, begin: int, fill: int) -> int:
    """Write the cell of a value, and its bytes if it is variable; return where those end."""
    width = rows.width[c]
    at = rows.offset[c] + row
    if width == VARIABLE:
        address, size = _source(rows, c, row)
        copy_short(begin + fill, address, size)
        store_32(cell, fill)
        store_32(cell + 4, size)
        return fill + size
    if width == BITS:
        store_8(cell, bit_at(rows.values[c], at))
    else:
        _copy_value(width, rows.values[c] + at * width, cell)
    return fill


@helper
def _copy_value(width: int, source: int, target: int) -> None:
    if width == 8:
        store_64(target, load_i64(source))
    elif width == 4:
        store_32(target, load_i32(source))
    elif width == 16:
        store_64(target, load_i64(source))
        store_64(target + 8, load_i64(source + 8))
    elif width == 2:
        store_16(target, load_u8(source) | (load_u8(source + 1) << 8))
    else:
        store_8(target, load_u8(source))


@kernel
def write(rows: Rows, places: Int64s, head_bytes: int, offsets: Int64s, target: int) -> None:
    """Write the copy of all rows at `target`, each where `measure` put it."""
    fills = np.empty(_BLOCK, np.int64)
    for first in range(0, len(offsets) - 1, _BLOCK):
        count = min(_BLOCK, len(offsets) - 1 - first)
        for i in range(count):
            fills[i] = head_bytes
            zero(target + offsets[first + i], head_bytes)
        for c in range(len(places)):
            for i in range(count):
                row = first + i
                if rows.validity[c] == 0 or bit_at(rows.validity[c], rows.offset[c] + row) == 1:
                    begin = target + offsets[row]
                    cell = begin + places[c]
                    fills[i] = _write_cell(rows, c, row, cell, begin, fills[i])
                    raise_bit(begin, c)


@helper
def _find_rows(copy: RowMajor, rids: Int64s, begins: Int64s) -> None:
    """Find where the rows of a block begin, and ask for their lines ahead of need."""
    for i in range(len(rids)):
        segment = rids[i] >> ROW_BITS
        if copy.offsets[segment] != 0:
            prefetch(copy.offsets[segment] + (rids[i] & ROW_MASK) * 4)
    for i in range(len(rids)):
        segment = rids[i] >> ROW_BITS
        begins[i] = 0
        if copy.offsets[segment] != 0:
            both = load_i64(copy.offsets[segment] + (rids[i] & ROW_MASK) * 4)
            begin = both & 0xFFFFFFFF
            begins[i] = copy.rows[segment] + begin
            for line in range(0, (both >> 32) - begin, _LINE_BYTES):
                prefetch(begins[i] + line)


@helper
def _row(columns: Columns, c: int, rid: int) -> int:
    return as_int(rid & ROW_MASK & columns.row_mask[c, rid >> ROW_BITS])


@helper
def _is_valid(columns: Columns, copy: RowMajor, c: int, rid: int, begin: int) -> int:
    segment = rid >> ROW_BITS
    if copy.place[c, segment] >= 0:
        return as_int(bit_at(begin, copy.bit[c, segment]))
    bitmap = columns.validity[c, segment]
    return 1 if bitmap == 0 else as_int(bit_at(bitmap, _row(columns, c, rid)))


@helper
def _boolean(columns: Columns, copy: RowMajor, c: int, rid: int, begin: int) -> int:
    segment = rid >> ROW_BITS
    if copy.place[c, segment] >= 0:
        return as_int(load_u8(begin + copy.place[c, segment]))
    return as_int(bit_at(columns.values[c, segment], _row(columns, c, rid)))


@helper
def _fixed(columns: Columns, copy: RowMajor, c: int, rid: int, begin: int, width: int) -> int:
    """Return the address of a fixed value."""
    place = copy.place[c, rid >> ROW_BITS]
    if place >= 0:
        return as_int(begin + place)
    return as_int(columns.values[c, rid >> ROW_BITS] + _row(columns, c, rid) * width)


@helper
def _variable(columns: Columns, copy: RowMajor, c: int, rid: int, begin: int) -> tuple[int, int]:
    """Return address and size of a variable value."""
    segment = rid >> ROW_BITS
    place = copy.place[c, segment]
    if place >= 0:
        both = load_i64(begin + place)
        return as_int(begin + (both & 0xFFFFFFFF)), as_int(both >> 32)
    both = columns.values[c, segment] + _row(columns, c, rid) * 4
    start = load_u32(both)
    return as_int(columns.data[c, segment] + start), as_int(load_u32(both + 4) - start)


@helper
def _gather_validity(
    columns: Columns, copy: RowMajor, c: int, rids: Int64s, begins: Int64s, out: int
) -> int:
    """Gather the validity of a block; return how many are NULL."""
    nulls = 0
    byte = 0
    for i in range(len(rids)):
        bit = _is_valid(columns, copy, c, rids[i], begins[i])
        nulls += 1 - bit
        byte |= bit << (i & 7)
        if i & 7 == 7 or i == len(rids) - 1:
            store_8(out + (i >> 3), byte)
            byte = 0
    return nulls


@helper
def _gather_booleans(
    columns: Columns, copy: RowMajor, c: int, rids: Int64s, begins: Int64s, out: int
) -> None:
    byte = 0
    for i in range(len(rids)):
        byte |= _boolean(columns, copy, c, rids[i], begins[i]) << (i & 7)
        if i & 7 == 7 or i == len(rids) - 1:
            store_8(out + (i >> 3), byte)
            byte = 0


@helper
def _gather_fixed(
    columns: Columns, copy: RowMajor, c: int, rids: Int64s, begins: Int64s, width: int, out: int
) -> None:
    for i in range(len(rids)):
        _copy_value(width, _fixed(columns, copy, c, rids[i], begins[i], width), out + i * width)


@helper
def _gather_ends(
    columns: Columns, copy: RowMajor, c: int, rids: Int64s, begins: Int64s, out: int, end: int
) -> int:
    """Write where the values of a block end, from `end` on; return where the last one does."""
    for i in range(len(rids)):
        end += _variable(columns, copy, c, rids[i], begins[i])[1]
        store_32(out + i * 4, end)
    return end


@kernel
def gather(
    columns: Columns,
    copy: RowMajor,
    nullable: Bools,
    rids: Int64s,
    validity: Int64s,
    values: Int64s,
    nulls: Int64s,
    sizes: Int64s,
) -> None:
    """Do as `columns.gather` does, from the copy wherever it has a column."""
    begins = np.empty(_BLOCK, np.int64)
    nulls[:] = 0
    sizes[:] = 0
    for c in range(len(columns.width)):
        if columns.width[c] == VARIABLE:
            store_32(values[c], 0)
    for first in range(0, len(rids), _BLOCK):
        block = rids[first : first + _BLOCK]
        _find_rows(copy, block, begins)
        for c in range(len(columns.width)):
            width = columns.width[c]
            if nullable[c]:
                bitmap = validity[c] + (first >> 3)
                nulls[c] += _gather_validity(columns, copy, c, block, begins, bitmap)
            if width == VARIABLE:
                ends = values[c] + (first + 1) * 4
                sizes[c] = _gather_ends(columns, copy, c, block, begins, ends, sizes[c])
            elif width == BITS:
                _gather_booleans(columns, copy, c, block, begins, values[c] + (first >> 3))
            else:
                out = values[c] + first * width
                _gather_fixed(columns, copy, c, block, begins, width, out)


@kernel
def gather_bytes(
    columns: Columns, copy: RowMajor, rids: Int64s, values: Int64s, data: Int64s
) -> None:
    """Copy the bytes of VARIABLE columns to `data`, behind the offsets that `gather` wrote."""
    begins = np.empty(_BLOCK, np.int64)
    for first in range(0, len(rids), _BLOCK):
        block = rids[first : first + _BLOCK]
        _find_rows(copy, block, begins)
        for c in range(len(columns.width)):
            if columns.width[c] == VARIABLE:
                target = data[c] + load_u32(values[c] + first * 4)
                for i in range(len(block)):
                    address, size = _variable(columns, copy, c, block[i], begins[i])
                    copy_short(target, address, size)
                    target += size
