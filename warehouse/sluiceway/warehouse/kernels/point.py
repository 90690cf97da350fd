"""Look-ups: find the rows of keys at an LSN; of one key, make Python values of its row as well.

A numba call costs by the number of its arguments, so all pointers come in one block, the *plan*:

    key columns k, value columns v, segments s, exact      4 words
    Slots.pointer, Slots.mask                              256 words each
    Versions.mark, Versions.prev, runs, run counters       s words each; 0 for a dropped segment
    key widths, validity, values, data, row mask           k, then k * (s + 1) words each
    value widths, validity, values, data, row mask         v, then v * (s + 1) words each
    value forms, calls, details (`values.py`)              v words each

For `read_row` the key comes as bytes: 16 a key column, with the value or i32 begin and i32 end of
its bytes, which lie behind them all.
"""

from typing import Final

import numpy as np

from .hashing import hash_row
from .index import AHEAD, MISSING, UNKNOWN, fetch_slot, probe, visible_version
from .jit import brief, helper, kernel
from .keys import has_null
from .marks import RUN_BYTES, find_run
from .values import NULL, ROOM, Given, acquire, bytes_at, give, make_row, none, release, truth
from .views import (
    BITS,
    ROW_BITS,
    ROW_MASK,
    VARIABLE,
    Columns,
    Int64s,
    Rows,
    Slots,
    Versions,
    as_int,
)
from .words import grid_at, load_i64, load_u8, load_u32, prefetch, words_at

HEAD_WORDS: Final = 4
DIRECTORY: Final = 256
KEY_BYTES: Final = 16
_PAGE_BYTES: Final = 4096


@helper
def _bound(runs: Int64s, counters: Int64s, lsn: int) -> int:
    """Return the smallest row id that was born after `lsn`."""
    for segment in range(len(runs) - 1, -1, -1):
        if counters[segment] != 0:
            count = find_run(runs[segment], counters[segment], lsn)
            if count != 0:
                rows = load_i64(runs[segment] + (count - 1) * RUN_BYTES + 16)
                return as_int((segment << ROW_BITS) + rows)
    return 0


@helper
def _columns(address: int, count: int, entries: int) -> Columns:
    first = address + count * 8
    size = count * entries * 8
    return Columns(
        words_at(address, count),
        grid_at(first, count, entries),
        grid_at(first + size, count, entries),
        grid_at(first + 2 * size, count, entries),
        grid_at(first + 3 * size, count, entries),
    )


@helper
def _columns_bytes(count: int, entries: int) -> int:
    return count * (1 + 4 * entries) * 8


@helper
def _key_rows(widths: Int64s, address: int) -> Rows:
    """Return the key at `address` as the one row of a batch."""
    count = len(widths)
    words = np.zeros(3 * count, np.int64)
    for c in range(count):
        words[c] = address + c * KEY_BYTES
        words[count + c] = address + count * KEY_BYTES
    zeros = words[2 * count :]
    return Rows(widths, zeros, words[:count], words[count : 2 * count], zeros)


@helper
def _is_null(columns: Columns, c: int, segment: int, row: int) -> bool:
    bitmap = columns.validity[c, segment]
    return bool(bitmap != 0 and (load_u8(bitmap + (row >> 3)) >> (row & 7)) & 1 == 0)


@helper
def _locate(columns: Columns, rid: int, places: Int64s, sizes: Int64s) -> None:
    """Write where the values of a row lie and the sizes of variable ones; `NULL` is one, too.

    Of a BOOLEAN the size is the number of its bit, of other fixed values 0. What lies in memory is
    asked for before it is needed, so that cache misses overlap, and all values are read once, so
    that who comes next waits for no page; their sum is kept behind the places, lest it be left out.
    """
    segment = rid >> ROW_BITS
    for c in range(len(columns.width)):
        row = rid & ROW_MASK & columns.row_mask[c, segment]
        width = columns.width[c]
        places[c] = columns.values[c, segment]
        sizes[c] = 0
        if width == VARIABLE:
            places[c] += row * 4
        elif width == BITS:
            places[c] += row >> 3
            sizes[c] = row & 7
        else:
            places[c] += row * width
        prefetch(places[c])
    for c in range(len(columns.width)):
        if columns.width[c] == VARIABLE:
            start = load_u32(places[c])
            sizes[c] = load_u32(places[c] + 4) - start
            places[c] = columns.data[c, segment] + start
            prefetch(places[c])
    read = 0
    for c in range(len(columns.width)):
        row = rid & ROW_MASK & columns.row_mask[c, segment]
        if _is_null(columns, c, segment, row):
            sizes[c] = NULL
        elif columns.width[c] == VARIABLE:
            for page in range(places[c], places[c] + sizes[c], _PAGE_BYTES):
                read += load_u8(page)
        else:
            read += load_u8(places[c])
    places[len(columns.width)] = read


