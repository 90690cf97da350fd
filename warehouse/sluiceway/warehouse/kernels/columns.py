"""Moving rows between Arrow batches and segments: append copies ranges, gather picks rows."""

import numpy as np

from .jit import helper, kernel
from .views import BITS, ROW_BITS, ROW_MASK, VARIABLE, Bools, Columns, Int64s, Rows
from .words import (
    copy_bytes,
    load_i32,
    load_i64,
    load_u8,
    load_u32,
    store_8,
    store_16,
    store_32,
    store_64,
)


@helper
def _set_bit(address: int, at: int, bit: int) -> None:
    byte = address + (at >> 3)
    store_8(byte, (load_u8(byte) & ~(1 << (at & 7))) | (bit << (at & 7)))


@helper
def _copy_bits(target: int, at: int, source: int, first: int, count: int) -> None:
    """Copy bits; `source` 0 stands for ones. Whole target bytes are written at once."""
    done = 0
    while done < count:
        if (at + done) & 7 == 0 and count - done >= 8:
            byte = 255
            if source != 0:
                shift = (first + done) & 7
                place = source + ((first + done) >> 3)
                byte = load_u8(place) >> shift
                if shift != 0:
                    byte |= load_u8(place + 1) << (8 - shift)
            store_8(target + ((at + done) >> 3), byte)
            done += 8
        else:
            bit = 1
            if source != 0:
                bit = (load_u8(source + ((first + done) >> 3)) >> ((first + done) & 7)) & 1
            _set_bit(target, at + done, bit)
            done += 1


@helper
def _append_variable(
    values: int, data: int, at: int, fill: int, offsets: int, bytes_: int, count: int
) -> int:
    first = load_i32(offsets)
    last = load_i32(offsets + count * 4)
    copy_bytes(data + fill, bytes_ + first, last - first)
    shift = fill - first
    store_32(values + at * 4, fill)
    for j in range(1, count + 1):
        store_32(values + (at + j) * 4, load_i32(offsets + j * 4) + shift)
    return fill + last - first


@kernel
def append(
    rows: Rows,
    start: int,
    count: int,
    validity: Int64s,
    values: Int64s,
    data: Int64s,
    at: int,
    fill: Int64s,
    nulled: Bools,
) -> bool:
    """Append rows `start … start + count` at row `at` of one segment and move `fill` on.

    `nulled` names the columns with a NULL; tell whether one more came to them.
    """
    more = False
    for c in range(len(rows.width)):
        if rows.validity[c] != 0 and not nulled[c]:
            nulled[c] = more = True
        width = rows.width[c]
        first = rows.offset[c] + start
        _copy_bits(validity[c], at, rows.validity[c], first, count)
        if width == VARIABLE:
            offsets = rows.values[c] + first * 4
            fill[c] = _append_variable(
                values[c], data[c], at, fill[c], offsets, rows.data[c], count
            )
        elif width == BITS:
            _copy_bits(values[c], at, rows.values[c], first, count)
        else:
            copy_bytes(values[c] + at * width, rows.values[c] + first * width, count * width)
    return more


@kernel
def rows_that_fit(rows: Rows, start: int, count: int, fill: Int64s, limit: Int64s) -> int:
    """Return how many of the rows fit into the variable bytes that are left."""
    for c in range(len(rows.width)):
        if rows.width[c] != VARIABLE:
            continue
        offsets = rows.values[c] + (rows.offset[c] + start) * 4
        end = load_i32(offsets) + limit[c] - fill[c]
        low = 0
        while low < count:
            middle = (low + count + 1) >> 1
            if load_i32(offsets + middle * 4) <= end:
                low = middle
            else:
                count = middle - 1
    return count


@helper
def _gather_bits(source: Int64s, row_mask: Int64s, rids: Int64s, out: int) -> int:
    """Gather bits of one column, ones where it has no bitmap; return how many are zero."""
    ones = 0
    byte = 0
    for i in range(len(rids)):
        segment = rids[i] >> ROW_BITS
        row = rids[i] & ROW_MASK & row_mask[segment]
        bit = 1
        if source[segment] != 0:
            bit = (load_u8(source[segment] + (row >> 3)) >> (row & 7)) & 1
        ones += bit
        byte |= bit << (i & 7)
        if i & 7 == 7:
            store_8(out + (i >> 3), byte)
            byte = 0
    if len(rids) & 7 != 0:
        store_8(out + (len(rids) >> 3), byte)
    return len(rids) - ones


@helper
def _gather_fixed(source: Int64s, row_mask: Int64s, rids: Int64s, width: int, out: int) -> None:
    if width == 8:
        for i in range(len(rids)):
            segment = rids[i] >> ROW_BITS
            row = rids[i] & ROW_MASK & row_mask[segment]
            store_64(out + i * 8, load_i64(source[segment] + row * 8))
    elif width == 4:
        for i in range(len(rids)):
            segment = rids[i] >> ROW_BITS
            row = rids[i] & ROW_MASK & row_mask[segment]
            store_32(out + i * 4, load_i32(source[segment] + row * 4))
    elif width == 16:
        for i in range(len(rids)):
            segment = rids[i] >> ROW_BITS
            address = source[segment] + (rids[i] & ROW_MASK & row_mask[segment]) * 16
            store_64(out + i * 16, load_i64(address))
            store_64(out + i * 16 + 8, load_i64(address + 8))
    elif width == 2:
        for i in range(len(rids)):
            segment = rids[i] >> ROW_BITS
            address = source[segment] + (rids[i] & ROW_MASK & row_mask[segment]) * 2
            store_16(out + i * 2, load_u8(address) | (load_u8(address + 1) << 8))
    else:
        for i in range(len(rids)):
            segment = rids[i] >> ROW_BITS
            row = rids[i] & ROW_MASK & row_mask[segment]
            store_8(out + i, load_u8(source[segment] + row))


