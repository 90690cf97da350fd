"""A disk in memory that lies as disks do: by seed, so that every failure can be repeated.

What it knows beyond a file system: which writes and names are durable. `after_power_loss` keeps of
the rest a random part: writes in any order, torn at any byte, sizes without content, renames lost.
`after_kill` keeps everything that was written, as the kernel does when a process dies. Every effect
is counted; at one chosen effect the power fails, a sync fails, or the space runs out. While
`unreadable` is set, every file that is read, replaced or removed raises it.
"""

import errno
import random
import tempfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import NoReturn

import pyarrow as pa
import pytest

from sluiceway.warehouse.disk import AppendFile, Lock, Piece, ReadFile

SHARED_MEMORY = Path("/dev/shm")


@pytest.fixture
def run_folder() -> Iterator[Path]:
    """Where a warehouse has its mapped memory: in tmpfs, as one that chooses for itself."""
    shared = SHARED_MEMORY if SHARED_MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(dir=shared) as folder:
        yield Path(folder)


class Crash(BaseException):
    """The power failed, or the process stopped itself."""


class Fault(Enum):
    """What happens at the chosen effect."""

    STOP = "the process ends before or within the effect"
    SYNC_FAILS = "the next sync reports an error and the pages are gone"
    NO_SPACE = "the next write is cut short"


@dataclass
class _File:
    cached: bytearray = field(default_factory=bytearray)
    durable: bytearray = field(default_factory=bytearray)
    pending: list[tuple[int, bytes]] = field(default_factory=list)

    def write(self, offset: int, data: bytes) -> None:
        if len(self.cached) < offset:
            self.cached.extend(bytes(offset - len(self.cached)))
        self.cached[offset : offset + len(data)] = data
        self.pending.append((offset, data))

    def sync(self) -> None:
        for offset, data in self.pending:
            _apply(self.durable, offset, data)
        self.pending.clear()


def _apply(content: bytearray, offset: int, data: bytes) -> None:
    if len(content) < offset:
        content.extend(bytes(offset - len(content)))
    content[offset : offset + len(data)] = data


@dataclass
class _Rename:
    """A change of one name that is not durable yet; None removes it."""

    path: Path
    file: _File | None


