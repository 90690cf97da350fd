"""Look-ups: find the rows of keys at an LSN; of one key, copy what is asked of its row as well.

A numba call costs by the number of its arguments, so all pointers come in one array, the *plan*:

    key columns k, value columns v, segments s, exact      4 words
    Slots.pointer, Slots.mask                              256 words each
    Versions.mark, Versions.prev, runs, run counters       s words each; 0 for a dropped segment
    key widths, validity, values, data, row mask           k, then k * (s + 1) words each
    value widths, validity, values, data, row mask         v, then v * (s + 1) words each

For `read_row`, `work` brings the key and takes the row:

    in    16 bytes a key column: the value, or i32 begin and i32 end of its bytes behind them all
    out   i64 count of NULLs, a byte a value column (1 = NULL) padded to 8, then a *cell* a column:
          8 bytes (integers with their sign, FLOAT and
          DOUBLE as they are), 16 for DECIMAL, u32 offset in `work` and u32 length for variable
          ones, whose bytes come last; the cell of a NULL is undefined

Invariant: a row that does not fit is not written: word 0 is then the size in bytes that it needs.
"""

from typing import Final

import numpy as np

from .hashing import hash_row, load_fixed
from .index import AHEAD, MISSING, UNKNOWN, fetch_slot, probe, visible_version
from .jit import helper, kernel
from .keys import has_null
from .marks import RUN_BYTES, find_run
from .views import (
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
from .words import copy_bytes, load_i64, load_u8, load_u32, store_8, store_32, store_64

TOO_SMALL: Final = -3
HEAD_WORDS: Final = 4
DIRECTORY: Final = 256
KEY_BYTES: Final = 16


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
def _columns(plan: Int64s, at: int, count: int, entries: int) -> Columns:
    first = at + count
    size = count * entries
    return Columns(
        plan[at:first],
        plan[first : first + size].reshape((count, entries)),
        plan[first + size : first + 2 * size].reshape((count, entries)),
        plan[first + 2 * size : first + 3 * size].reshape((count, entries)),
        plan[first + 3 * size : first + 4 * size].reshape((count, entries)),
    )


@helper
def _key_rows(widths: Int64s, address: int) -> Rows:
    """Return the key at `address` as the one row of a batch."""
    count = len(widths)
    zeros = np.zeros(count, np.int64)
    values = np.empty(count, np.int64)
    data = np.empty(count, np.int64)
    for c in range(count):
        values[c] = address + c * KEY_BYTES
        data[c] = address + count * KEY_BYTES
    return Rows(widths, zeros, values, data, zeros)


@helper
def _is_null(columns: Columns, c: int, rid: int) -> bool:
    bitmap = columns.validity[c, rid >> ROW_BITS]
    row = rid & ROW_MASK & columns.row_mask[c, rid >> ROW_BITS]
    return bool(bitmap != 0 and (load_u8(bitmap + (row >> 3)) >> (row & 7)) & 1 == 0)


@helper
def _needed(columns: Columns, rid: int) -> int:
    """Return how many bytes a row takes in `work`."""
    size = 8 + ((len(columns.width) + 7) & ~7)
    for c in range(len(columns.width)):
        size += 16 if columns.width[c] == 16 else 8
        if columns.width[c] == VARIABLE and not _is_null(columns, c, rid):
            row = rid & ROW_MASK & columns.row_mask[c, rid >> ROW_BITS]
            both = columns.values[c, rid >> ROW_BITS] + row * 4
            size += load_u32(both + 4) - load_u32(both)
    return size


@helper
def _copy(columns: Columns, rid: int, out: int) -> None:
    segment = rid >> ROW_BITS
    nulls = 0
    cell = out + 8 + ((len(columns.width) + 7) & ~7)
    fill = cell
    for c in range(len(columns.width)):
        fill += 16 if columns.width[c] == 16 else 8
    for c in range(len(columns.width)):
        width = columns.width[c]
        row = rid & ROW_MASK & columns.row_mask[c, segment]
        values = columns.values[c, segment]
        null = _is_null(columns, c, rid)
        nulls += null
        store_8(out + 8 + c, 1 if null else 0)
        if width == 16:
            copy_bytes(cell, values + row * 16, 16)
            cell += 8
        elif width != VARIABLE:
            store_64(cell, load_fixed(values, row, width))
        elif not null:
            start = load_u32(values + row * 4)
            size = load_u32(values + row * 4 + 4) - start
            copy_bytes(fill, columns.data[c, segment] + start, size)
            store_32(cell, fill - out)
            store_32(cell + 4, size)
            fill += size
        cell += 8
    store_64(out, nulls)


@helper
def _finding(plan: Int64s, lsn: int) -> tuple[Slots, Versions, int, Columns]:
    """Return what a search needs: index, versions, the first row born after `lsn`, stored keys."""
    segments = plan[2]
    at = HEAD_WORDS
    slots = Slots(plan[at : at + DIRECTORY], plan[at + DIRECTORY : at + 2 * DIRECTORY])
    at += 2 * DIRECTORY
    versions = Versions(plan[at : at + segments], plan[at + segments : at + 2 * segments])
    at += 2 * segments
    bound = _bound(plan[at : at + segments], plan[at + segments : at + 2 * segments], lsn)
    return slots, versions, bound, _columns(plan, at + 2 * segments, plan[0], segments + 1)


@kernel
def find_rows(plan: Int64s, lsn: int, rows: Rows, rids: Int64s, positions: Int64s) -> int:
    """Find the rows of keys at `lsn`: ids and positions of those that exist; return how many.

    `UNKNOWN` is returned when one of the keys has newer rows than the plan.
    """
    slots, versions, bound, stored = _finding(plan, lsn)
    exact = plan[3] != 0
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


@kernel
def read_row(plan: Int64s, lsn: int, work: Int64s) -> int:
    """Copy the row of the key in `work` at `lsn`; return its id, or why there is none."""
    slots, versions, bound, stored = _finding(plan, lsn)
    keys, values, segments = plan[0], plan[1], plan[2]
    address = work.ctypes.data
    rows = _key_rows(stored.width, address)
    x = as_int(hash_row(rows, 0))
    newest = probe(slots, x, plan[3] != 0, rows, 0, stored)
    rid = visible_version(versions, newest, bound, lsn)
    if rid < 0:
        return rid
    at = HEAD_WORDS + 2 * DIRECTORY + 4 * segments + keys * (4 * segments + 5)
    wanted = _columns(plan, at, values, segments + 1)
    needed = _needed(wanted, rid)
    if needed > len(work) * 8:
        store_64(address, needed)
        return TOO_SMALL
    _copy(wanted, rid, address)
    return rid
