"""The first 64 bytes of every file on disk.

| offset | type | field |
|---|---|---|
| 0 | 4 bytes | magic `SLWY` |
| 4 | 4 bytes | kind: `LOG1`, `OUT1`, `MAN1`, `SEG1`, `MRK1`, `PCK1` |
| 8 | u32, u32 | format version (1), feature flags (0) |
| 16 | 16 bytes | warehouse UUID |
| 32 | u32, u32 | timeline, log id |
| 40 | u64 | incarnation |
| 48 | u32, u32 | cipher (0 = none), key id (0) |
| 56 | u64 | XXH3-64 of the 56 bytes before |

Invariant: a file whose header does not decode is damaged or was never finished; a file of another
warehouse is refused by name, never read.
"""

import struct
import uuid
from dataclasses import dataclass

import xxhash

from sluiceway.catalog import CorruptionError

HEADER_BYTES = 64
FORMAT_VERSION = 1
MAGIC = b"SLWY"
LOG, OUTLINE, MANIFEST = b"LOG1", b"OUT1", b"MAN1"
SEGMENT, MARKS, PACK = b"SEG1", b"MRK1", b"PCK1"

_STRUCT = struct.Struct("<4s4sII16sIIQIIQ")
assert _STRUCT.size == HEADER_BYTES


@dataclass(frozen=True)
class Identity:
    """Which log this is: the constant part of an external position."""

    warehouse: uuid.UUID
    timeline: int
    log_id: int


@dataclass(frozen=True)
class FileHeader:
    """What a file says about itself before its content."""

    kind: bytes
    identity: Identity
    incarnation: int

    def encode(self) -> bytes:
        """The 64 bytes."""
        me = self.identity
        body = _STRUCT.pack(
            MAGIC, self.kind, FORMAT_VERSION, 0, me.warehouse.bytes, me.timeline, me.log_id,
            self.incarnation, 0, 0, 0,
        )[:-8]  # fmt: skip
        return body + xxhash.xxh3_64_intdigest(body).to_bytes(8, "little")


def decode_header(data: bytes, kind: bytes, name: str) -> FileHeader:
    """Read a header, or raise CorruptionError that names the file and what is wrong."""
    if len(data) < HEADER_BYTES:
        raise CorruptionError(f"{name}: {len(data)} bytes, shorter than a file header")
    fields = _STRUCT.unpack(data[:HEADER_BYTES])
    magic, found, version, flags, warehouse, timeline, log_id, incarnation, cipher, _, checksum = (
        fields
    )
    if xxhash.xxh3_64_intdigest(data[: HEADER_BYTES - 8]) != checksum:
        raise CorruptionError(f"{name}: the checksum of the file header is wrong")
    if magic != MAGIC or found != kind:
        raise CorruptionError(f"{name}: holds {magic + found!r} where {MAGIC + kind!r} belongs")
    if version != FORMAT_VERSION or flags or cipher:
        raise CorruptionError(
            f"{name}: format version {version}, flags {flags}, cipher {cipher}; this release reads "
            f"version {FORMAT_VERSION} without flags: open it with the release that wrote it"
        )
    return FileHeader(found, Identity(uuid.UUID(bytes=warehouse), timeline, log_id), incarnation)


def check_identity(header: FileHeader, expected: Identity, name: str) -> None:
    """Refuse a file that belongs to another warehouse, timeline or log."""
    if header.identity != expected:
        raise CorruptionError(f"{name}: belongs to {header.identity}, not to {expected}")
