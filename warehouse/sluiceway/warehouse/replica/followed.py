"""What a reading process knows from the log: catalog, holds, and where each shard's parts lie.

Invariant: `catch_up` applies what records say, up to an LSN that is published, and decides nothing;
rows are left where they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sluiceway.catalog import Catalog
from sluiceway.warehouse.checkpoint import HistoryBase, Hold, Manifests
from sluiceway.warehouse.ddl import step_of
from sluiceway.warehouse.disk import Disk
from sluiceway.warehouse.header import Identity
from sluiceway.warehouse.holds import applied
from sluiceway.warehouse.log import (
    Located,
    LogFiles,
    LogFollower,
    LogIndex,
    RecordKind,
    read_documents,
)
from sluiceway.warehouse.signals import Key
from sluiceway.warehouse.state import CatalogHistory


@dataclass
class Touched:
    """What some records changed."""

    shards: set[Key] = field(default_factory=set)
    catalog: bool = False


class Followed:
    """The log up to `lsn`; one thread at a time may call `catch_up`, any reads the rest."""

    def __init__(self, disk: Disk, path: Path, identity: Identity) -> None:
        self.files = LogFiles(disk, path / "log")
        self.index = LogIndex()
        self.time_us = 0
        self._begun = False
        self._follower = LogFollower(self.files)
        manifests = Manifests(disk, path / "checkpoint", identity).good()
        manifest = manifests[0] if manifests else None
        base = manifest.base if manifest else HistoryBase()
        self._checkpoint_lsn = manifest.lsn if manifest else 0
        self._base_lsn = base.lsn
        self.catalog = manifest.catalog if manifest else Catalog.empty()
        self.holds: Mapping[str, Hold] = {h.name: h for h in manifest.holds} if manifest else {}
        self.history = CatalogHistory(base.lsn, base.catalog)

    @property
    def lsn(self) -> int:
        """The commit LSN of the last record that was read."""
        return self._follower.lsn

    def catch_up(self, lsn: int, incarnation: int) -> Touched:
        """Read the records up to `lsn`, published by an incarnation; return what they changed."""
        touched = Touched()
        for located in self._follower.read_to(lsn, incarnation):
            if not self._begun:
                self._begin(self._follower.oldest)
            self._take(located, touched)
        return touched

    def forget(self, oldest_lsn: int) -> None:
        """Take note that the log before an LSN is no longer kept; its files may be gone."""
        if oldest_lsn > self.index.oldest:
            self.index.forget(oldest_lsn)
            self.files.forget(oldest_lsn)

    def close(self) -> None:
        """Close the files of the log."""
        self.files.close()

    def _begin(self, oldest_lsn: int) -> None:
        """Take note of where the log begins: if it lost its begin, it knows no older catalogs."""
        self._begun = True
        self.index.oldest = oldest_lsn
        if oldest_lsn > max(self._base_lsn, 1):
            self._base_lsn = self._checkpoint_lsn
            self.history = CatalogHistory(self._checkpoint_lsn, self.catalog)

    def _take(self, located: Located, touched: Touched) -> None:
        self.index.add(located)
        self.time_us = located.header.time_us
        lsn, kind = located.header.commit_lsn, located.header.kind
        is_new = lsn > self._checkpoint_lsn
        if kind is RecordKind.DDL and lsn > self._base_lsn:
            self._change(located, is_new)
            touched.catalog = True
        elif kind is RecordKind.HOLD and is_new:
            for document in read_documents(self.files, located):
                self.holds = applied(self.holds, document)
        entries = located.entries
        owners = zip(entries["table"].tolist(), entries["shard"].tolist(), strict=True)
        touched.shards.update(owners)

    def _change(self, located: Located, is_new: bool) -> None:
        lsn, step = located.header.commit_lsn, step_of(self.files, located)
        if is_new:
            self.catalog = step(self.catalog)
        self.history.add(lsn, self.catalog if is_new else step)
