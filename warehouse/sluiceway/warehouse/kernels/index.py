"""The hash index: find, put, rehash. Readers run beside one writer without a lock.

A slot is int64 hash, int64 row id + 1 (0 = empty, FREED = of a key whose rows were all dropped). A
slot once taken keeps its hash; only its row id moves on to newer versions of the same key, by
release stores after the row itself is in place. Freed slots go when their partition is copied.
So a reader that acquires a row id may follow it. Missing is -1; `UNKNOWN` means that the reader's
pointers are older than the slot: fetch newer ones and ask again.
"""

from typing import Final

import numpy as np

from .atomics import fence_release, load_acquire, load_relaxed, store_release
from .hashing import hash_index
from .jit import helper, kernel
from .keys import equals_stored
from .views import (
    NEVER,
    ROW_BITS,
    ROW_MASK,
    Bools,
    Columns,
    Int64s,
    Rows,
    Slots,
    Versions,
    as_int,
)
from .words import prefetch

MISSING: Final = -1
UNKNOWN: Final = -2
FREED: Final = -1
SLOT_BYTES: Final = 16
AHEAD: Final = 12


@helper
def top(x: int) -> int:
    """Return the directory entry of a hash: its top 8 bits."""
    return as_int(np.uint64(x) >> np.uint64(56))


@helper
def probe(slots: Slots, x: int, exact: bool, rows: Rows, i: int, keys: Columns) -> int:
    """Return the newest version of the key of row `i`, whose hash is `x`."""
    entry = top(x)
    base = slots.pointer[entry]
    mask = slots.mask[entry]
    slot = x & mask
    while True:
        found = load_acquire(base + slot * SLOT_BYTES + 8)
        if found == 0:
            return MISSING
        if found != FREED and load_relaxed(base + slot * SLOT_BYTES) == x:
            rid = found - 1
            if rid >> ROW_BITS >= keys.values.shape[1] - 1:
                return UNKNOWN
            if exact or equals_stored(rows, i, keys, rid):
                return rid
        slot = (slot + 1) & mask


@helper
def is_dead(versions: Versions, rid: int) -> bool:
    """Tell whether any commit, published or not, has marked the row."""
    return load_relaxed(versions.mark[rid >> ROW_BITS] + (rid & ROW_MASK) * 8) != 0


@helper
def _is_kept(versions: Versions, rid: int) -> bool:
    """Tell whether the row lies in a segment that these pointers know and that is not dropped.

    A version in a dropped segment was dead at every LSN that can be read.
    """
    return rid >> ROW_BITS < len(versions.mark) and versions.mark[rid >> ROW_BITS] != 0


@helper
def fetch_slot(slots: Slots, x: int) -> None:
    """Ask for the slot of a hash that comes later, so that its cache miss overlaps with others."""
    entry = top(x)
    prefetch(slots.pointer[entry] + (x & slots.mask[entry]) * SLOT_BYTES)


@kernel
def find_latest(
    slots: Slots,
    hashes: Int64s,
    exact: bool,
    rows: Rows,
    keys: Columns,
    versions: Versions,
    found: Int64s,
    alive: Bools,
) -> None:
    """Hash keys and find the newest version of each for the writer, dead or alive."""
    hash_index(rows, hashes)
    for i in range(len(hashes)):
        if i + AHEAD < len(hashes):
            fetch_slot(slots, hashes[i + AHEAD])
        rid = probe(slots, hashes[i], exact, rows, i, keys)
        found[i] = rid
        if rid >= 0:
            prefetch(versions.mark[rid >> ROW_BITS] + (rid & ROW_MASK) * 8)
    for i in range(len(hashes)):
        alive[i] = found[i] >= 0 and not is_dead(versions, found[i])


@helper
def visible_version(versions: Versions, rid: int, bound: int, lsn: int) -> int:
    """Walk from the newest version of a key to the one at `lsn`; what is ≥ `bound` came later."""
    while rid >= bound and _is_kept(versions, rid):
        rid = load_relaxed(versions.prev[rid >> ROW_BITS] + (rid & ROW_MASK) * 8) - 1
    if rid >= 0 and rid >> ROW_BITS < len(versions.mark) and not _is_kept(versions, rid):
        rid = MISSING
    if rid >= bound:
        rid = UNKNOWN
    elif rid >= 0:
        mark = load_relaxed(versions.mark[rid >> ROW_BITS] + (rid & ROW_MASK) * 8)
        if mark >= NEVER - lsn:
            rid = MISSING
    return rid


@helper
def _put_one(slots: Slots, x: int, replaced: int, rid: int) -> None:
    entry = top(x)
    base = slots.pointer[entry]
    mask = slots.mask[entry]
    slot = x & mask
    while True:
        address = base + slot * SLOT_BYTES
        taken = load_relaxed(address + 8)
        if taken == 0:
            store_release(address, x)
            break
        if taken == replaced + 1:
            break
        slot = (slot + 1) & mask
    store_release(address + 8, rid + 1)


@kernel
def put(slots: Slots, hashes: Int64s, replaced: Int64s, rids: Int64s) -> None:
    """Point each key at its new row; `replaced` is the row that its slot named, or -1."""
    fence_release()
    for i in range(len(hashes)):
        _put_one(slots, hashes[i], replaced[i], rids[i])


@kernel
def count_new(hashes: Int64s, replaced: Int64s, counts: Int64s) -> int:
    """Count the keys that need a new slot, by directory entry; return how many there are."""
    new = 0
    for i in range(len(hashes)):
        if replaced[i] < 0:
            counts[top(hashes[i])] += 1
            new += 1
    return new


@kernel
def free_slots(base: int, mask: int, dropped: Bools) -> int:
    """Free the slots that name rows of dropped segments; return how many."""
    freed = 0
    for i in range(mask + 1):
        address = base + i * SLOT_BYTES + 8
        rid = load_relaxed(address) - 1
        if rid >= 0 and rid >> ROW_BITS < len(dropped) and dropped[rid >> ROW_BITS]:
            store_release(address, FREED)
            freed += 1
    return freed


@kernel
def rehash(
    source: int, source_mask: int, target: int, target_mask: int, depth: int, prefix: int
) -> int:
    """Copy the slots in use whose top `depth` hash bits are `prefix`; return how many."""
    copied = 0
    for i in range(source_mask + 1):
        taken = load_relaxed(source + i * SLOT_BYTES + 8)
        if taken == 0 or taken == FREED:
            continue
        x = load_relaxed(source + i * SLOT_BYTES)
        if top(x) >> (8 - depth) != prefix:
            continue
        slot = x & target_mask
        while load_relaxed(target + slot * SLOT_BYTES + 8) != 0:
            slot = (slot + 1) & target_mask
        store_release(target + slot * SLOT_BYTES, x)
        store_release(target + slot * SLOT_BYTES + 8, taken)
        copied += 1
    return copied
