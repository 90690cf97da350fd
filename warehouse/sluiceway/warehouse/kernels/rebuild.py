"""Building an index over stored rows: no reader yet, so nothing here is atomic.

Rows are first scattered by the top 8 bits of their hashes, in birth order, so that the slots of
one partition stay in the cache while its rows come, and threads may fill partitions side by side.
"""

from .index import SLOT_BYTES, top
from .jit import kernel
from .keys import equal_stored
from .views import ROW_BITS, ROW_MASK, Columns, Int64s, Versions
from .words import load_i64, prefetch, store_64

_AHEAD = 12


@kernel
def count_entries(hashes: Int64s, counts: Int64s) -> None:
    """Count hashes by directory entry."""
    for i in range(len(hashes)):
        counts[top(hashes[i])] += 1


@kernel
def scatter(hashes: Int64s, first: int, places: Int64s, by_entry: Int64s, rids: Int64s) -> None:
    """Put hashes and row ids (from `first` on) where `places` says, which moves on."""
    for i in range(len(hashes)):
        entry = top(hashes[i])
        place = places[entry]
        places[entry] = place + 1
        by_entry[place] = hashes[i]
        rids[place] = first + i


@kernel
def insert_stored(
    partition: tuple[int, int, int],
    hashes: Int64s,
    rids: Int64s,
    exact: bool,
    keys: Columns,
    versions: Versions,
) -> tuple[int, int]:
    """Point keys at their newest rows, each row at the version before it.

    `partition` is its address, slot mask and room for new keys. Returns how many rows were taken,
    all of them unless the room ran out, and how many keys were new.
    """
    base, mask, room = partition
    new = 0
    for i in range(len(hashes)):
        if i + _AHEAD < len(hashes):
            prefetch(base + (hashes[i + _AHEAD] & mask) * SLOT_BYTES)
        x = hashes[i]
        rid = rids[i]
        slot = x & mask
        while True:
            address = base + slot * SLOT_BYTES
            taken = load_i64(address + 8)
            if taken == 0:
                if new == room:
                    return i, new
                new += 1
                store_64(address, x)
                break
            if load_i64(address) == x and (exact or equal_stored(keys, rid, taken - 1)):
                store_64(versions.prev[rid >> ROW_BITS] + (rid & ROW_MASK) * 8, taken)
                break
            slot = (slot + 1) & mask
        store_64(address + 8, rid + 1)
    return len(hashes), new
