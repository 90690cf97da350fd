"""The bytes of a log record: header, directory of parts, part bodies. Pure.

Record = header (128 bytes) + `parts` × directory entry (112 bytes) + bodies padded to 8 bytes.

| header offset | type | field |
|---|---|---|
| 0 | u32, u16, u16 | magic `SLWL`, record version, kind |
| 8 | u64 | record length |
| 16 | u64, u64 | first LSN, commit LSN |
| 32 | u64 | commit time, µs |
| 40 | u64 | durable_through |
| 48 | u64 | checksum of the previous record's header, 0 at the start of a file |
| 56 | u64, u32, u32 | writer id, writer epoch, part count |
| 72 | u64, u64 | writer sequence, transaction id |
| 88 | 24 bytes | 0 |
| 112 | u64 | checksum of the directory |
| 120 | u64 | checksum of the 120 bytes before |

The directory entry is `ENTRY` below, field by field; its offsets are asserted. Invariants: an
entry's body lies inside its record; a decoder given any bytes returns a value or raises
CorruptionError, nothing else.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import xxhash

from sluiceway.catalog import CorruptionError, partition_and_shard, unit_of

RECORD_MAGIC = 0x4C574C53
MAGIC_BYTES = RECORD_MAGIC.to_bytes(4, "little")
RECORD_VERSION = 1
RECORD_HEADER_BYTES = 128
ENTRY_BYTES = 112
ARROW_IPC = 1
LSN_MAX = 2**63 - 1
_PARTS_MAX = 1 << 24

_HEADER = struct.Struct("<IHHQQQQQQQIIQQ24xQQ")
assert _HEADER.size == RECORD_HEADER_BYTES

ENTRY = np.dtype(
    [
        ("table", "<u4"),
        ("generation", "<u4"),
        ("partition", "<u4"),
        ("shard", "<u4"),
        ("shard_map", "<u4"),
        ("schema_version", "<u4"),
        ("kind", "<u2"),
        ("encoding", "<u2"),
        ("codec", "<u2"),
        ("before_encoding", "<u2"),
        ("first_lsn", "<u8"),
        ("rows", "<u4"),
        ("events", "<u4"),
        ("offset", "<u8"),
        ("length", "<u8"),
        ("checksum", "<u8"),
        ("external", "<u8"),
        ("positions_bytes", "<u4"),
        ("kinds_bytes", "<u4"),
        ("after_bytes", "<u8"),
        ("before_bytes", "<u8"),
        ("zero", "<u8"),
    ]
)
assert ENTRY.itemsize == ENTRY_BYTES and ENTRY.fields is not None
assert ENTRY.fields["first_lsn"][1] == 32 and ENTRY.fields["offset"][1] == 48
Entries: TypeAlias = npt.NDArray[np.void]


class RecordKind(IntEnum):
    """What a record does."""

    COMMIT = 1
    DDL = 2
    STAGE = 3
    COMMIT_STAGED = 4
    ABORT = 5
    HOLD = 6


_KINDS = frozenset(map(int, RecordKind))


class PartKind(IntEnum):
    """What a part of a record holds."""

    ROWS = 1
    RESET = 2
    EXPIRE = 4
    JSON = 5
    MOVE = 6
    STAGED = 7


class Part(NamedTuple):
    """One part before it is written: where it belongs and its four pieces."""

    table: int
    generation: int
    unit: int
    schema_version: int
    kind: PartKind
    first_lsn: int
    rows: int
    events: int
    pieces: tuple[bytes | memoryview, bytes | memoryview, bytes | memoryview, bytes | memoryview]


def json_part(text: bytes) -> Part:
    """A part that is one JSON document and belongs to no shard."""
    return Part(0, 0, 0, 0, PartKind.JSON, 0, 0, 0, (b"", b"", text, b""))


@dataclass(frozen=True, slots=True)
class RecordHeader:
    """The header of a record; `length_bytes` and the checksums follow from the content."""

    kind: RecordKind
    length_bytes: int
    first_lsn: int
    commit_lsn: int
    time_us: int
    durable_through: int
    previous: int
    parts: int
    directory_checksum: int
    checksum: int = 0
    writer_id: int = 0
    writer_epoch: int = 0
    writer_sequence: int = 0
    transaction: int = 0


def units(entries: Entries) -> list[int]:
    """The unit of each part."""
    pairs = zip(entries["partition"].tolist(), entries["shard"].tolist(), strict=True)
    return [unit_of(*pair) for pair in pairs]


def _padding(length: int) -> bytes:
    return bytes(-length % 8)


def _body(part: Part) -> tuple[list[bytes | memoryview], int, int]:
    """The padded pieces of a part, their length and checksum."""
    digest = xxhash.xxh3_64()
    pieces: list[bytes | memoryview] = []
    length = 0
    for piece in part.pieces:
        if not len(piece):
            continue
        padding = _padding(len(piece))
        digest.update(piece)
        digest.update(padding)
        pieces += (piece, padding)
        length += len(piece) + len(padding)
    return pieces, length, digest.intdigest()


def encode_record(
    kind: RecordKind,
    *,
    first_lsn: int,
    commit_lsn: int,
    time_us: int,
    durable_through: int,
    previous: int,
    parts: Sequence[Part],
) -> tuple[RecordHeader, Entries, list[bytes | memoryview]]:
    """The header, the directory, and all bytes of a record in pieces that are not copied."""
    entries = np.zeros(len(parts), ENTRY)
    bodies: list[bytes | memoryview] = []
    offset = RECORD_HEADER_BYTES + ENTRY_BYTES * len(parts)
    for number, part in enumerate(parts):
        pieces, length, checksum = _body(part)
        sizes = [len(piece) for piece in part.pieces]
        entries[number] = (
            part.table, part.generation, *partition_and_shard(part.unit), 0,
            part.schema_version, part.kind,
            ARROW_IPC, 0, ARROW_IPC, part.first_lsn, part.rows, part.events, offset, length,
            checksum, 0, *sizes, 0,
        )  # fmt: skip
        bodies += pieces
        offset += length
    directory = entries.tobytes()
    packed = _HEADER.pack(
        RECORD_MAGIC, RECORD_VERSION, kind, offset, first_lsn, commit_lsn, time_us,
        durable_through, previous, 0, 0, len(parts), 0, 0,
        xxhash.xxh3_64_intdigest(directory), 0,
    )[:-8]  # fmt: skip
    checksum = xxhash.xxh3_64_intdigest(packed)
    header = RecordHeader(
        kind, offset, first_lsn, commit_lsn, time_us, durable_through, previous, len(parts),
        xxhash.xxh3_64_intdigest(directory), checksum,
    )  # fmt: skip
    return header, entries, [packed + checksum.to_bytes(8, "little"), directory, *bodies]


def decode_record_header(data: bytes) -> RecordHeader:
    """Read and verify a record header, or raise CorruptionError that says what is wrong."""
    if len(data) < RECORD_HEADER_BYTES:
        raise CorruptionError(f"{len(data)} bytes are shorter than a record header")
    data = data[:RECORD_HEADER_BYTES]
    fields = _HEADER.unpack(data)
    magic, version, kind, length, first, commit, time_us, durable, previous = fields[:9]
    writer_id, writer_epoch, parts, sequence, transaction, directory, checksum = fields[9:]
    if magic != RECORD_MAGIC:
        raise CorruptionError(f"magic {magic:#x} is not that of a record")
    if xxhash.xxh3_64_intdigest(data[:-8]) != checksum:
        raise CorruptionError("the checksum of the record header is wrong")
    if version != RECORD_VERSION or kind not in _KINDS:
        raise CorruptionError(f"record version {version} kind {kind} is unknown to this release")
    least = RECORD_HEADER_BYTES + ENTRY_BYTES * parts
    if parts > _PARTS_MAX or length < least or length % 8 or not 0 < first <= commit <= LSN_MAX:
        raise CorruptionError(f"impossible record: {length} bytes, LSN {first} to {commit}")
    return RecordHeader(
        RecordKind(kind), length, first, commit, time_us, durable, previous, parts, directory,
        checksum, writer_id, writer_epoch, sequence, transaction,
    )  # fmt: skip


def decode_directory(header: RecordHeader, data: bytes) -> Entries:
    """Read and verify the directory of a record."""
    if len(data) < ENTRY_BYTES * header.parts:
        raise CorruptionError("the directory of the record is cut off")
    data = data[: ENTRY_BYTES * header.parts]
    if xxhash.xxh3_64_intdigest(data) != header.directory_checksum:
        raise CorruptionError("the checksum of the record's directory is wrong")
    entries: Entries = np.frombuffer(data, ENTRY)
    least = RECORD_HEADER_BYTES + ENTRY_BYTES * header.parts
    places = zip(entries["offset"].tolist(), entries["length"].tolist(), strict=True)
    if not all(least <= at and at + length <= header.length_bytes for at, length in places):
        raise CorruptionError("a part of the record lies outside of it")
    return entries


def split_body(entry: Any, body: bytes | memoryview) -> tuple[memoryview, ...]:
    """Verify the body of a part and cut it into positions, kinds, after and before."""
    if len(body) != entry["length"] or xxhash.xxh3_64_intdigest(body) != entry["checksum"]:
        raise CorruptionError(
            f"the checksum of the part of table {entry['table']} shard {entry['shard']} at LSN "
            f"{entry['first_lsn']} is wrong"
        )
    view, at, pieces = memoryview(body), 0, []
    for name in ("positions_bytes", "kinds_bytes", "after_bytes", "before_bytes"):
        size = int(entry[name])
        if at + size > len(view):
            raise CorruptionError(f"the pieces of the part at LSN {entry['first_lsn']} overlap")
        pieces.append(view[at : at + size])
        at += size + (-size % 8)
    return tuple(pieces)
