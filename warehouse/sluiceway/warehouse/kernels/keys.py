"""Equality of keys, byte for byte: a hash only proposes, these decide."""

from .jit import helper
from .views import BITS, ROW_BITS, ROW_MASK, VARIABLE, Columns, Rows
from .words import load_i32, load_i64, load_u8


@helper
def _same_bytes(a: int, b: int, size: int) -> bool:
    whole = size >> 3
    for j in range(whole):
        if load_i64(a + j * 8) != load_i64(b + j * 8):
            return False
    for j in range(whole * 8, size):
        if load_u8(a + j) != load_u8(b + j):
            return False
    return True


@helper
def _same_value(
    width: int, values_a: int, data_a: int, a: int, values_b: int, data_b: int, b: int
) -> bool:
    if width == VARIABLE:
        start_a = load_i32(values_a + a * 4)
        start_b = load_i32(values_b + b * 4)
        size = load_i32(values_a + a * 4 + 4) - start_a
        if size != load_i32(values_b + b * 4 + 4) - start_b:
            return False
        return _same_bytes(data_a + start_a, data_b + start_b, size)
    if width == BITS:
        bit_a = load_u8(values_a + (a >> 3)) >> (a & 7)
        bit_b = load_u8(values_b + (b >> 3)) >> (b & 7)
        return (bit_a ^ bit_b) & 1 == 0
    return _same_bytes(values_a + a * width, values_b + b * width, width)


@helper
def equals_stored(rows: Rows, i: int, keys: Columns, rid: int) -> bool:
    """Tell whether row `i` has the key of the stored row `rid`."""
    segment = rid >> ROW_BITS
    row = rid & ROW_MASK
    for c in range(len(rows.width)):
        if not _same_value(
            rows.width[c],
            rows.values[c],
            rows.data[c],
            rows.offset[c] + i,
            keys.values[c, segment],
            keys.data[c, segment],
            row,
        ):
            return False
    return True


@helper
def equal_stored(keys: Columns, a: int, b: int) -> bool:
    """Tell whether the stored rows `a` and `b` have the same key."""
    segment_a = a >> ROW_BITS
    segment_b = b >> ROW_BITS
    for c in range(len(keys.width)):
        if not _same_value(
            keys.width[c],
            keys.values[c, segment_a],
            keys.data[c, segment_a],
            a & ROW_MASK,
            keys.values[c, segment_b],
            keys.data[c, segment_b],
            b & ROW_MASK,
        ):
            return False
    return True


@helper
def equal_rows(rows: Rows, i: int, j: int) -> bool:
    """Tell whether rows `i` and `j` of one batch have the same key."""
    for c in range(len(rows.width)):
        if not _same_value(
            rows.width[c],
            rows.values[c],
            rows.data[c],
            rows.offset[c] + i,
            rows.values[c],
            rows.data[c],
            rows.offset[c] + j,
        ):
            return False
    return True


@helper
def has_null(rows: Rows, i: int) -> bool:
    """Tell whether any column of row `i` is NULL."""
    for c in range(len(rows.width)):
        bit = rows.offset[c] + i
        bitmap = rows.validity[c]
        if bitmap != 0 and (load_u8(bitmap + (bit >> 3)) >> (bit & 7)) & 1 == 0:
            return True
    return False
