"""The disk: the one place where the warehouse touches durable storage.

Invariants:
* `replace` is the only function that renames, and the only way a file gets its final name in one
  step: write → fsync → rename → fsync of the folder. A file with a name is whole. What cannot be
  written whole is removed at once, lest it take the room that is short.
* Appended bytes are durable only after `AppendFile.fdatasync` returned. If it raises, nobody may
  go on: the kernel may have dropped the dirty pages, so the process calls `stop` and recovers.
* A new file's name is durable only after `sync_folder` of its folder.
"""

import ctypes
import errno
import fcntl
import mmap
import os
import shutil
import sys
import uuid
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn, Protocol, TypeAlias

from sluiceway.catalog import DiskFullError, SluicewayError, UnavailableError

Piece: TypeAlias = bytes | memoryview

_PIECES_MAX = 512  # below every IOV_MAX
EXIT_STOPPED = 70

_libc = ctypes.CDLL(None, use_errno=True)
_libc.fallocate.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]
_KEEP_SIZE, _PUNCH_HOLE = 1, 2


class AppendFile(Protocol):
    """A file that only grows."""

    def write(self, pieces: Sequence[Piece]) -> None:
        """Append all bytes of all pieces, or raise OSError with an unknown part of them written."""

    def fdatasync(self) -> None:
        """Return once everything written so far is on disk."""

    def close(self) -> None:
        """Close the file; says nothing about durability."""


class ReadFile(Protocol):
    """A file open for positioned reads from any thread."""

    def pread(self, offset: int, length: int) -> bytes:
        """Read up to `length` bytes at `offset`; fewer only at the end of the file."""

    def size(self) -> int:
        """The present size in bytes."""

    def close(self) -> None:
        """Close the file."""


class Lock(Protocol):
    """A lock file held by this process; the kernel drops it when the process dies."""

    def write(self, text: str) -> None:
        """Replace the content of the lock file, for people and other processes to read."""

    def close(self) -> None:
        """Empty the lock file and drop the lock."""


class Disk(Protocol):
    """Every effect on durable storage. Crash tests pass one that lies."""

    def open_append(self, path: Path) -> AppendFile:
        """Create a new file; FileExistsError if the name is taken."""

    def open_read(self, path: Path) -> ReadFile:
        """Open a file for positioned reads."""

    def read(self, path: Path) -> bytes:
        """Read a whole file."""

    def rewrite(self, path: Path, offset: int, data: bytes) -> None:
        """Write the same bytes again in place and sync them: makes a doubtful tail durable."""

    def punch(self, path: Path, ranges: Sequence[tuple[int, int]]) -> None:
        """Give the room of some (offset, length) back, in whole blocks; it reads as zeros then.

        Nobody may want those bytes: a crash may leave any of them as they were.
        """

    def replace(self, path: Path, pieces: Sequence[Piece]) -> None:
        """Give `path` this content in one durable step."""

    def map_readonly(self, path: Path) -> memoryview:
        """Map a file that never changes."""

    def list(self, path: Path) -> list[str]:
        """Names in a folder, sorted; empty if there is no such folder."""

    def exists(self, path: Path) -> bool:
        """Whether the name exists."""

    def unlink(self, path: Path) -> None:
        """Remove a file; no error if it is gone."""

    def mkdir(self, path: Path) -> None:
        """Create a folder and its parents durably; no error if it exists."""

    def sync_folder(self, path: Path) -> None:
        """Make the names in a folder durable."""

    def lock(self, path: Path) -> Lock | None:
        """Lock a file for this process; None if another process holds it."""

    def free_bytes(self, path: Path) -> int:
        """Bytes that can still be written below `path`."""

    def stop(self, reason: str) -> NoReturn:
        """End the process at once: its memory and its disk may disagree."""


def disk_error(what: str, error: OSError) -> SluicewayError:
    """An error of the disk where nothing was lost, in the words of the catalog's classes."""
    if is_full(error):
        return DiskFullError(f"{what}: the disk is full: free some space and try again")
    return UnavailableError(f"{what}: {error}")