@helper
def _finding(plan: int, lsn: int) -> tuple[Slots, Versions, int, Columns]:
    """Return what a search needs: index, versions, the first row born after `lsn`, stored keys."""
    keys, segments = load_i64(plan), load_i64(plan + 16)
    at = plan + HEAD_WORDS * 8
    slots = Slots(words_at(at, DIRECTORY), words_at(at + DIRECTORY * 8, DIRECTORY))
    at += 2 * DIRECTORY * 8
    size = segments * 8
    versions = Versions(words_at(at, segments), words_at(at + size, segments))
    runs, counters = words_at(at + 2 * size, segments), words_at(at + 3 * size, segments)
    bound = _bound(runs, counters, lsn)
    stored = _columns(at + 4 * size, keys, segments + 1)
    return slots, versions, bound, stored


@kernel
def find_rows(plan: int, lsn: int, rows: Rows, rids: Int64s, positions: Int64s) -> int:
    """Find the rows of keys at `lsn`: ids and positions of those that exist; return how many.

    `UNKNOWN` is returned when one of the keys has newer rows than the plan.
    """
    slots, versions, bound, stored = _finding(plan, lsn)
    exact = load_i64(plan + 24) != 0
    hashes = np.empty(len(rids), np.int64)
    for i in range(len(hashes)):
        hashes[i] = as_int(hash_row(rows, i))
    found = 0
    for i in range(len(hashes)):
        if i + AHEAD < len(hashes):
            fetch_slot(slots, hashes[i + AHEAD])
        rid = MISSING
        if not has_null(rows, i):
            rid = visible_version(
                versions, probe(slots, hashes[i], exact, rows, i, stored), bound, lsn
            )
        if rid == UNKNOWN:
            return UNKNOWN
        if rid >= 0:
            rids[found] = rid
            positions[found] = i
            found += 1
    return found


@helper
def _find_row(plan: int, lsn: int, key: int) -> int:
    slots, versions, bound, stored = _finding(plan, lsn)
    rows = _key_rows(stored.width, key)
    x = as_int(hash_row(rows, 0))
    newest = probe(slots, x, load_i64(plan + 24) != 0, rows, 0, stored)
    return visible_version(versions, newest, bound, lsn)


@brief
def read_row(plan: int, lsn: int, key: int) -> Given:
    """Return the row of a key at `lsn`, None without one, False if the plan is too old to tell.

    `key` is the `id` of its bytes.
    """
    keys, columns, segments = load_i64(plan), load_i64(plan + 8), load_i64(plan + 16)
    at = plan + (HEAD_WORDS + 2 * DIRECTORY + 4 * segments) * 8
    at += _columns_bytes(keys, segments + 1)
    words = np.empty(2 * columns + ROOM, np.int64)
    sizes, places = words[:columns], words[columns:]
    address = bytes_at(key)
    thread = release()
    rid = _find_row(plan, lsn, address)
    wanted = _columns(at, columns, segments + 1)
    if rid >= 0:
        _locate(wanted, rid, places, sizes)
    acquire(thread)
    if rid < 0:
        return give(truth(0) if rid == UNKNOWN else none())
    at += _columns_bytes(columns, segments + 1)
    forms, calls = words_at(at, columns), words_at(at + columns * 8, columns)
    details = words_at(at + columns * 16, columns)
    return give(make_row(wanted.width, places, sizes, forms, calls, details))
