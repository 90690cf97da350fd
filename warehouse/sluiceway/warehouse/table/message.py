"""RecordBatches as Arrow IPC messages: one call of pyarrow makes one, not one call a buffer.

    u32 0xFFFFFFFF, i32 length of the metadata, metadata (a flatbuffer), padding to 64; the body

Invariant: the head of a schema holds zeros where `kernels/messages.py` writes, and the body begins
at a multiple of 64 bytes, as every buffer in it does.
"""

from __future__ import annotations

import struct
from functools import lru_cache

import numpy as np
import pyarrow as pa

from ..kernels.messages import Head

POSITION = pa.field("_pos", pa.int32(), nullable=False)
_PREFIX_BYTES = 8
# The fields of the flatbuffers that `Message.fbs` of Arrow's format describes, by number.
_MESSAGE_HEADER, _MESSAGE_BODY_LENGTH = 2, 3
_BATCH_LENGTH, _BATCH_NODES, _BATCH_BUFFERS = 0, 1, 2


@lru_cache(maxsize=1024)
def head_of(schema: pa.Schema, *, positions: bool = False) -> Head:
    """Return the head of a batch whose columns are fixed or variable, none of them nested.

    With `positions` the first column is POSITION.
    """
    # Of one row, since a flatbuffer leaves out what is 0.
    columns = [pa.nulls(1, field.type) for field in schema]
    message = pa.RecordBatch.from_arrays(columns, schema=schema).serialize().to_pybytes()
    (metadata_bytes,) = struct.unpack_from("<i", message, 4)
    head = bytearray(message[: _PREFIX_BYTES + metadata_bytes])
    head += bytes(-len(head) % 64)
    struct.pack_into("<i", head, 4, len(head) - _PREFIX_BYTES)
    root = _pointed(head, _PREFIX_BYTES)
    batch = _pointed(head, _field(head, root, _MESSAGE_HEADER))
    nodes = _pointed(head, _field(head, batch, _BATCH_NODES)) + 4
    buffers = _pointed(head, _field(head, batch, _BATCH_BUFFERS)) + 4
    for first, last in ((nodes, nodes + 16 * len(columns)), (buffers, _end(head, buffers))):
        head[first:last] = bytes(last - first)
    return Head(
        np.frombuffer(bytes(head), np.int64),
        _field(head, batch, _BATCH_LENGTH),
        _field(head, root, _MESSAGE_BODY_LENGTH),
        nodes,
        buffers,
        positions,
    )


def _pointed(head: bytearray, at: int) -> int:
    """Return the place that an offset points at."""
    (offset,) = struct.unpack_from("<I", head, at)
    return at + int(offset)


def _field(head: bytearray, table: int, number: int) -> int:
    """Return the place of a field of a table."""
    (behind,) = struct.unpack_from("<i", head, table)
    (offset,) = struct.unpack_from("<H", head, table - behind + 4 + 2 * number)
    return table + int(offset)


def _end(head: bytearray, buffers: int) -> int:
    """Return the end of a vector of buffers."""
    (count,) = struct.unpack_from("<I", head, buffers - 4)
    return buffers + 16 * int(count)
