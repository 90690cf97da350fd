"""Shards that the writing process has not opened, as its newest checkpoint has them.

They are small, so each process that is asked for one reads it into memory of its own.

Invariant: nothing is read from a checkpoint that dropped rows which the attached process promised.
"""

import threading
from collections.abc import Callable
from pathlib import Path

from sluiceway.catalog import CorruptionError, Table, UnavailableError
from sluiceway.warehouse.checkpoint import Manifest, Manifests, ShardFiles
from sluiceway.warehouse.disk import Disk
from sluiceway.warehouse.header import Identity
from sluiceway.warehouse.mapped import PrivateMemory
from sluiceway.warehouse.signals import Key
from sluiceway.warehouse.table import Shard


class ColdShards:
    """Reads shards on demand; any thread may ask."""

    def __init__(
        self, disk: Disk, path: Path, identity: Identity, horizon: Callable[[], int]
    ) -> None:
        self._manifests = Manifests(disk, path / "checkpoint", identity)
        self._files = ShardFiles(disk, path / "data", identity, packed_shard_bytes=0)
        self._horizon = horizon
        self._known: tuple[int, Manifest] | None = None
        self._lock = threading.Lock()

    def open(self, key: Key) -> Shard | None:
        """Read a shard; None if the newest checkpoint does not have it, or not as a cold one."""
        with self._lock:
            while True:
                number = self._manifests.newest()
                if number == 0:
                    return None
                try:
                    return self._read(key, number)
                except (UnavailableError, FileNotFoundError):
                    if self._manifests.newest() == number:
                        raise

    def _read(self, key: Key, number: int) -> Shard | None:
        manifest = self._manifest(number)
        entry = manifest.shards.get(key)
        if entry is None or not entry.is_small:
            return None

        def schema_of(version: int) -> Table:
            return manifest.catalog.schema(key[0], version)

        table = manifest.catalog.tables[key[0]]
        shard = self._files.load(table, key[1], PrivateMemory(), schema_of)
        shard.open()
        return shard

    def _manifest(self, number: int) -> Manifest:
        if self._known is None or self._known[0] != number:
            good = self._manifests.good()
            if not good:
                raise CorruptionError("; ".join(self._manifests.damaged))
            self._known = (number, good[0])
            self._files.entries = good[0].shards
        manifest = self._known[1]
        if manifest.horizon > self._horizon():
            raise UnavailableError("the writing process started anew: ask again")
        return manifest
