"""Filling in the head of an Arrow IPC message, which pyarrow reads as a RecordBatch in one call.

A head is made once for a schema (`table/message.py`). What differs from batch to batch is words at
known places: the row count, the length of the body, for each column (rows, NULLs), for each buffer
(offset in the body, length). The bitmap of a column without NULL has length 0.
"""

from typing import NamedTuple

from .columns import values_bytes
from .jit import kernel
from .views import VARIABLE, Int64s
from .words import store_32, store_64


class Head(NamedTuple):
    """The words of a head, and where in it, in bytes, the words stand that differ."""

    words: Int64s
    rows_at: int
    body_at: int
    nodes_at: int
    buffers_at: int
    has_positions: bool


@kernel
def write_head(
    head: Head,
    block: int,
    end: int,
    count: int,
    positions: Int64s,
    widths: Int64s,
    nulls: Int64s,
    at: Int64s,
    sizes: Int64s,
    data_at: Int64s,
) -> None:
    """Write the head of gathered columns, and `_pos` behind it when the schema begins with it."""
    for i in range(len(head.words)):
        store_64(block + i * 8, head.words[i])
    body = len(head.words) * 8
    store_64(block + head.rows_at, count)
    store_64(block + head.body_at, end - body)
    node = block + head.nodes_at
    buffer = block + head.buffers_at
    if head.has_positions:
        for i in range(count):
            store_32(block + body + i * 4, positions[i])
        store_64(node, count)
        store_64(buffer + 24, 4 * count)
        node += 16
        buffer += 32
    columns = len(widths)
    for c in range(columns):
        store_64(node, count)
        store_64(node + 8, nulls[c])
        store_64(buffer, at[c] - body)
        store_64(buffer + 8, (count + 7) >> 3 if nulls[c] else 0)
        store_64(buffer + 16, at[columns + c] - body)
        store_64(buffer + 24, values_bytes(widths[c], count))
        node += 16
        buffer += 32
        if widths[c] == VARIABLE:
            store_64(buffer, data_at[c] - body)
            store_64(buffer + 8, sizes[c])
            buffer += 16
