"""The files of the log: `log/<first LSN, 20 digits>.log`, each named by the LSN it opens with.

Invariants: the number in a file's name is its identity everywhere in the process; names rise with
the log; a handle stays open for whoever holds it, so readers in any thread may `pread` at any time,
also while the file is removed. A removed file is answered with GoneError. Parts of a file may read
as zeros once no stream may ask for them (`punch`).
"""

import threading
from collections.abc import Sequence
from pathlib import Path

from sluiceway.catalog import GoneError
from sluiceway.warehouse.disk import Disk, ReadFile

SUFFIX = ".log"
OUTLINE_SUFFIX = ".outline"


class LogFiles:
    """Finds log files and keeps read handles open."""

    def __init__(self, disk: Disk, folder: Path) -> None:
        self.disk = disk
        self.folder = folder
        self._handles: dict[int, ReadFile] = {}
        self._first_kept = 0
        self.removed_bytes = self.punched_bytes = 0
        self._mutex = threading.Lock()

    def path(self, file: int) -> Path:
        """The path of the log file that opens with LSN `file`."""
        return self.folder / f"{file:020d}{SUFFIX}"

    def outline_path(self, file: int) -> Path:
        """The path of the outline of a log file."""
        return self.folder / f"{file:020d}{OUTLINE_SUFFIX}"

    def numbers(self) -> list[int]:
        """The first LSNs of all log files, rising."""
        stems = (name.removesuffix(SUFFIX) for name in self.disk.list(self.folder))
        return sorted(int(stem) for stem in stems if len(stem) == 20 and stem.isdecimal())

    def handle(self, file: int) -> ReadFile:
        """A read handle, opened once."""
        with self._mutex:
            handle = self._handles.get(file)
            if handle is None:
                if file < self._first_kept:
                    raise GoneError(
                        f"the log before LSN {self._first_kept} is no longer kept: read a "
                        "snapshot first"
                    )
                handle = self._handles[file] = self._open(file)
            return handle

    def _open(self, file: int) -> ReadFile:
        try:
            return self.disk.open_read(self.path(file))
        except FileNotFoundError as error:
            # Files of the log go by retention alone, in this process or in the one that writes.
            raise GoneError(
                f"{self.path(file)} is no longer kept: read a snapshot first"
            ) from error

    def forget(self, first: int) -> None:
        """Let go of the files before `first`, which another process removes."""
        with self._mutex:
            self._first_kept = max(self._first_kept, first)
            for file in [file for file in self._handles if file < first]:
                del self._handles[file]

    def remove(self, file: int) -> None:
        """Unlink a log file that nobody needs, its outline first.

        The handle is forgotten, not closed: a reader in the middle of the file finishes.
        """
        with self._mutex:
            self._handles.pop(file, None)
        self.disk.unlink(self.outline_path(file))
        self.disk.unlink(self.path(file))

    def remove_before(self, first: int) -> None:
        """Unlink the files before `first`, oldest first, each durably."""
        for file in self.numbers():
            if file >= first:
                break
            size_bytes = self.handle(file).size()
            with self._mutex:
                self._first_kept = file + 1
            self.remove(file)
            # A gap in the log would be corruption: the name goes before the next one does.
            self.disk.sync_folder(self.folder)
            self.removed_bytes += size_bytes

    def punch(self, file: int, ranges: Sequence[tuple[int, int]]) -> None:
        """Give the room of parts of a file back that nobody wants any more."""
        self.disk.punch(self.path(file), ranges)
        self.punched_bytes += sum(length for _, length in ranges)

    def close(self) -> None:
        """Close all handles."""
        with self._mutex:
            for handle in self._handles.values():
                handle.close()
            self._handles.clear()
