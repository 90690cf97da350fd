"""Writes a shard into files and makes a shard from them.

Invariants: rows that were written are never written again under another name, only once more as
part of a longer tail or of a small shard, which is written as a whole, unless some of it is read
from files of its own; a file that no kept manifest names is garbage, whoever left it, and goes at
the next checkpoint or start; bitmaps of the tail are copied before they are summed, since the next
commit changes bits beside them, all other columns only get longer; a tail whose schema was altered
after it was written is sealed.

A small shard is not read before somebody asks for it, and then from where the newest checkpoint has
it: `entries` is what that one says, and is replaced before the files of older ones go.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import pyarrow as pa

from sluiceway.catalog import Catalog, CorruptionError, GoneError, Table
from sluiceway.warehouse.checkpoint.datafile import (
    Buffer,
    Marks,
    decode_marks,
    decode_segment,
    encode_marks,
    encode_segment,
)
from sluiceway.warehouse.checkpoint.manifest import Manifest, SegmentEntry, ShardEntry, Unit
from sluiceway.warehouse.checkpoint.packs import (
    PACKS,
    PackWriter,
    StoredSegment,
    decode_unit,
    encode_unit,
    worn,
)
from sluiceway.warehouse.disk import Disk, disk_error
from sluiceway.warehouse.header import HEADER_BYTES, PACK, Identity, check_identity, decode_header
from sluiceway.warehouse.mapped import Memory
from sluiceway.warehouse.table import (
    DataFile,
    SegmentImage,
    Shard,
    ShardStats,
    StoredColumns,
    StoredShard,
    column_buffers,
)

Key = tuple[int, int]


class ShardFiles:
    """The files of all shards below the data folder."""

    def __init__(
        self, disk: Disk, folder: Path, identity: Identity, packed_shard_bytes: int
    ) -> None:
        self._disk = disk
        self._folder = folder
        self._identity = identity
        self._packed_shard_bytes = packed_shard_bytes
        self.incarnation = 0
        self.entries: Mapping[Key, ShardEntry] = {}

    def packs(self) -> PackWriter:
        """Begin new packs."""
        return PackWriter(self._disk, self._folder, self._identity, self.incarnation)

    def worn_packs(self, manifest: Manifest) -> set[str]:
        """The packs of a manifest that are to be written again."""
        units = [entry.unit for entry in manifest.shards.values() if entry.unit is not None]
        return worn(units, self._size_bytes)

    def _size_bytes(self, name: str) -> int:
        file = self._disk.open_read(self._folder / name)
        try:
            return file.size()
        finally:
            file.close()

    def write(
        self,
        shard: Shard,
        table: Table,
        number: int,
        lsn: int,
        catalog: Catalog,
        known: set[str],
        packs: PackWriter,
    ) -> ShardEntry:
        """Write what of a shard at `lsn` is not in the `known` files, and describe the whole."""
        place = f"{table.id}/{number}"
        images = shard.images(lsn)
        if not images:
            return ShardEntry(lsn, table.generation, (), None, rows=0)
        rows = sum(image.alive for image in images if not image.dropped)
        in_files = any(
            image.data_file is not None and image.data_file.is_durable for image in images
        )
        small = sum(image.size_bytes for image in images) <= self._packed_shard_bytes
        if small and not in_files:
            unit = packs.add(encode_unit(images))
            packed = tuple(_entry(i, "" if i.dropped else unit.file) for i in images)
            return ShardEntry(lsn, table.generation, packed, None, unit, rows)
        self._disk.mkdir(self._folder / place)
        segments = []
        for image in images:
            if image.dropped:
                segments.append(_entry(image, ""))
                continue
            name = f"{place}/{image.ordinal}.{image.rows}.seg"
            if name not in known:
                self._write_segment(name, image, catalog.schema(table.id, image.schema_version))
            segments.append(_entry(image, name))
        marks = (Marks(i.ordinal, i.marks, i.runs) for i in images if not i.dropped)
        marks_name = f"{place}/{lsn}.marks"
        pieces = encode_marks(self._identity, self.incarnation, lsn, marks)
        self._disk.replace(self._folder / marks_name, pieces)
        return ShardEntry(lsn, table.generation, tuple(segments), marks_name, rows=rows)

    def repack(self, entry: ShardEntry, packs: PackWriter) -> ShardEntry:
        """Copy a unit as it is into another pack, without asking whether it is good.

        It stays where it is in a damaged pack: who asks for it is told, others need the checkpoint.
        """
        if entry.unit is None:
            return entry
        try:
            unit = packs.add(self._unit(entry.unit))
        except CorruptionError:
            return entry
        segments = tuple(s if s.dropped else replace(s, file=unit.file) for s in entry.segments)
        return replace(entry, unit=unit, segments=segments)

    def _write_segment(self, name: str, image: SegmentImage, table: Table) -> None:
        bitmap_bytes = 0 if image.sealed else (image.rows + 7) // 8
        buffers = [
            Buffer(column, role, memoryview(bytes(data)) if data.nbytes == bitmap_bytes else data)
            for column, role, data in image.buffers
        ]
        pieces = encode_segment(self._identity, self.incarnation, table, buffers)
        self._disk.replace(self._folder / name, pieces)

    def load(
        self, table: Table, number: int, memory: Memory, schema_of: Callable[[int], Table]
    ) -> Shard:
        """A shard as it was at the checkpoint, cold; a larger one keeps its files when it opens."""
        return Shard(table, number, memory, stored=self.stored(table, number, schema_of))

    def stored(self, table: Table, number: int, schema_of: Callable[[int], Table]) -> StoredShard:
        """What the newest checkpoint has of a shard, which it names."""
        key = (table.id, number)
        entry = self.entries[key]
        kept = [segment for segment in entry.segments if not segment.dropped]
        stats = ShardStats(
            rows=entry.rows or 0,
            versions=sum(segment.rows for segment in kept),
            segments=len(kept),
            dropped_segments=entry.dropped_segments,
        )
        read = partial(self._images, key, table.schema_version)
        return StoredShard(entry.lsn, stats, read, schema_of)

    def _images(self, key: Key, newest: int) -> list[SegmentImage]:
        """What the newest checkpoint has of a shard, in the words of schema version `newest`."""
        entry, stored = self._find(key)
        return [
            SegmentImage.place(
                segment.ordinal, segment.rows, segment.first_ordinal, segment.schema_version
            )
            if segment.dropped
            else _image(segment, stored[segment.ordinal], newest)
            for segment in entry.segments
        ]

    def _find(self, key: Key) -> tuple[ShardEntry, dict[int, StoredSegment]]:
        while True:
            entry = self.entries.get(key)
            if entry is None:
                raise GoneError(f"table {key[0]} was dropped: its rows are no longer kept")
            try:
                return entry, self._stored(entry)
            except OSError as error:
                if self.entries.get(key) is entry:
                    what = f"cannot read shard {key[1]} of table {key[0]}"
                    raise disk_error(what, error) from error

    def _stored(self, entry: ShardEntry) -> dict[int, StoredSegment]:
        if entry.unit is None:
            return self._own_files(entry)
        rows = {segment.ordinal: segment.rows for segment in entry.segments}
        data = memoryview(self._unit(entry.unit))
        place = f"{entry.unit.file} offset {entry.unit.offset}"
        return decode_unit(data, rows.__getitem__, place)

    def _own_files(self, entry: ShardEntry) -> dict[int, StoredSegment]:
        marks: dict[int, Marks] = {}
        if entry.marks is not None:
            data = self._disk.map_readonly(self._folder / entry.marks)
            marks = decode_marks(data, self._identity, entry.marks)
        found = {}
        for segment in entry.segments:
            if segment.dropped:
                continue
            buffers, data_file = self._columns(segment)
            found[segment.ordinal] = StoredSegment(buffers, marks[segment.ordinal], data_file)
        return found

    def columns(self, segment: SegmentEntry) -> StoredColumns:
        """The columns of a segment that has a file of its own, in place."""
        buffers, data_file = self._columns(segment)
        return StoredColumns(column_buffers(buffers), data_file)

    def _columns(self, segment: SegmentEntry) -> tuple[list[Buffer], DataFile]:
        data = self._disk.map_readonly(self._folder / segment.file)
        buffers = decode_segment(data, self._identity, segment.file)
        return buffers, DataFile(f"data/{segment.file}", pa.py_buffer(data).address)

    def _unit(self, unit: Unit) -> bytes:
        file = self._disk.open_read(self._folder / unit.file)
        try:
            header = decode_header(file.pread(0, HEADER_BYTES), PACK, unit.file)
            check_identity(header, self._identity, unit.file)
            return file.pread(unit.offset, unit.length)
        finally:
            file.close()

    def clean(self, kept: Iterable[str]) -> None:
        """Remove every file that is not among `kept`."""
        keep = set(kept)
        for table in self._disk.list(self._folder):
            inner = self._disk.list(self._folder / table)
            folders = [table] if table == PACKS else [f"{table}/{shard}" for shard in inner]
            for folder in folders:
                for name in self._disk.list(self._folder / folder):
                    if f"{folder}/{name}" not in keep:
                        self._disk.unlink(self._folder / folder / name)


def _entry(image: SegmentImage, name: str) -> SegmentEntry:
    return SegmentEntry(
        image.ordinal,
        image.rows,
        image.first_ordinal,
        image.capacity,
        name,
        image.schema_version,
        image.sealed,
        image.dropped,
    )


def _image(entry: SegmentEntry, stored: StoredSegment, newest: int) -> SegmentImage:
    return SegmentImage(
        ordinal=entry.ordinal,
        rows=entry.rows,
        first_ordinal=entry.first_ordinal,
        capacity=entry.capacity,
        schema_version=entry.schema_version,
        sealed=entry.sealed or entry.schema_version != newest,
        buffers=[(buffer.column, buffer.role, buffer.data) for buffer in stored.buffers],
        mark_words=stored.marks.marks,
        runs=stored.marks.runs,
        data_file=stored.data_file,
    )
