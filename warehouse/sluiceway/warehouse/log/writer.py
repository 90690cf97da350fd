"""Appends records: one write and one fdatasync each.

Invariants:
* Only the committer calls it. When `append` returns, the record is on disk.
* A commit for which there is no room is refused before anything of it is applied or written.
* If writing or syncing a record fails, nobody can know what is on disk: `disk.stop` ends the
  process and recovery decides. So at most one record, the last, is ever in doubt.
* `durable_through` of a record is the commit LSN of the one before: a later record with a higher
  value than recovery has seen proves that something is missing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sluiceway.catalog import DiskFullError, UnavailableError
from sluiceway.warehouse.disk import AppendFile, disk_error, is_full
from sluiceway.warehouse.header import HEADER_BYTES, LOG, FileHeader, Identity
from sluiceway.warehouse.log.files import LogFiles
from sluiceway.warehouse.log.format import (
    Entries,
    Part,
    RecordHeader,
    RecordKind,
    encode_record,
)

FREE_MIN_BYTES = 64 << 20


@dataclass(frozen=True)
class Located:
    """A record and where it lies."""

    file: int
    offset: int
    header: RecordHeader
    entries: Entries


@dataclass(frozen=True)
class LogStats:
    """What the log holds, and how often this process synced it.

    `records` counts those that were removed since the start too.
    """

    files: int
    bytes: int
    records: int
    fsyncs: int
    last_lsn: int


class LogWriter:
    """The end of the log."""

    def __init__(
        self,
        files: LogFiles,
        identity: Identity,
        incarnation: int,
        *,
        file_bytes: int,
        last_lsn: int,
        log_bytes: int = 0,
        records: int = 0,
    ) -> None:
        self._files = files
        self._header = FileHeader(LOG, identity, incarnation).encode()
        self._file_bytes = file_bytes
        self._last_lsn = last_lsn
        self._bytes = log_bytes
        self._records = records
        self._fsyncs = 0
        self._file: AppendFile | None = None
        self._number = 0
        self._size = 0
        self._previous = 0
        self._stopped = False

    def open_file(self, first_lsn: int) -> None:
        """Begin a new file; its header and name are durable on return.

        If there is no room for it, nothing is left of it and the file before stays open.
        """
        disk, path = self._files.disk, self._files.path(first_lsn)
        file = disk.open_append(path)
        try:
            file.write([self._header])
        except OSError as error:
            file.close()
            if is_full(error):
                disk.unlink(path)
            raise
        file.fdatasync()
        disk.sync_folder(self._files.folder)
        self.close()
        self._file, self._number = file, first_lsn
        self._size, self._previous = HEADER_BYTES, 0
        self._bytes += HEADER_BYTES

    def reserve(self, first_lsn: int, payload_bytes: int) -> None:
        """Make room for a commit before anything of it is applied, or raise DiskFullError.

        After and before images take about twice the payload; what is asked for is four times.
        """
        if self._stopped:
            raise UnavailableError("the log was stopped by an error of the disk; start again")
        free = self._files.disk.free_bytes(self._files.folder)
        need = FREE_MIN_BYTES + 4 * payload_bytes
        if free < need:
            raise DiskFullError(
                f"the disk under {self._files.folder} has {free} bytes left and a commit wants "
                f"{need}: free some space and write again; nothing was changed"
            )
        if self._size >= max(self._file_bytes, HEADER_BYTES + 1):
            self._rotate(first_lsn)

    def _rotate(self, first_lsn: int) -> None:
        what = f"cannot open a log file at LSN {first_lsn}"
        try:
            self.open_file(first_lsn)
        except OSError as error:
            if is_full(error):
                raise disk_error(f"{what}; nothing was changed", error) from error
            self._stop(f"{what}: {error}")

    def append(
        self,
        kind: RecordKind,
        first_lsn: int,
        commit_lsn: int,
        time_us: int,
        parts: Sequence[Part],
    ) -> Located:
        """Write one record and return when it is on disk."""
        header, entries, pieces = encode_record(
            kind,
            first_lsn=first_lsn,
            commit_lsn=commit_lsn,
            time_us=time_us,
            durable_through=self._last_lsn,
            previous=self._previous,
            parts=parts,
        )
        assert self._file is not None, "open_file comes first"
        try:
            self._file.write(pieces)
            self._file.fdatasync()
        except OSError as error:
            self._stop(f"cannot write LSN {commit_lsn} to {self._number:020d}.log: {error}")
        located = Located(self._number, self._size, header, entries)
        self._size += header.length_bytes
        self._bytes += header.length_bytes
        self._records += 1
        self._fsyncs += 1
        self._previous = header.checksum
        self._last_lsn = commit_lsn
        return located

    def _stop(self, reason: str) -> None:
        self._stopped = True
        self._files.disk.stop(reason)

    @property
    def total_bytes(self) -> int:
        """Bytes in all files of the log, and in those removed since the start."""
        return self._bytes

    def close(self) -> None:
        """Close the current file; all of it is durable already."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def stats(self) -> LogStats:
        """What the log holds."""
        files = len(self._files.numbers())
        kept_bytes = self._bytes - self._files.removed_bytes
        return LogStats(files, kept_bytes, self._records, self._fsyncs, self._last_lsn)
