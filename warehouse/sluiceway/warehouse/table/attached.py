"""The shards of a warehouse as another process sees them: mapped read-only, laid out as told.

Invariants: nothing here writes to memory or disk. A shard's files are mapped when it is first asked
for, then with `follow`, and only what is new in its layout; a State never changes once it is shown.
A file that is gone is named by no layout any more, or its whole run folder was taken down: then the
State of the last `follow` is the last one, and no LSN after that may be read. A shard of which
nothing is told is as the newest checkpoint has it: nobody has asked the writing process for it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from sluiceway.catalog import GoneError, Table, UnavailableError

from ..kernels.index import SLOT_BYTES
from ..kernels.views import Slots
from ..mapped import Mapped
from ..notices import NOTICES_NAME, NoticeTail
from .layout import TableLayout
from .segment import ColumnBuffers, DataFile, Segment, StoredColumns
from .side import Side
from .state import State, versions_of
from .telling import DIRECTORY, ToldPartition, ToldShard
from .view import ShardView

Key = tuple[int, int]
# What a directory entry without a partition leads to: one slot that is empty.
_NO_SLOTS = np.zeros(SLOT_BYTES // 8, np.int64)


@dataclass(frozen=True)
class AttachedStats:
    """What was told, and what of it is mapped."""

    told_bytes: int
    told_shards: int
    attached_shards: int
    files: int


class AttachedShards:
    """All shards of one incarnation of a warehouse; `cold` reads one from the checkpoint."""

    def __init__(self, run: Path, data: Path, cold: Callable[[Key], ShardView | None]) -> None:
        self._run = run
        self._data = data
        self._cold = cold
        self._dropped: set[Key] = set()
        self._tail = NoticeTail(Mapped.attach(run / NOTICES_NAME).buffer)
        self._told: dict[Key, ToldShard] = {}
        self._units: dict[int, set[int]] = {}
        self._layouts: dict[Key, TableLayout] = {}
        self._shards: dict[Key, AttachedShard] = {}
        self._lock = threading.Lock()
        self._followed_bytes = 0
        self._forgotten: dict[int, int] = {}

    def of(self, table: Table, units: Iterable[int]) -> dict[int, AttachedShard]:
        """Return some units of a table and all others that were told of, attached or not."""
        self._read_notices()
        with self._lock:
            told = self._units.get(table.id, ())
            return {unit: self._shard((table.id, unit)) for unit in (*units, *told)}

    def of_dropped(self, table_id: int, cold: Iterable[int]) -> dict[int, AttachedShard]:
        """Return those units of a table that was dropped which are kept still: told of, or cold."""
        self._read_notices()
        with self._lock:
            units = {*cold, *self._units.get(table_id, ())}
            keys = ((table_id, unit) for unit in sorted(units))
            return {key[1]: self._shard(key) for key in keys if key not in self._dropped}

    def _shard(self, key: Key) -> AttachedShard:
        found = self._shards.get(key)
        return found or self._shards.setdefault(key, AttachedShard(self, key))

    def told(self, key: Key) -> ToldShard | None:
        """Return what is told of a shard by now; None before, and after its table was dropped."""
        self._read_notices()
        return self._told.get(key)

    def forgotten(self) -> dict[int, int]:
        """Return the LSN before which changes are not kept any more, by table."""
        self._read_notices()
        with self._lock:
            return dict(self._forgotten)

    def follow(self) -> bool:
        """Map what was told since of the shards that are read; False if some of it is gone.

        What a snapshot will read is mapped when it is taken, so it outlives the writing process.
        """
        self._read_notices()
        told_bytes = self._tail.bytes
        if told_bytes == self._followed_bytes:
            return True
        with self._lock:
            shards = list(self._shards.values())
        if not all(shard.follow() for shard in shards):
            return False
        self._followed_bytes = told_bytes
        return True

    def cold(self, key: Key) -> ShardView | None:
        """Return a shard of which nothing is told; None if that is not so any more."""
        if key in self._dropped:
            raise GoneError(f"table {key[0]} was dropped: its rows are no longer kept")
        found = self._cold(key)
        if found is None and self.told(key) is None:
            raise UnavailableError(
                f"shard {key[1]} of table {key[0]} went with the process that wrote it: ask again"
            )
        return found

    def layout(self, table_id: int, version: int) -> TableLayout:
        """Return the layout of a schema version that was told."""
        return self._layouts[table_id, version]

    def open(self, name: str) -> Mapped:
        """Map a file that was told."""
        return Mapped.attach(self._data / name if "/" in name else self._run / name)

    def stats(self) -> AttachedStats:
        """Count what is told and mapped."""
        with self._lock:
            shards = [shard for shard in self._shards.values() if shard.files]
            files = sum(shard.files for shard in shards)
            return AttachedStats(self._tail.bytes, len(self._told), len(shards), files)

    def _read_notices(self) -> None:
        if self._tail.has_more():
            with self._lock:
                for notice in self._tail.read():
                    self._take(notice)

    def _take(self, notice: Mapping[str, Any]) -> None:
        if "schema" in notice:
            table = Table.from_json(notice["schema"])
            self._layouts[table.id, table.schema_version] = TableLayout(table)
        elif "shard" in notice:
            key = (notice["shard"][0], notice["shard"][1])
            self._units.setdefault(key[0], set()).add(key[1])
            self._told[key] = self._told.get(key, ToldShard.none()).after(notice)
        elif "empty" in notice:
            key = (notice["empty"][0], notice["empty"][1])
            self._told[key] = self._told[key].emptied()
        elif "forgotten" in notice:
            self._forgotten[notice["forgotten"][0]] = notice["forgotten"][1]
        elif "rest" in notice:
            key = (notice["rest"][0], notice["rest"][1])
            self._units.setdefault(key[0], set()).add(key[1])
            self._told.pop(key, None)
        else:
            key = (notice["drop"][0], notice["drop"][1])
            self._dropped.add(key)
            self._told.pop(key, None)
            self._shards.pop(key, None)
            self._units.pop(key[0], None)


class AttachedShard(ShardView):
    """One shard; who still holds it after its table was dropped reads on if it was attached."""

    def __init__(self, owner: AttachedShards, key: Key) -> None:
        super().__init__()
        self._owner = owner
        self._key = key
        self._lock = threading.Lock()
        self._shown: tuple[ToldShard, State] | None = None
        self._cold: ShardView | None = None
        self._segments: dict[int, tuple[Mapping[str, Any], Segment]] = {}
        self._partitions: dict[str, Mapped] = {}

    @property
    def files(self) -> int:
        """How many files of the shard are mapped."""
        return 2 * len(self._segments) + len(self._partitions)

    @property
    def newest(self) -> TableLayout:
        """The layout at the newest schema version that was told before `state` was taken."""
        cold, shown = self._cold, self._shown
        if shown is not None:
            return self._owner.layout(self._key[0], shown[0].version)
        if cold is None:
            raise AssertionError("`state` comes first")
        return cold.newest

    @property
    def state(self) -> State:
        """The segments and the index as they were told last."""
        while True:
            told, shown = self._owner.told(self._key), self._shown
            if shown is not None and (told is shown[0] or told is None):
                return shown[1]
            if told is None:
                cold = self._rest()
                if cold is None:
                    continue
                return cold.state
            try:
                return self._attach(told)
            except FileNotFoundError as error:
                if self._owner.told(self._key) is not told:
                    continue
                if shown is not None:
                    return shown[1]
                if (cold := self._cold) is not None:
                    return cold.state
                raise UnavailableError(
                    f"{error.filename} is gone with the process that wrote it: ask again"
                ) from error

    def follow(self) -> bool:
        """Map what is new if the shard was read; False if that is gone."""
        while self._shown is not None or self._cold is not None:
            told, _, shown = self._owner.told(self._key), self.state, self._shown
            if told is None or (shown is not None and shown[0] is told):
                break
            if self._owner.told(self._key) is told:
                return False
        return True

    def _rest(self) -> ShardView | None:
        with self._lock:
            if self._cold is None and self._shown is None:
                self._cold = self._owner.cold(self._key)
            return self._cold

    def _attach(self, told: ToldShard) -> State:
        with self._lock:
            if self._shown is not None and self._shown[0] is told:
                return self._shown[1]
            segments = tuple(self._segment(segment) for segment in told.segments)
            slots, files = self._directory(told.index)
            if not segments:
                self._segments.clear()
            state = State(segments, versions_of(segments), slots, files)
            self._shown = (told, state)
            self._cold = None
            return state

    def _segment(self, told: Mapping[str, Any]) -> Segment:
        if told.get("dropped"):
            self._segments.pop(told["ordinal"], None)
            return Segment.placeholder(
                told["ordinal"], told["first"], told["rows"], told["version"]
            )
        known = self._segments.get(told["ordinal"])
        if known is None or known[0]["side"] != told["side"]:
            segment = self._map(told)
        elif known[0] is told:
            return known[1]
        elif known[0]["file"] != told["file"]:
            segment = known[1].relocated(self._columns(told))
        else:
            segment = known[1]
        # More than before at most: that is right for every LSN, too.
        segment.with_nulls = frozenset(told["nulls"])
        segment.rows = told["rows"] or 0
        segment.sealed = told["rows"] is not None
        self._segments[told["ordinal"]] = (told, segment)
        return segment

    def _map(self, told: Mapping[str, Any]) -> Segment:
        stored = self._columns(told)
        capacity_rows = told["capacity"]
        layout = self._owner.layout(self._key[0], told["version"])
        return Segment(
            told["ordinal"],
            told["first"],
            capacity_rows,
            told["version"],
            Side(self._owner.open(told["side"]), capacity_rows),
            layout.stored,
            stored.buffers,
            stored.data_file,
        )

    def _columns(self, told: Mapping[str, Any]) -> StoredColumns:
        data = self._owner.open(told["file"])
        buffers = {at: _buffers(data.buffer, places) for at, *places in told["columns"]}
        return StoredColumns(buffers, DataFile(told["file"], data.address))

    def _directory(
        self, index: tuple[ToldPartition | None, ...]
    ) -> tuple[Slots, tuple[Mapped, ...]]:
        """Map the partitions that are new and forget the ones that are not told any more."""
        named = {told.file for told in index if told is not None}
        mapped = {file: self._partitions.get(file) or self._owner.open(file) for file in named}
        pointer = np.full(DIRECTORY, _NO_SLOTS.ctypes.data, np.int64)
        mask = np.zeros(DIRECTORY, np.int64)
        for entry, told in enumerate(index):
            if told is not None:
                pointer[entry], mask[entry] = mapped[told.file].address, told.slots - 1
        self._partitions = mapped
        return Slots(pointer, mask), tuple(mapped.values())


def _buffers(data: pa.Buffer, places: list[int]) -> ColumnBuffers:
    validity, values, *rest = (
        data.slice(offset, size) for offset, size in zip(places[::2], places[1::2], strict=True)
    )
    return ColumnBuffers(validity, values, rest[0] if rest else None)
