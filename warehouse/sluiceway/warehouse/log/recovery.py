"""Reads the whole log at start and decides where it ends.

The last record may be half on disk: a torn tail, which is what an unacknowledged commit leaves. Any
other damage is corruption, and nothing starts. The rule: reading a file stops at its first bad
record. That is a torn tail if
* the file is the last of its incarnation,
* no intact record after it, in this file or a later one, has `durable_through` above the last good
  LSN (such a record proves that something durable is missing), and
* the log reaches the LSN of the manifest.
Recovery writes in a new file, so that a torn tail stays where it is and is judged again: by its
checksums, or by the next file, which follows what was good (`seam.py`).

Headers of finished files come from their outlines where these are good (`outline.py`).

Invariant: the last good record may have been read from a cache that never reached the disk, so it
is written again in place and synced before anyone sees it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sluiceway.catalog import CorruptionError
from sluiceway.warehouse.disk import ReadFile
from sluiceway.warehouse.header import (
    HEADER_BYTES,
    LOG,
    FileHeader,
    Identity,
    check_identity,
    decode_header,
)
from sluiceway.warehouse.log.files import LogFiles
from sluiceway.warehouse.log.format import (
    MAGIC_BYTES,
    RECORD_HEADER_BYTES,
    Entries,
    RecordHeader,
    decode_record_header,
    split_body,
)
from sluiceway.warehouse.log.outline import Pread, decode_outline, read_head
from sluiceway.warehouse.log.seam import end_of
from sluiceway.warehouse.log.writer import Located

_SEARCH_BYTES = 1 << 20


@dataclass(frozen=True)
class Damage:
    """The first bad place of a file."""

    file: int
    offset: int
    incarnation: int | None
    reason: str


class LogScan:
    """One pass over the log; iterate once, then read the attributes."""

    def __init__(self, files: LogFiles, identity: Identity, manifest_lsn: int) -> None:
        self._files = files
        self._identity = identity
        self._manifest_lsn = manifest_lsn
        self._damage: Damage | None = None
        self._first = True
        self.last: Located | None = None
        self.last_lsn = 0
        self.time_us = 0
        self.incarnation = 0
        self.bytes = 0
        self.records = 0
        self.oldest = 1
        self.empty: list[int] = []
        self.bad_outlines: list[int] = []

    def __iter__(self) -> Iterator[Located]:
        for file in self._files.numbers():
            yield from self._file(file)
        if self.last_lsn < self._manifest_lsn:
            raise self._corruption(
                f"the log ends at LSN {self.last_lsn}, before the checkpoint at "
                f"{self._manifest_lsn}"
            )

    @property
    def next_file(self) -> int:
        """The LSN at which the next file may start: above every LSN and every file name."""
        return max([self.last_lsn, *self._files.numbers()]) + 1

    def settle(self) -> None:
        """Make the last record durable, which an earlier process may not have managed."""
        if self.last is None or self.last.header.commit_lsn <= self._manifest_lsn:
            return
        at, length = self.last.offset, self.last.header.length_bytes
        data = self._files.handle(self.last.file).pread(at, length)
        self._files.disk.rewrite(self._files.path(self.last.file), at, data)

    def _file(self, file: int) -> Iterator[Located]:
        handle = self._files.handle(file)
        size = handle.size()
        self.bytes += size
        if size <= HEADER_BYTES:
            self.empty.append(file)
        header = self._file_header(file, handle, size)
        if header is None:
            return
        offset, previous, at = HEADER_BYTES, 0, 0
        heads, end = self._heads(file, header, size), end_of(self._files, file)
        while offset < size:
            try:
                pread, where = (handle.pread, offset) if heads is None else (heads, at)
                record, entries, head = read_head(pread, where, size - offset, previous)
                if record.commit_lsn > end:
                    raise CorruptionError(f"a later file follows LSN {end}")
                self._verify_bodies(handle, offset, record, entries)
            except CorruptionError as error:
                self._damaged(file, offset, header.incarnation, str(error))
                self._search(file, handle, offset, size)
                return
            self._check_order(file, offset, record)
            located = Located(file, offset, record, entries)
            self._accept(located)
            yield located
            offset += record.length_bytes
            at += len(head)
            previous = record.checksum

    def _file_header(self, file: int, handle: ReadFile, size: int) -> FileHeader | None:
        name = str(self._files.path(file))
        try:
            header = decode_header(handle.pread(0, HEADER_BYTES), LOG, name)
        except CorruptionError as error:
            self._damaged(file, 0, None, str(error))
            self._search(file, handle, 0, size)
            return None
        check_identity(header, self._identity, name)
        damage = self._damage
        if damage is not None and damage.incarnation == header.incarnation:
            raise self._corruption(f"{name} continues the file with the damage")
        self.incarnation = max(self.incarnation, header.incarnation)
        return header

    def _heads(self, file: int, header: FileHeader, size: int) -> Pread | None:
        """Reads from the file's outline, if it has a good one."""
        path = self._files.outline_path(file)
        if not self._files.disk.exists(path):
            return None
        try:
            heads = decode_outline(self._files.disk.read(path), header, size, str(path))
        except CorruptionError:
            self.bad_outlines.append(file)
            return None
        return lambda at, length: heads[at : at + length]

    def _verify_bodies(
        self, handle: ReadFile, offset: int, header: RecordHeader, entries: Entries
    ) -> None:
        if header.commit_lsn > self._manifest_lsn:
            for entry in entries:
                length = int(entry["length"])
                split_body(entry, handle.pread(offset + int(entry["offset"]), length))

    def _check_order(self, file: int, offset: int, record: RecordHeader) -> None:
        if self._first and record.durable_through <= self._manifest_lsn:
            self.last_lsn = record.durable_through
            self.oldest = record.first_lsn if record.durable_through else 1
        if record.durable_through > self.last_lsn:
            what = f"follows LSN {record.durable_through}"
        elif record.first_lsn <= self.last_lsn:
            what = f"goes back to LSN {record.first_lsn}"
        else:
            return
        raise self._corruption(f"{self._files.path(file)} offset {offset} {what}")

    def _accept(self, located: Located) -> None:
        self._first = False
        self.last = located
        self.last_lsn = located.header.commit_lsn
        self.time_us = located.header.time_us
        self.records += 1

    def _damaged(self, file: int, offset: int, incarnation: int | None, reason: str) -> None:
        self._damage = Damage(file, offset, incarnation, reason)

    def _search(self, file: int, handle: ReadFile, offset: int, size: int) -> None:
        """Look for intact records behind a bad one: they tell damage from a torn tail."""
        at = offset + 8
        while at < size:
            chunk = handle.pread(at, _SEARCH_BYTES + RECORD_HEADER_BYTES)
            found = chunk.find(MAGIC_BYTES)
            while 0 <= found < _SEARCH_BYTES:
                if (at + found) % 8 == 0:
                    self._check_behind(file, at + found, chunk[found : found + RECORD_HEADER_BYTES])
                found = chunk.find(MAGIC_BYTES, found + 4)
            at += _SEARCH_BYTES

    def _check_behind(self, file: int, offset: int, data: bytes) -> None:
        try:
            record = decode_record_header(data)
        except CorruptionError:
            return
        if record.durable_through > self.last_lsn:
            raise self._corruption(
                f"{self._files.path(file)} offset {offset} holds the intact LSN {record.first_lsn}"
            )

    def _corruption(self, evidence: str) -> CorruptionError:
        where = "the log is damaged"
        if self._damage is not None:
            damage = self._damage
            where = f"{self._files.path(damage.file)} offset {damage.offset}: {damage.reason}"
        return CorruptionError(
            f"{where}; last good LSN {self.last_lsn}; {evidence}: restore the file from a backup"
        )