class LyingDisk:
    """Implements `Disk`; see the module."""

    def __init__(self, seed: int, *, stop_at: int | None = None, fault: Fault = Fault.STOP) -> None:
        self.random = random.Random(seed)
        self.effects = 0
        self.dead = False
        self.free = 1 << 40
        self.unreadable: Exception | None = None
        self._stop_at = stop_at
        self._fault = fault
        self._armed = False
        self.struck = False
        self._names: dict[Path, _File] = {}
        self._durable_names: dict[Path, _File] = {}
        self._renames: list[_Rename] = []
        self._folders: set[Path] = set()
        self._locks: dict[Path, bytes] = {}  # with what is written in them
        self._mutex = threading.RLock()

    # effects, each counted

    def _effect(self) -> None:
        if self.dead:
            raise Crash("the process is dead")
        self.effects += 1
        if self._stop_at is not None and self.effects >= self._stop_at:
            self._stop_at = None
            self.struck = True
            if self._fault is Fault.STOP:
                self.dead = True
                raise Crash(f"the power failed at effect {self.effects}")
            self._armed = True

    def _write(self, file: _File, offset: int, data: bytes) -> None:
        with self._mutex:
            try:
                self._effect()
            except Crash:
                cut = self.random.randrange(len(data) + 1)
                file.write(offset, data[:cut])
                raise
            if self._armed and self._fault is Fault.NO_SPACE:
                self._armed = False
                file.write(offset, data[: self.random.randrange(len(data) + 1)])
                raise OSError(errno.ENOSPC, "no space left")
            file.write(offset, data)

    def _sync(self, file: _File) -> None:
        with self._mutex:
            self._effect()
            if self._armed and self._fault is Fault.SYNC_FAILS:
                self._armed = False
                kept = [w for w in file.pending if self.random.random() < 0.5]
                for offset, data in kept:
                    _apply(file.durable, offset, data)
                file.pending.clear()
                raise OSError(errno.EIO, "input/output error")
            file.sync()

    def _name(self, path: Path, file: _File | None) -> None:
        with self._mutex:
            self._effect()
            self._renames.append(_Rename(path, file))
            if file is None:
                del self._names[path]
            else:
                self._names[path] = file

    # the interface of Disk

    def open_append(self, path: Path) -> AppendFile:
        if path in self._names:
            raise FileExistsError(path)
        self._name(path, _File())
        return _Append(self, self._names[path])

    def open_read(self, path: Path) -> ReadFile:
        return _Read(self, self._find(path))

    def read(self, path: Path) -> bytes:
        if path in self._locks:
            return self._locks[path]
        return bytes(self._find(path).cached)

    def rewrite(self, path: Path, offset: int, data: bytes) -> None:
        file = self._find(path)
        self._write(file, offset, data)
        self._sync(file)

    def punch(self, path: Path, ranges: Sequence[tuple[int, int]]) -> None:
        for offset, length in ranges:
            self._write(self._find(path), offset, bytes(length))

    def replace(self, path: Path, pieces: Sequence[Piece]) -> None:
        self._check_readable()
        fresh = path.with_name(path.name + ".new")
        if fresh in self._names:
            self._name(fresh, None)
        self._name(fresh, _File())
        file = self._names[fresh]
        try:
            self._write(file, 0, b"".join(bytes(memoryview(piece).cast("B")) for piece in pieces))
            self._sync(file)
        except OSError:
            self._name(fresh, None)
            raise
        with self._mutex:
            self._effect()
            del self._names[fresh]
            self._names[path] = file
            self._renames += [_Rename(path, file), _Rename(fresh, None)]
        self.sync_folder(path.parent)

    def map_readonly(self, path: Path) -> memoryview:
        data = self._find(path).cached
        buffer = pa.allocate_buffer(len(data))  # aligned, as a map is
        view = memoryview(buffer).cast("B")
        view[:] = data
        return view.toreadonly()

    def _check_readable(self) -> None:
        if self.unreadable is not None:
            raise self.unreadable

    def list(self, path: Path) -> list[str]:
        prefix = f"{path}/"
        names = (str(p) for p in (*self._names, *self._folders))
        return sorted({n[len(prefix) :].split("/", 1)[0] for n in names if n.startswith(prefix)})

    def exists(self, path: Path) -> bool:
        return path in self._names

    def unlink(self, path: Path) -> None:
        self._check_readable()
        if path in self._names:
            self._name(path, None)

    def mkdir(self, path: Path) -> None:
        self._folders.add(path)

    def sync_folder(self, path: Path) -> None:
        with self._mutex:
            self._effect()
            later = []
            for rename in self._renames:
                if rename.path.parent == path:
                    self._make_durable(rename)
                else:
                    later.append(rename)
            self._renames = later

    def _make_durable(self, rename: _Rename) -> None:
        if rename.file is None:
            self._durable_names.pop(rename.path, None)
        else:
            self._durable_names[rename.path] = rename.file

    def lock(self, path: Path) -> Lock | None:
        if path in self._locks:
            return None
        self._locks[path] = b""
        return _Lock(self, path)

    def free_bytes(self, path: Path) -> int:
        return self.free

    def stop(self, reason: str) -> NoReturn:
        self.dead = True
        raise Crash(reason)

    def _find(self, path: Path) -> _File:
        self._check_readable()
        file = self._names.get(path)
        if file is None:
            raise FileNotFoundError(path)
        return file

    # what is left

    def after_kill(self, **chosen: object) -> "LyingDisk":
        """The disk that the next process finds when only the process died."""
        after = LyingDisk(self.random.randrange(1 << 62), **chosen)  # type: ignore[arg-type]
        after._names = dict(self._names)
        after._durable_names = dict(self._durable_names)
        after._renames = list(self._renames)
        after._folders = set(self._folders)
        return after

    def after_power_loss(self, **chosen: object) -> "LyingDisk":
        """The disk that the next process finds when the machine lost its power."""
        kept = self.random.randrange(len(self._renames) + 1)
        for rename in self._renames[:kept]:
            self._make_durable(rename)
        after = LyingDisk(self.random.randrange(1 << 62), **chosen)  # type: ignore[arg-type]
        for path, file in self._durable_names.items():
            content = self._survivor(file)
            whole = _File(bytearray(content), bytearray(content))
            after._names[path] = after._durable_names[path] = whole
        after._folders = set(self._folders)
        return after

    def _survivor(self, file: _File) -> bytearray:
        content = bytearray(file.durable)
        pending = list(file.pending)
        self.random.shuffle(pending)
        for offset, data in pending:
            fate = self.random.random()
            if fate < 0.3:
                continue
            if fate < 0.6:
                cut = self.random.randrange(len(data) + 1)
                _apply(content, offset, data[:cut])
            elif fate < 0.8:
                cut = self.random.randrange(len(data) + 1)
                _apply(content, offset + cut, data[cut:])
            else:
                _apply(content, offset, data)
        return content

    def flip(self, path: Path, offset: int, bit: int) -> None:
        """Damage one bit of a file for good."""
        file = self._find(path)
        file.cached[offset] ^= 1 << bit
        file.durable[offset] ^= 1 << bit

    def files(self) -> dict[Path, int]:
        """All files and their sizes."""
        return {path: len(file.cached) for path, file in sorted(self._names.items())}


class _Append:
    def __init__(self, disk: LyingDisk, file: _File) -> None:
        self._disk = disk
        self._file = file

    def write(self, pieces: Sequence[Piece]) -> None:
        data = b"".join(bytes(memoryview(piece).cast("B")) for piece in pieces)
        self._disk._write(self._file, len(self._file.cached), data)

    def fdatasync(self) -> None:
        self._disk._sync(self._file)

    def close(self) -> None:
        pass


class _Read:
    def __init__(self, disk: LyingDisk, file: _File) -> None:
        self._disk = disk
        self._file = file

    def pread(self, offset: int, length: int) -> bytes:
        self._disk._check_readable()
        return bytes(self._file.cached[offset : offset + length])

    def size(self) -> int:
        return len(self._file.cached)

    def close(self) -> None:
        pass


class _Lock:
    def __init__(self, disk: LyingDisk, path: Path) -> None:
        self._disk = disk
        self._path = path

    def write(self, text: str) -> None:
        self._disk._locks[self._path] = text.encode()

    def close(self) -> None:
        self._disk._locks.pop(self._path, None)


class HandClock:
    """A clock that goes only when a test moves it."""

    def __init__(self, now_us: int = 1_700_000_000_000_000) -> None:
        self.us = now_us

    def now_us(self) -> int:
        return self.us

    def monotonic(self) -> float:
        return self.us / 1e6
