"""Mapped memory: the files that hold the mutable tail, the index, `ctl` and `notices`.

Invariants: files are created, mapped and unlinked, never truncated, overwritten or punched, so that
whoever still has one mapped keeps its pages; a fresh page reads as zeros. The files are sparse.
A full tmpfs would be answered by SIGBUS at some store, so pages are reserved before anything is
stored there (`extents.py`), and room among the maps that the kernel allows a process is asked for.
One process creates; others map what it
created, read-only, so that no mistake of theirs can harm it (but for `readers`, where each has a
word of its own).
"""

from __future__ import annotations

import ctypes
import fcntl
import itertools
import mmap
import os
import struct
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from sluiceway.catalog import DiskFullError

from .disk import is_full
from .notices import NOTICES_BYTES, NOTICES_NAME, NoNotices, Notices

# What must be free before anything new is written: index growth and other small files.
HEADROOM_BYTES = 8 << 20
# So much more may be asked for before the file system is looked at again: half of the headroom.
REMEMBERED_BYTES = HEADROOM_BYTES // 2
_MAPS_MAX = Path("/proc/sys/vm/max_map_count")


@dataclass(frozen=True)
class MemoryStats:
    """What a Memory holds; `mapped_bytes` is address space, `used_bytes` real pages, by kind too.

    Kinds are `data` (columns), `side` (marks, `prev`, runs), `index` and the names of single files.
    """

    files: int
    mapped_bytes: int
    used_bytes: int
    used_bytes_by_kind: Mapping[str, int]
    free_bytes: int


_libc = ctypes.CDLL(None, use_errno=True)
_libc.mmap.restype = ctypes.c_void_p
_libc.mmap.argtypes = [
    ctypes.c_void_p,
    ctypes.c_size_t,
    ctypes.c_int,
    ctypes.c_int,
    ctypes.c_int,
    ctypes.c_int64,
]
_libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
_NO_FILE, _NO_INODE = -1, 0
_FAILED = ctypes.c_void_p(-1).value


class _Pages:
    """Mapped pages, unmapped with the last array over them.

    Python's own `mmap` keeps a descriptor a mapping, and a thousand small tables would run out.
    """

    def __init__(self, descriptor: int, size_bytes: int, *, writable: bool) -> None:
        access = mmap.PROT_READ | (mmap.PROT_WRITE if writable else 0)
        kind = mmap.MAP_SHARED | (mmap.MAP_ANONYMOUS if descriptor == _NO_FILE else 0)
        address = _libc.mmap(None, size_bytes, access, kind, descriptor, 0)
        if address == _FAILED:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        self._size_bytes = size_bytes
        self._unmap = _libc.munmap
        self._address = address
        self.__array_interface__ = {
            "data": (address, not writable),
            "shape": (size_bytes,),
            "typestr": "|u1",
            "version": 3,
        }

    def __del__(self) -> None:
        if hasattr(self, "_address"):
            self._unmap(self._address, self._size_bytes)


class Mapped:
    """One mapped file. It stays readable as long as anyone holds `buffer` or a slice of it."""

    def __init__(self, path: Path, pages: _Pages, inode: int) -> None:
        self.path = path
        self.inode = inode
        self.buffer: pa.Buffer = pa.py_buffer(np.asarray(pages))
        self.size_bytes: int = self.buffer.size
        self.address: int = self.buffer.address

    @classmethod
    def create(cls, path: Path, size_bytes: int) -> Mapped:
        """Create a file of zeros and map it."""
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.ftruncate(descriptor, size_bytes)
            pages = _Pages(descriptor, size_bytes, writable=True)
            return cls(path, pages, os.fstat(descriptor).st_ino)
        finally:
            os.close(descriptor)

    @classmethod
    def attach(cls, path: Path, *, writable: bool = False) -> Mapped:
        """Map a file that another process created; FileNotFoundError if it is gone."""
        descriptor = os.open(path, os.O_RDWR if writable else os.O_RDONLY)
        try:
            about = os.fstat(descriptor)
            return cls(path, _Pages(descriptor, about.st_size, writable=writable), about.st_ino)
        finally:
            os.close(descriptor)

    @classmethod
    def private(cls, name: str, size_bytes: int) -> Mapped:
        """Map zeros that have no file; the name is for messages alone."""
        return cls(Path(name), _Pages(_NO_FILE, size_bytes, writable=True), _NO_INODE)

    def reserve(self, ranges: Iterable[tuple[int, int]]) -> None:
        """Have memory for ranges of bytes, so that no store there can fail, or DiskFullError."""
        if self.inode == _NO_INODE:
            return  # pages without a file are the kernel's to give, or to end the process
        descriptor = os.open(self.path, os.O_RDWR)
        try:
            for start, end in ranges:
                os.posix_fallocate(descriptor, start, end - start)
        except OSError as error:
            if not is_full(error):
                raise
            raise DiskFullError(
                f"{self.path.parent} has no memory left for {self.path.name}: enlarge that file "
                "system (containers give /dev/shm 64 MB unless told) or choose another run "
                "directory (--run-dir); nothing was changed"
            ) from error
        finally:
            os.close(descriptor)

    @property
    def kind(self) -> str:
        """What the file is for, by its name."""
        return self.path.name.split(".")[-2:][0]

    def is_current(self) -> bool:
        """Tell whether the name still leads to this file."""
        try:
            return os.stat(self.path).st_ino == self.inode
        except FileNotFoundError:
            return False


