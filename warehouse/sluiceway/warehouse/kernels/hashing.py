"""Hashes of keys: the index hash, and the steps of the frozen distribution hash.

For one fixed column of at most 8 bytes the index hash is a bijection of the value, so that equal
hashes are equal keys (`exact` in `index.py`). It never leaves memory and may change at will.
The distribution hash is frozen (docs/format.md, version 1): clients compute it too.
"""

from typing import Final

import numpy as np

from .jit import helper, kernel
from .views import BITS, VARIABLE, Int64s, Rows
from .words import load_i8, load_i16, load_i32, load_i64, load_u8
from .xxh3 import xxh3

COMBINE: Final = np.uint64(0x9DDFEA08EB382D69)
_SEED: Final = np.uint64(0x9E3779B97F4A7C15)
_TAIL: Final = np.uint64(0xFF51AFD7ED558CCD)
_MIX_1: Final = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2: Final = np.uint64(0x94D049BB133111EB)
_CANONICAL_NAN: Final = np.uint64(0x7FF8000000000000)


@helper
def mix(x: np.uint64) -> np.uint64:
    """Scatter 64 bits (the finaliser of splitmix64, a bijection)."""
    x ^= x >> np.uint64(30)
    x *= _MIX_1
    x ^= x >> np.uint64(27)
    x *= _MIX_2
    return x ^ (x >> np.uint64(31))


@helper
def load_fixed(address: int, row: int, width: int) -> int:
    """Load a fixed value of at most 8 bytes, sign-extended."""
    if width == 8:
        return load_i64(address + row * 8)
    if width == 4:
        return load_i32(address + row * 4)
    if width == 2:
        return load_i16(address + row * 2)
    if width == BITS:
        return (load_u8(address + (row >> 3)) >> (row & 7)) & 1
    return load_i8(address + row)


@helper
def _hash_bytes(address: int, size: int) -> np.uint64:
    h = _SEED ^ np.uint64(size)
    words = size >> 3
    for j in range(words):
        h = mix(h ^ np.uint64(load_i64(address + j * 8)))
    tail = np.uint64(0)
    for j in range(words * 8, size):
        tail = (tail << np.uint64(8)) | np.uint64(load_u8(address + j))
    return mix(h ^ tail ^ _TAIL)


@helper
def _word(rows: Rows, column: int, i: int) -> np.uint64:
    width = rows.width[column]
    row = rows.offset[column] + i
    if width == VARIABLE:
        start = load_i32(rows.values[column] + row * 4)
        size = load_i32(rows.values[column] + row * 4 + 4) - start
        return _hash_bytes(rows.data[column] + start, size)
    if width == 16:
        low = np.uint64(load_i64(rows.values[column] + row * 16))
        return low ^ mix(np.uint64(load_i64(rows.values[column] + row * 16 + 8)))
    return np.uint64(load_fixed(rows.values[column], row, width))


@helper
def hash_row(rows: Rows, i: int) -> np.int64:
    """Return the index hash of one row over all columns of `rows`."""
    if len(rows.width) == 1:
        return np.int64(mix(_word(rows, 0, i)))
    h = np.uint64(0)
    for c in range(len(rows.width)):
        h = mix((h * COMBINE) ^ _word(rows, c, i))
    return np.int64(h)


@kernel
def hash_index(rows: Rows, out: Int64s) -> None:
    """Write the index hash of every row over all columns of `rows`."""
    if len(rows.width) == 1:
        for i in range(len(out)):
            out[i] = np.int64(mix(_word(rows, 0, i)))
        return
    for i in range(len(out)):
        out[i] = hash_row(rows, i)


@kernel
def distribute_words(words: Int64s, out: Int64s) -> None:
    """Fold one column, given as a 64-bit word a row, into the distribution hashes `out`."""
    for i in range(len(out)):
        out[i] = np.int64(mix((np.uint64(out[i]) * COMBINE) ^ np.uint64(words[i])))


@kernel
def distribution_words(rows: Rows, floating: bool, out: Int64s) -> None:
    """Write the distribution word of every row of the one column in `rows`."""
    width = rows.width[0]
    for i in range(len(out)):
        if width == VARIABLE:
            row = rows.offset[0] + i
            start = load_i32(rows.values[0] + row * 4)
            size = load_i32(rows.values[0] + row * 4 + 4) - start
            out[i] = np.int64(xxh3(rows.data[0] + start, size))
        else:
            word = _word(rows, 0, i)
            out[i] = np.int64(_canonical(word) if floating else word)


@helper
def _canonical(bits: np.uint64) -> np.uint64:
    magnitude = bits & np.uint64(0x7FFFFFFFFFFFFFFF)
    if magnitude == np.uint64(0):
        return magnitude
    if magnitude > np.uint64(0x7FF0000000000000):
        return _CANONICAL_NAN
    return bits
