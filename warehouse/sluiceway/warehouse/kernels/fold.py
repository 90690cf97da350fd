"""Folding a batch: what its rows, in order, come to for each key.

A batch holds the rows of one write or of several, one after the other. A key is a small state
machine: stored or not, a pending row, deleted. An upsert makes its row pending; a delete drops the
pending row and what is stored, so that a later upsert starts from nothing; with `ignore` an upsert
of a key that exists is dropped. At the end of each write the row that won carries the outcome:
INSERT, UPDATE, DELETE, or NOTHING; the next write finds it as stored.
"""

from typing import Final

import numpy as np

from .jit import helper, kernel
from .keys import equal_rows
from .views import Bools, Int8s, Int32s, Int64s, Rows, as_int

NOTHING: Final = 0
DELETE: Final = 2
INSERT: Final = 5
UPDATE: Final = 7
OP_INSERT: Final = 0
OP_UPDATE_BEFORE: Final = 1
OP_DELETE: Final = 3


@helper
def _first_of(table: Int32s, hashes: Int64s, exact: bool, rows: Rows, i: int) -> int:
    """Return the first row of the batch with the key of row `i`, registering it when new."""
    mask = len(table) - 1
    slot = hashes[i] & mask
    while True:
        other = as_int(table[slot]) - 1
        if other < 0:
            table[slot] = i + 1
            return i
        if hashes[other] == hashes[i] and (exact or equal_rows(rows, other, i)):
            return other
        slot = (slot + 1) & mask


@helper
def _settle(
    key: int,
    pending: Int32s,
    deleted: Int32s,
    last: Int32s,
    stored: Bools,
    kinds: Int8s,
    fresh: Bools,
    earlier: Int32s,
) -> None:
    """Write what one write came to for a key, and keep what the next one finds."""
    row = pending[key]
    gone = deleted[key]
    newest = last[key]
    if row >= 0:
        kinds[row] = UPDATE if stored[key] else INSERT
        fresh[row] = not stored[key] or gone >= 0 or (newest >= 0 and fresh[newest])
        earlier[row] = newest
        stored[key] = True
        last[key] = row
    elif gone >= 0 and stored[key]:
        kinds[gone] = DELETE
        earlier[gone] = newest
        stored[key] = False
    pending[key] = -1
    deleted[key] = -1


@kernel
def fold(
    hashes: Int64s,
    exact: bool,
    rows: Rows,
    ops: Int8s,
    writes: Int32s,
    stored: Bools,
    ignore: bool,
    kinds: Int8s,
    fresh: Bools,
    earlier: Int32s,
) -> tuple[int, int, int, bool]:
    """Write each row's outcome; `stored` tells of each key before, and in the end after.

    `fresh`: the outcome starts from nothing stored. `earlier` is the row of the batch, left behind
    by an earlier write, that the outcome replaces; -1 if it replaces what is stored. Returns how
    many rows insert, update and delete, and whether one of them replaces a row of the batch.
    """
    n = len(hashes)
    size = 2
    while size < 2 * n:
        size *= 2
    table = np.zeros(size, np.int32)
    pending = np.full(n, -1, np.int32)
    deleted = np.full(n, -1, np.int32)
    last = np.full(n, -1, np.int32)
    first = np.full(n, -1, np.int32)
    current = writes.copy()
    for i in range(n):
        kinds[i] = NOTHING
        fresh[i] = True
        earlier[i] = -1
        if ops[i] == OP_UPDATE_BEFORE:
            continue
        key = _first_of(table, hashes, exact, rows, i)
        first[i] = key
        if current[key] != writes[i]:
            current[key] = writes[i]
            _settle(key, pending, deleted, last, stored, kinds, fresh, earlier)
        if ops[i] == OP_DELETE:
            pending[key] = -1
            deleted[key] = i
        elif not ignore or not (pending[key] >= 0 or (stored[key] and deleted[key] < 0)):
            pending[key] = i
    for key in range(n):
        if first[key] == key:
            _settle(key, pending, deleted, last, stored, kinds, fresh, earlier)
    inserts = updates = deletes = 0
    linked = False
    for i in range(n):
        inserts += kinds[i] == INSERT
        updates += kinds[i] == UPDATE
        deletes += kinds[i] == DELETE
        linked |= earlier[i] >= 0
    return inserts, updates, deletes, linked