class RangeLocks:
    """Locks on ranges of a file, held by this object; the kernel drops them with the process.

    They belong to the open file, not to the process as POSIX locks do, which vanish when any
    descriptor of the file is closed.
    """

    _FLOCK = struct.Struct("@hhqqi4x")

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR)

    def take(self, start: int, length: int) -> bool:
        """Lock a range; False if somebody else has it."""
        try:
            self._ask(fcntl.F_OFD_SETLK, start, length)
        except (BlockingIOError, PermissionError):
            return False
        return True

    def is_taken(self, start: int, length: int) -> bool:
        """Tell whether somebody else has locked some of a range."""
        kind, *_ = self._FLOCK.unpack(self._ask(fcntl.F_OFD_GETLK, start, length))
        return bool(kind != fcntl.F_UNLCK)

    def close(self) -> None:
        """Drop all locks."""
        os.close(self._descriptor)

    def _ask(self, what: int, start: int, length: int) -> bytes:
        wanted = self._FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, start, length, 0)
        return fcntl.fcntl(self._descriptor, what, wanted)


class Memory:
    """Hands out mapped files in a run directory of one incarnation and unlinks them at the end."""

    def __init__(self, directory: Path, maps_max: int | None = None) -> None:
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        maps_max = maps_max or int(_MAPS_MAX.read_text())
        # The rest is for libraries, data files, and what commits create once they are allowed.
        self._files_max = maps_max * 3 // 4
        self._found_bytes = 0
        self._files: dict[Path, Mapped] = {}
        self._serial = itertools.count(1)
        self._told = Mapped.create(directory / NOTICES_NAME, NOTICES_BYTES)
        self.notices = Notices(self._told)

    def create(self, name: str, size_bytes: int) -> Mapped:
        """Create and map a file of zeros; `name` gets a serial number behind it."""
        return self.create_single(f"{name}.{next(self._serial)}", size_bytes)

    def create_single(self, name: str, size_bytes: int) -> Mapped:
        """Create and map a file of zeros under exactly this name."""
        self._require_space(0)
        path = self.directory / name
        mapped = Mapped.create(path, size_bytes)
        self._files[path] = mapped
        return mapped

    def create_whole(self, name: str, size_bytes: int) -> Mapped:
        """Create a file as `create` does, with memory for all of it."""
        mapped = self.create(name, size_bytes)
        try:
            mapped.reserve([(0, size_bytes)])
        except DiskFullError:
            self.release(mapped)
            raise
        return mapped

    def release(self, mapped: Mapped) -> None:
        """Unlink a file; its pages go when the last reader drops it."""
        if self._files.pop(mapped.path, None) is not None:
            mapped.path.unlink(missing_ok=True)

    def require(self, size_bytes: int) -> None:
        """Raise DiskFullError unless `size_bytes` more can be stored without running out."""
        if len(self._files) >= self._files_max:
            raise DiskFullError(
                f"{len(self._files)} files are mapped, and the kernel allows a process "
                f"{self._files_max * 4 // 3} maps: raise it (sysctl vm.max_map_count) and start "
                "again, or use fewer tables and shards"
            )
        self._require_space(size_bytes)
        self.notices.reserve()

    def _require_space(self, size_bytes: int) -> None:
        """Look at the file system, unless there was room for more at the last look."""
        self._found_bytes -= size_bytes
        if self._found_bytes >= 0:
            return
        free_bytes = self._free_bytes()
        if free_bytes < size_bytes + HEADROOM_BYTES:
            raise DiskFullError(
                f"{self.directory} has {free_bytes >> 20} MiB free, {size_bytes >> 20} MiB are "
                f"needed (and {HEADROOM_BYTES >> 20} MiB headroom): enlarge that file system "
                "(containers give /dev/shm 64 MB unless told) or choose another run "
                "directory (--run-dir)"
            )
        self._found_bytes = min(free_bytes - size_bytes - HEADROOM_BYTES, REMEMBERED_BYTES)

    def close(self) -> None:
        """Unlink every file."""
        for mapped in list(self._files.values()):
            self.release(mapped)
        self._told.path.unlink(missing_ok=True)

    def stats(self) -> MemoryStats:
        """Say how many files there are and what they take."""
        files = list(self._files.values())
        used_bytes: Counter[str] = Counter()
        for mapped in files:
            with suppress(FileNotFoundError):  # it was released meanwhile
                used_bytes[mapped.kind] += os.stat(mapped.path).st_blocks * 512
        return MemoryStats(
            files=len(files),
            mapped_bytes=sum(mapped.size_bytes for mapped in files),
            used_bytes=used_bytes.total(),
            used_bytes_by_kind=dict(used_bytes),
            free_bytes=self._free_bytes(),
        )

    def _free_bytes(self) -> int:
        space = os.statvfs(self.directory)
        return space.f_bavail * space.f_frsize


class PrivateMemory(Memory):
    """Memory of this process alone: it has no files, and goes with whoever holds it."""

    def __init__(self) -> None:
        self._files = {}
        self._serial = itertools.count(1)
        self.notices = NoNotices(Mapped.private(NOTICES_NAME, mmap.PAGESIZE))

    def create_single(self, name: str, size_bytes: int) -> Mapped:
        """Map zeros."""
        return Mapped.private(name, size_bytes)

    def require(self, size_bytes: int) -> None:
        """Leave it to the kernel."""
