"""Reads the log behind the process that writes it, record by record, up to what is published.

Invariants: nothing above the LSN that the caller gives is read, so every record taken is durable
and shown; records come in order, each once, also across files that other processes began later.
What stands between the last published record of a file and the next file is a torn tail, which a
file that the present incarnation writes has not got (`seam.py` tells of the others).
"""

from __future__ import annotations

from collections.abc import Iterator

from sluiceway.catalog import CorruptionError, GoneError
from sluiceway.warehouse.header import HEADER_BYTES, LOG, decode_header
from sluiceway.warehouse.log.files import LogFiles
from sluiceway.warehouse.log.format import (
    ENTRY_BYTES,
    RECORD_HEADER_BYTES,
    Entries,
    RecordHeader,
    decode_directory,
    decode_record_header,
)
from sluiceway.warehouse.log.seam import OPEN_END, end_of
from sluiceway.warehouse.log.writer import Located

_PEEK_BYTES = 4096


class LogFollower:
    """A place in the log that only moves forward; used by one thread at a time."""

    def __init__(self, files: LogFiles) -> None:
        self._files = files
        self._file = 0
        self._offset = HEADER_BYTES
        self._previous = 0
        self._incarnation = 0
        self._end = OPEN_END
        self.lsn = 0
        self.oldest = 1

    def read_to(self, lsn: int, incarnation: int) -> Iterator[Located]:
        """Yield the records after the last one up to `lsn`, which an incarnation published."""
        while self.lsn < lsn:
            located = self._record(lsn, incarnation) if self._file else None
            if located is not None:
                self._accept(located)
                yield located
            elif not self._next_file():
                raise CorruptionError(
                    f"{self._files.path(self._file)} offset {self._offset}: the log ends at LSN "
                    f"{self.lsn}, published is {lsn}"
                )

    def _record(self, lsn: int, incarnation: int) -> Located | None:
        """Return the record at the present place; None if none was published there."""
        try:
            handle = self._files.handle(self._file)
        except GoneError:
            if self.lsn:
                raise
            return None  # the oldest file went between its listing and now
        peek = handle.pread(self._offset, _PEEK_BYTES)
        try:
            header = decode_record_header(peek)
        except CorruptionError:
            return None
        if header.previous != self._previous or header.commit_lsn > lsn:
            return None
        if self._incarnation != incarnation and self._is_torn(header):
            return None
        need = RECORD_HEADER_BYTES + ENTRY_BYTES * header.parts
        if need > len(peek):
            peek = handle.pread(self._offset, need)
        entries = self._entries(header, peek[RECORD_HEADER_BYTES:need])
        return Located(self._file, self._offset, header, entries)

    def _is_torn(self, header: RecordHeader) -> bool:
        """Tell whether a later file begins before the record's LSN."""
        if self._end == OPEN_END:
            self._end = end_of(self._files, self._file)
        return header.commit_lsn > self._end

    def _entries(self, header: RecordHeader, directory: bytes) -> Entries:
        try:
            return decode_directory(header, directory)
        except CorruptionError as error:
            where = f"{self._files.path(self._file)} offset {self._offset}"
            raise CorruptionError(f"{where}: {error}") from error

    def _accept(self, located: Located) -> None:
        header = located.header
        if self.lsn == 0:
            self.oldest = header.first_lsn if header.durable_through else 1
        elif header.durable_through > self.lsn:
            raise CorruptionError(
                f"{self._files.path(located.file)} offset {located.offset} follows LSN "
                f"{header.durable_through}, not {self.lsn}: what lies between was removed"
            )
        self.lsn = header.commit_lsn
        self._offset += header.length_bytes
        self._previous = header.checksum

    def _next_file(self) -> bool:
        later = [number for number in self._files.numbers() if number > self._file]
        if not later:
            return False
        self._file, self._offset, self._previous = later[0], HEADER_BYTES, 0
        self._incarnation, self._end = self._written_by(later[0]), OPEN_END
        return True

    def _written_by(self, file: int) -> int:
        """Return the incarnation that wrote a file, 0 if that cannot be told."""
        try:
            head = self._files.handle(file).pread(0, HEADER_BYTES)
            return decode_header(head, LOG, str(self._files.path(file))).incarnation
        except (CorruptionError, GoneError):
            return 0