@helper
def _gather_offsets(source: Int64s, row_mask: Int64s, rids: Int64s, out: int) -> int:
    """Write the offsets of the gathered values and return their sum of sizes."""
    total = 0
    store_32(out, 0)
    for i in range(len(rids)):
        segment = rids[i] >> ROW_BITS
        address = source[segment] + (rids[i] & ROW_MASK & row_mask[segment]) * 4
        both = load_i64(address)
        total += (both >> 32) - (both & 0xFFFFFFFF)
        store_32(out + i * 4 + 4, total)
    return total


@helper
def values_bytes(width: int, count: int) -> int:
    """Return the bytes of `count` values, of their offsets when they are variable."""
    if width == VARIABLE:
        return 4 * count + 4
    return (count + 7) >> 3 if width == BITS else count * width


@kernel
def place_columns(widths: Int64s, nullable: Bools, count: int, start: int, at: Int64s) -> int:
    """Lay out gathered columns in a block from `start` on: bitmaps, then values; return the end.

    Bitmaps begin at `at[c]`, values or offsets at `at[columns + c]`, all at multiples of 64.
    """
    end = start
    for c in range(len(widths)):
        at[c] = end
        if nullable[c]:
            end += _aligned((count + 7) >> 3)
    for c in range(len(widths)):
        at[len(widths) + c] = end
        end += _aligned(values_bytes(widths[c], count))
    return end


@kernel
def place_bytes(sizes: Int64s, start: int, at: Int64s) -> int:
    """Lay out the bytes of variable columns in a block from `start` on; return the end."""
    end = start
    for c in range(len(sizes)):
        at[c] = end
        end += _aligned(sizes[c])
    return end


@helper
def _aligned(size: int) -> int:
    return (size + 63) & ~63


@kernel
def gather(
    columns: Columns,
    nullable: Bools,
    rids: Int64s,
    validity: Int64s,
    values: Int64s,
    nulls: Int64s,
    sizes: Int64s,
) -> None:
    """Gather rows into the addresses given; offsets for VARIABLE columns, with `sizes` in bytes."""
    for c in range(len(columns.width)):
        source = columns.values[c]
        mask = columns.row_mask[c]
        nulls[c] = 0
        if nullable[c]:
            nulls[c] = _gather_bits(columns.validity[c], mask, rids, validity[c])
        if columns.width[c] == VARIABLE:
            sizes[c] = _gather_offsets(source, mask, rids, values[c])
        elif columns.width[c] == BITS:
            _gather_bits(source, mask, rids, values[c])
        else:
            _gather_fixed(source, mask, rids, columns.width[c], values[c])


@kernel
def gather_bytes(columns: Columns, rids: Int64s, values: Int64s, data: Int64s) -> None:
    """Copy the bytes of VARIABLE columns to `data`, behind the offsets that `gather` wrote."""
    for c in range(len(columns.width)):
        if columns.width[c] != VARIABLE:
            continue
        target = data[c]
        for i in range(len(rids)):
            segment = rids[i] >> ROW_BITS
            row = rids[i] & ROW_MASK & columns.row_mask[c, segment]
            start = load_u32(columns.values[c, segment] + row * 4)
            size = load_u32(values[c] + i * 4 + 4) - load_u32(values[c] + i * 4)
            copy_short(target, columns.data[c, segment] + start, size)
            target += size


@helper
def copy_short(target: int, source: int, size: int) -> None:
    """Copy by words, the last one overlapping: no call, and nothing beyond the end is touched."""
    if size < 8:
        for j in range(size):
            store_8(target + j, load_u8(source + j))
        return
    for j in range(0, size - 7, 8):
        store_64(target + j, load_i64(source + j))
    store_64(target + size - 8, load_i64(source + size - 8))


@kernel
def rows_within(columns: Columns, rids: Int64s, most_bytes: int) -> int:
    """Return how many of the rows, at least one, have no more variable bytes together."""
    size = 0
    for i in range(len(rids)):
        segment = rids[i] >> ROW_BITS
        for c in range(len(columns.width)):
            if columns.width[c] == VARIABLE:
                row = rids[i] & ROW_MASK & columns.row_mask[c, segment]
                address = columns.values[c, segment] + row * 4
                size += load_u32(address + 4) - load_u32(address)
        if size > most_bytes and i > 0:
            return i
    return len(rids)


@kernel
def variable_bytes(rows: Rows, start: int, count: int) -> Int64s:
    """Return how many variable bytes some rows have, column by column."""
    sizes = np.zeros(len(rows.width), np.int64)
    for c in range(len(sizes)):
        if rows.width[c] == VARIABLE:
            address = rows.values[c] + (rows.offset[c] + start) * 4
            sizes[c] = load_i32(address + count * 4) - load_i32(address)
    return sizes
