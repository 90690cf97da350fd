"""The files of the log: `log/<first LSN, 20 digits>.log`, each named by the LSN it opens with.

Invariants: the number in a file's name is its identity everywhere in the process; names rise with
the log; a handle stays open until `close`, so readers in any thread may `pread` at any time.
"""

import threading
from pathlib import Path

from sluiceway.warehouse.disk import Disk, ReadFile

SUFFIX = ".log"
OUTLINE_SUFFIX = ".outline"


class LogFiles:
    """Finds log files and keeps read handles open."""

    def __init__(self, disk: Disk, folder: Path) -> None:
        self.disk = disk
        self.folder = folder
        self._handles: dict[int, ReadFile] = {}
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
                handle = self._handles[file] = self.disk.open_read(self.path(file))
            return handle

    def remove(self, file: int) -> None:
        """Unlink a log file that nobody needs, its outline first."""
        with self._mutex:
            handle = self._handles.pop(file, None)
        if handle is not None:
            handle.close()
        self.disk.unlink(self.outline_path(file))
        self.disk.unlink(self.path(file))

    def close(self) -> None:
        """Close all handles."""
        with self._mutex:
            for handle in self._handles.values():
                handle.close()
            self._handles.clear()
