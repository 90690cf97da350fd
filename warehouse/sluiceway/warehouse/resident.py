"""How much memory there is, and how much this process holds that the kernel cannot take back.

Pages of files on disk are not counted: they are written back and dropped when memory is short.
"""

import ctypes
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pyarrow as pa

_GROUPS, _STATUS = Path("/proc/self/cgroup"), Path("/proc/self/status")
_ROOT = Path("/sys/fs/cgroup")
_libc = ctypes.CDLL(None)


@dataclass(frozen=True)
class Resident:
    """Bytes of the heap, and of files on tmpfs that are mapped."""

    heap_bytes: int
    tmpfs_bytes: int

    @property
    def total_bytes(self) -> int:
        """All that cannot be evicted."""
        return self.heap_bytes + self.tmpfs_bytes


def resident() -> Resident:
    """Measure this process."""
    kib = {
        name: int(value.split()[0])
        for name, _, value in (line.partition(":") for line in _STATUS.read_text().splitlines())
        if name in ("RssAnon", "RssShmem")
    }
    return Resident(kib["RssAnon"] << 10, kib["RssShmem"] << 10)


def given_bytes() -> int:
    """Return how much memory the machine has, or a control group of this process allows."""
    machine_bytes = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    limits = (file.read_text().strip() for file in _limit_files() if file.is_file())
    return min([machine_bytes, *(int(limit) for limit in limits if limit.isdigit())])


def _limit_files() -> Iterator[Path]:
    """Yield where limits of this process' groups stand: version 2, then version 1."""
    for line in _GROUPS.read_text().splitlines():
        _, controllers, group = line.split(":", 2)
        if controllers in ("", "memory"):
            root = _ROOT / controllers
            name = "memory.limit_in_bytes" if controllers else "memory.max"
            for folder in (PurePosixPath(group), *PurePosixPath(group).parents):
                yield root / folder.relative_to("/") / name


def trim_heap() -> None:
    """Give the kernel back what was freed."""
    pa.default_memory_pool().release_unused()
    _libc.malloc_trim(0)