def is_full(error: OSError) -> bool:
    """Tell whether an error says that there is no room."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


def _write_all(fd: int, pieces: Sequence[Piece]) -> None:
    left = [memoryview(piece).cast("B") for piece in pieces if len(piece)]
    while left:
        written = os.writev(fd, left[:_PIECES_MAX])
        if written == 0:
            raise OSError(errno.EIO, "the file system wrote nothing")
        done = 0
        while done < len(left) and written >= len(left[done]):
            written -= len(left[done])
            done += 1
        left = left[done:]
        if written:
            left[0] = left[0][written:]


class _RealAppendFile:
    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND, 0o644)

    def write(self, pieces: Sequence[Piece]) -> None:
        _write_all(self._fd, pieces)

    def fdatasync(self) -> None:
        os.fdatasync(self._fd)

    def close(self) -> None:
        os.close(self._fd)


class _RealReadFile:
    """Closes its descriptor when it is closed or nobody holds it any more."""

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_RDONLY)
        self._closer = weakref.finalize(self, os.close, self._fd)

    def pread(self, offset: int, length: int) -> bytes:
        data = os.pread(self._fd, length, offset)
        while 0 < len(data) < length:
            more = os.pread(self._fd, length - len(data), offset + len(data))
            if not more:
                break
            data += more
        return data

    def size(self) -> int:
        return os.fstat(self._fd).st_size

    def close(self) -> None:
        self._closer()


class _RealLock:
    def __init__(self, fd: int) -> None:
        self._fd = fd

    def write(self, text: str) -> None:
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, text.encode(), 0)

    def close(self) -> None:
        os.ftruncate(self._fd, 0)
        os.close(self._fd)


class RealDisk:
    """The disk of this machine."""

    def open_append(self, path: Path) -> AppendFile:
        return _RealAppendFile(path)

    def open_read(self, path: Path) -> ReadFile:
        return _RealReadFile(path)

    def read(self, path: Path) -> bytes:
        return path.read_bytes()

    def rewrite(self, path: Path, offset: int, data: bytes) -> None:
        fd = os.open(path, os.O_WRONLY)
        try:
            view = memoryview(data)
            while view:
                written = os.pwrite(fd, view, offset)
                offset, view = offset + written, view[written:]
            os.fdatasync(fd)
        finally:
            os.close(fd)

    def punch(self, path: Path, ranges: Sequence[tuple[int, int]]) -> None:
        fd = os.open(path, os.O_WRONLY)
        try:
            for offset, length in ranges:
                if _libc.fallocate(fd, _PUNCH_HOLE | _KEEP_SIZE, offset, length):
                    number = ctypes.get_errno()
                    if number == errno.EOPNOTSUPP:
                        return  # a file system without holes gives nothing back
                    raise OSError(number, os.strerror(number), str(path))
        finally:
            os.close(fd)

    def replace(self, path: Path, pieces: Sequence[Piece]) -> None:
        fresh = path.with_name(path.name + ".new")
        fd = os.open(fresh, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o644)
        try:
            _write_all(fd, pieces)
            os.fsync(fd)
        except OSError:
            fresh.unlink()
            raise
        finally:
            os.close(fd)
        os.rename(fresh, path)
        self.sync_folder(path.parent)

    def map_readonly(self, path: Path) -> memoryview:
        with open(path, "rb") as file:
            return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))

    def list(self, path: Path) -> list[str]:
        return sorted(os.listdir(path)) if path.is_dir() else []

    def exists(self, path: Path) -> bool:
        return path.exists()

    def unlink(self, path: Path) -> None:
        path.unlink(missing_ok=True)

    def mkdir(self, path: Path) -> None:
        if path.is_dir():
            return
        self.mkdir(path.parent)
        path.mkdir(exist_ok=True)
        self.sync_folder(path.parent)

    def sync_folder(self, path: Path) -> None:
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def lock(self, path: Path) -> Lock | None:
        fd = os.open(path, os.O_CREAT | os.O_RDWR, 0o644)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            return None
        return _RealLock(fd)

    def free_bytes(self, path: Path) -> int:
        usage = os.statvfs(path)
        return usage.f_bavail * usage.f_frsize

    def stop(self, reason: str) -> NoReturn:
        sys.stderr.write(f"sluiceway stops: {reason}\n")
        sys.stderr.flush()
        os._exit(EXIT_STOPPED)


_SHARED_MEMORY = Path("/dev/shm")
_OWNER_FILE = "owner"


class RunFolder:
    """A folder for mapped memory, locked for as long as the process lives.

    The lock, not a process id, tells a folder in use from one that a dead process left: processes
    in different containers may share the tmpfs.
    """

    def __init__(self, path: Path) -> None:
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
        self.path = path
        self._fd = os.open(path / _OWNER_FILE, os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(self._fd, fcntl.LOCK_EX)

    def close(self) -> None:
        """Unlink everything; maps that are still in use keep their pages until they close."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._fd)


def run_path(data: Path, warehouse: uuid.UUID, chosen: Path | None, least_bytes: int) -> Path:
    """Where mutable memory lives: below `chosen`, else tmpfs when that is free, else `data`.

    Only the holder of the data folder's lock calls this, so whatever an earlier process left
    under the same warehouse UUID is garbage and is removed first.
    """
    if chosen is not None:
        return chosen / f"sluiceway-{warehouse}"
    if _SHARED_MEMORY.is_dir():
        for folder in _SHARED_MEMORY.glob("sluiceway-*"):
            if folder.name.startswith(f"sluiceway-{warehouse}-") or _is_abandoned(folder):
                shutil.rmtree(folder, ignore_errors=True)
        usage = os.statvfs(_SHARED_MEMORY)
        if usage.f_bavail * usage.f_frsize >= least_bytes:
            return _SHARED_MEMORY / f"sluiceway-{warehouse}-{os.getpid()}"
    return data / "run"


def remove_run(folder: Path, retire: Callable[[Path], None]) -> None:
    """Retire and remove the run folder of a process that is dead, wherever that one had it."""
    if _is_abandoned(folder):
        retire(folder)
        shutil.rmtree(folder, ignore_errors=True)


def _is_abandoned(folder: Path) -> bool:
    """Whether nobody holds the lock of a run folder; one that has none yet is being made."""
    try:
        fd = os.open(folder / _OWNER_FILE, os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except BlockingIOError:
        return False
    finally:
        os.close(fd)


def process_id() -> int:
    """The id of this process."""
    return os.getpid()
