"""The outline of a finished log file: its record headers and directories in one piece.

A start reads outlines instead of every record of every file. `log/<first LSN, 20 digits>.outline`:

| offset | type | field |
|---|---|---|
| 0 | 64 bytes | file header of kind `OUT1`, with the incarnation of the log file |
| 64 | u64 | size of the log file |
| 72 | u64 | XXH3-64 of the size and all that follows here |
| 80 | … | of each record in order: header (128 bytes) and directory (112 bytes a part) |

Invariants: only a file that is good to its last byte and will never grow has an outline; one that
does not decode, or is of another size or incarnation than the log file, counts as missing. So an
outline never decides anything: without it the file itself says the same.
"""

from collections.abc import Callable

import xxhash

from sluiceway.catalog import CorruptionError
from sluiceway.warehouse.header import (
    HEADER_BYTES,
    LOG,
    OUTLINE,
    FileHeader,
    decode_header,
)
from sluiceway.warehouse.log.files import LogFiles
from sluiceway.warehouse.log.format import (
    ENTRY_BYTES,
    RECORD_HEADER_BYTES,
    Entries,
    RecordHeader,
    decode_directory,
    decode_record_header,
)
from sluiceway.warehouse.log.seam import end_of

PEEK_BYTES = 4096
_HEADS_AT = HEADER_BYTES + 16
Pread = Callable[[int, int], bytes]


def read_head(
    pread: Pread, at: int, room_bytes: int, previous: int
) -> tuple[RecordHeader, Entries, bytes]:
    """Header and directory of the record that begins at `at`, verified, and their bytes."""
    peek = pread(at, PEEK_BYTES)
    header = decode_record_header(peek)
    if header.previous != previous:
        raise CorruptionError("the record does not follow the one before it")
    if header.length_bytes > room_bytes:
        raise CorruptionError(f"the record wants {header.length_bytes} bytes; the file ends")
    need = RECORD_HEADER_BYTES + ENTRY_BYTES * header.parts
    if need > len(peek):
        peek = pread(at, need)
    head = peek[:need]
    return header, decode_directory(header, head[RECORD_HEADER_BYTES:]), head


def encode_outline(log_header: FileHeader, log_bytes: int, heads: bytes) -> list[bytes]:
    """The bytes of an outline."""
    header = FileHeader(OUTLINE, log_header.identity, log_header.incarnation).encode()
    size = log_bytes.to_bytes(8, "little")
    return [header, size, _checksum(size + heads), heads]


def decode_outline(data: bytes, log_header: FileHeader, log_bytes: int, name: str) -> bytes:
    """The heads of all records of a log file, or CorruptionError if they are not this file's."""
    header = decode_header(data, OUTLINE, name)
    if header != FileHeader(OUTLINE, log_header.identity, log_header.incarnation):
        raise CorruptionError(f"{name}: is not the outline of the file beside it")
    size, checksum = data[HEADER_BYTES : HEADER_BYTES + 8], data[HEADER_BYTES + 8 : _HEADS_AT]
    heads = data[_HEADS_AT:]
    if _checksum(size + heads) != checksum:
        raise CorruptionError(f"{name}: the checksum of the outline is wrong")
    if int.from_bytes(size, "little") != log_bytes:
        raise CorruptionError(f"{name}: is the outline of a log file of another size")
    return heads


def _checksum(data: bytes) -> bytes:
    return xxhash.xxh3_64_intdigest(data).to_bytes(8, "little")


class Outlines:
    """Writes the outlines of finished log files that have none."""

    def __init__(self, files: LogFiles) -> None:
        self._files = files
        self._seen: set[int] = set()

    def write(self) -> None:
        """Look at each finished file once; a file that is damaged somewhere gets no outline."""
        for file in self._files.numbers()[:-1]:
            path = self._files.outline_path(file)
            if file not in self._seen and not self._files.disk.exists(path):
                pieces = self._outline(file)
                if pieces is not None:
                    self._files.disk.replace(path, pieces)
            self._seen.add(file)

    def _outline(self, file: int) -> list[bytes] | None:
        handle = self._files.handle(file)
        size, at, previous = handle.size(), HEADER_BYTES, 0
        end, heads = end_of(self._files, file), []
        try:
            name = str(self._files.path(file))
            log_header = decode_header(handle.pread(0, HEADER_BYTES), LOG, name)
            while at < size:
                record, _, head = read_head(handle.pread, at, size - at, previous)
                if record.commit_lsn > end:
                    return None
                heads.append(head)
                at += record.length_bytes
                previous = record.checksum
        except CorruptionError:
            return None
        return encode_outline(log_header, size, b"".join(heads))
