"""From a checkpoint and the log after it to the state that was durable.

Invariant: replay applies what records say (images, changes, holds) and decides nothing; after it
the state is the one that was published last, or the one of the last commit that reached the disk.
"""

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import numpy as np

from sluiceway.catalog import Catalog, CorruptionError, unit_of
from sluiceway.warehouse.checkpoint import HistoryBase, Manifest, ShardFiles
from sluiceway.warehouse.ddl import DdlCommits, step_of
from sluiceway.warehouse.events import image_schema
from sluiceway.warehouse.holds import applied
from sluiceway.warehouse.log import (
    Located,
    LogFiles,
    LogIndex,
    PartKind,
    RecordKind,
    read_documents,
    read_images,
    read_json,
)
from sluiceway.warehouse.mapped import Memory
from sluiceway.warehouse.resets import reset
from sluiceway.warehouse.stages import stages_after
from sluiceway.warehouse.state import CatalogHistory, State
from sluiceway.warehouse.table import Move, Shard

log = logging.getLogger(__name__)

# More would only take more memory: most of the work is hashing keys and waiting for pages.
OPENED_AT_ONCE = 4


class Replay:
    """Takes the records of the log in order."""

    def __init__(
        self,
        files: LogFiles,
        index: LogIndex,
        ddl: DdlCommits,
        state: State,
        base: HistoryBase,
    ) -> None:
        self._files = files
        self._index = index
        self._ddl = ddl
        self._checkpoint_lsn = state.lsn
        self._base_lsn = base.lsn
        self.state = state
        self.history = CatalogHistory(base.lsn, base.catalog)

    def begin(self, oldest_lsn: int) -> None:
        """Called before the first record: a log that lost its begin knows no older catalogs."""
        self._index.oldest = oldest_lsn
        if oldest_lsn > max(self._base_lsn, 1):
            self._base_lsn = self._checkpoint_lsn
            self.history = CatalogHistory(self._checkpoint_lsn, self.state.catalog)

    def take(self, located: Located) -> None:
        """Enter a record into the index, and apply it if the checkpoint does not show it."""
        self._index.add(located)
        header = located.header
        if header.commit_lsn <= self._checkpoint_lsn:
            if header.kind is RecordKind.DDL and header.commit_lsn > self._base_lsn:
                self._remember(located)
            return
        if header.kind in (RecordKind.COMMIT, RecordKind.COMMIT_STAGED):
            self._rows(located)
        elif header.kind is RecordKind.DDL:
            self._change(located)
        elif header.kind is RecordKind.HOLD:
            self._hold(located)
        if header.kind in (RecordKind.STAGE, RecordKind.COMMIT_STAGED, RecordKind.ABORT):
            self._stage(located)
        self.state = replace(self.state, lsn=header.commit_lsn, time_us=header.time_us)

    def _remember(self, located: Located) -> None:
        """A DDL record that the checkpoint shows: only the history needs it, and only if asked."""
        self.history.add(located.header.commit_lsn, step_of(self._files, located))

    def _change(self, located: Located) -> None:
        header = located.header
        documents = read_documents(self._files, located)
        self.state = self._ddl.replay(self.state, documents, header.commit_lsn, header.time_us)
        self.history.add(header.commit_lsn, self.state.catalog)

    def _hold(self, located: Located) -> None:
        holds = self.state.holds
        for document in read_documents(self._files, located):
            holds = applied(holds, document)
        self.state = replace(self.state, holds=holds)

    def _shard(self, entry: np.void) -> Shard:
        unit = unit_of(int(entry["partition"]), int(entry["shard"]))
        return self.state.shards[int(entry["table"])][unit]

    def _stage(self, located: Located) -> None:
        stages = self.state.stages
        for document in read_documents(self._files, located):
            stages = stages_after(stages, document, located)
        self.state = replace(self.state, stages=stages)

    def _silently(self, located: Located, entry: np.void) -> Shard:
        """Do what leaves no events: let rows expire, or move them."""
        document = read_json(self._files, located.file, located.offset, entry)
        shard, lsn = self._shard(entry), located.header.commit_lsn
        if entry["kind"] == PartKind.EXPIRE:
            shard.expire(int(document["born"]), lsn)
        elif (change := shard.plan_move(Move(**document))) is not None:
            shard.move(change, lsn)
        return shard

    def _rows(self, located: Located) -> None:
        header = located.header
        touched: dict[int, Shard] = {}
        for entry in located.entries:
            if entry["kind"] in (PartKind.EXPIRE, PartKind.MOVE):
                shard = self._silently(located, entry)
                touched[id(shard)] = shard
            if entry["kind"] == PartKind.RESET:
                shard = self._shard(entry)
                reset(shard, int(entry["rows"]), header.commit_lsn)
                touched[id(shard)] = shard
            if entry["kind"] != PartKind.ROWS:
                continue
            table = self.state.catalog.schema(int(entry["table"]), int(entry["schema_version"]))
            images = read_images(
                self._files,
                located.file,
                located.offset + int(entry["offset"]),
                entry,
                image_schema(table),
            )
            shard = self._shard(entry)
            shard.replay(images.kinds, images.after, images.before, header.commit_lsn)
            touched[id(shard)] = shard
        for shard in touched.values():
            shard.publish(header.commit_lsn, header.time_us)


def _open_dropped(shard: Shard) -> None:
    """Open a unit of a dropped partition; one that is damaged harms those who ask for it alone."""
    try:
        shard.open()
    except CorruptionError as error:
        log.error("%s", error)
        shard.tell_cold()


def state_of(
    manifest: Manifest | None,
    files: ShardFiles,
    memory: Memory,
) -> State:
    """The state that a checkpoint shows; the empty one without.

    Larger shards are opened, and units of dropped partitions, which compaction looks for.
    """
    if manifest is None:
        return State(0, 0, Catalog.empty())
    catalog = manifest.catalog
    files.entries = manifest.shards
    tables = [*catalog.tables, *manifest.dropped]
    shards: dict[int, dict[int, Shard]] = {table_id: {} for table_id in tables}
    for table_id, unit in manifest.shards:
        known = manifest.catalog_of(table_id)
        schema_of = partial(known.schema, table_id)
        shards[table_id][unit] = files.load(known.tables[table_id], unit, memory, schema_of)
    large = [key for key, entry in manifest.shards.items() if not entry.is_small]
    with ThreadPoolExecutor(OPENED_AT_ONCE) as pool:
        for opening in [pool.submit(shards[table_id][unit].open) for table_id, unit in large]:
            opening.result()
    for table in catalog.tables.values():
        for unit in shards[table.id].keys() - set(catalog.units(table)):
            _open_dropped(shards[table.id][unit])
    holds = {hold.name: hold for hold in manifest.holds}
    stages = {stage.name: stage for stage in manifest.stages}
    return State(
        manifest.lsn, manifest.time_us, catalog, shards, holds, manifest.ddl, stages,
        manifest.dropped,
    )  # fmt: skip
