"""Writes a shard into files and makes a shard from them.

Invariants: rows that were written are never written again under another name, only once more as
part of a longer tail; a file that no kept manifest names is garbage, whoever left it, and goes at
the next checkpoint or start; columns of the tail are copied before they are summed, since the next
commit appends beside them; a tail whose schema was altered after it was written is sealed.
"""

from collections.abc import Callable, Iterable
from pathlib import Path

import pyarrow as pa

from sluiceway.catalog import Catalog, Table
from sluiceway.warehouse.checkpoint.datafile import (
    Buffer,
    Marks,
    decode_marks,
    decode_segment,
    encode_marks,
    encode_segment,
)
from sluiceway.warehouse.checkpoint.manifest import SegmentEntry, ShardEntry
from sluiceway.warehouse.disk import Disk
from sluiceway.warehouse.header import Identity
from sluiceway.warehouse.mapped import Memory
from sluiceway.warehouse.table import DataFile, SegmentImage, Shard


class ShardFiles:
    """The files of all shards below the data folder."""

    def __init__(self, disk: Disk, folder: Path, identity: Identity) -> None:
        self._disk = disk
        self._folder = folder
        self._identity = identity
        self.incarnation = 0

    def write(
        self, shard: Shard, table: Table, number: int, lsn: int, catalog: Catalog, known: set[str]
    ) -> ShardEntry:
        """Write what of a shard at `lsn` is not in the `known` files, and describe the whole."""
        place = f"{table.id}/{number}"
        images = shard.images(lsn)
        if not images:
            return ShardEntry(lsn, table.generation, (), None)
        self._disk.mkdir(self._folder / place)
        segments, marks = [], []
        for image in images:
            if image.dropped:
                segments.append(_entry(image, ""))
                continue
            name = f"{place}/{image.ordinal}.{image.rows}.seg"
            if name not in known:
                self._write_segment(name, image, catalog.schema(table.id, image.schema_version))
            segments.append(_entry(image, name))
            marks.append(Marks(image.ordinal, image.marks, image.runs))
        marks_name = f"{place}/{lsn}.marks"
        pieces = encode_marks(self._identity, self.incarnation, lsn, marks)
        self._disk.replace(self._folder / marks_name, pieces)
        return ShardEntry(lsn, table.generation, tuple(segments), marks_name)

    def _write_segment(self, name: str, image: SegmentImage, table: Table) -> None:
        buffers = [
            Buffer(column, role, data if image.sealed else memoryview(bytes(data)))
            for column, role, data in image.buffers
        ]
        pieces = encode_segment(self._identity, self.incarnation, table, buffers)
        self._disk.replace(self._folder / name, pieces)

    def load(
        self,
        entry: ShardEntry,
        table: Table,
        number: int,
        memory: Memory,
        schema_of: Callable[[int], Table],
    ) -> Shard:
        """A shard as it was at the checkpoint; sealed segments stay in their files."""
        marks: dict[int, Marks] = {}
        if entry.marks is not None:
            data = self._disk.map_readonly(self._folder / entry.marks)
            marks = decode_marks(data, self._identity, entry.marks)
        images = [
            SegmentImage.place(
                segment.ordinal, segment.rows, segment.first_ordinal, segment.schema_version
            )
            if segment.dropped
            else self._image(segment, marks[segment.ordinal], table.schema_version)
            for segment in entry.segments
        ]
        return Shard.load(table, number, memory, images, entry.lsn, schema_of)

    def _image(self, entry: SegmentEntry, marks: Marks, newest: int) -> SegmentImage:
        data = self._disk.map_readonly(self._folder / entry.file)
        buffers = decode_segment(data, self._identity, entry.file)
        return SegmentImage(
            ordinal=entry.ordinal,
            rows=entry.rows,
            first_ordinal=entry.first_ordinal,
            capacity=entry.capacity,
            schema_version=entry.schema_version,
            sealed=entry.sealed or entry.schema_version != newest,
            buffers=[(buffer.column, buffer.role, buffer.data) for buffer in buffers],
            marks=marks.marks,
            runs=marks.runs,
            data_file=DataFile(f"data/{entry.file}", pa.py_buffer(data).address),
        )

    def clean(self, kept: Iterable[str]) -> None:
        """Remove every file that is not among `kept`."""
        keep = set(kept)
        for table in self._disk.list(self._folder):
            for shard in self._disk.list(self._folder / table):
                for name in self._disk.list(self._folder / table / shard):
                    if f"{table}/{shard}/{name}" not in keep:
                        self._disk.unlink(self._folder / table / shard / name)


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
