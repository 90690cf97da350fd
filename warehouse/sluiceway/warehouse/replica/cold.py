"""Shards that the writing process has not opened, as its newest checkpoint has them.

They are small, so each process that is asked for one reads it into memory of its own.

Invariant: nothing is read from a checkpoint that dropped rows which the attached process promised.
"""

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

from sluiceway.catalog import CorruptionError, UnavailableError
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

    def units(self, table_id: int) -> list[int]:
        """The units of a table that the newest checkpoint has."""
        with self._lock:
            number = self._manifests.newest()
            shards = self._manifest(number).shards if number else ()
            return [unit for table, unit in shards if table == table_id]

    def _read(self, key: Key, number: int) -> Shard | None:
        manifest = self._manifest(number)
        entry = manifest.shards.get(key)
        if entry is None or not entry.is_small:
            return None

        catalog = manifest.catalog_of(key[0])
        schema_of = partial(catalog.schema, key[0])
        shard = self._files.load(catalog.tables[key[0]], key[1], PrivateMemory(), schema_of)
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
