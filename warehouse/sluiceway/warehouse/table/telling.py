"""What other processes are told about the files of a shard: the lines of `notices`, both ways.

Invariants: a line is appended before an index entry names what it tells of and before what it
replaces is unlinked; lines applied in order give the segments and the partitions that the writer
has (docs/format.md, "Reading processes").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from sluiceway.catalog import Table

from ..notices import Notices
from .index import DIRECTORY_BITS, Partition
from .segment import Segment

DIRECTORY = 1 << DIRECTORY_BITS


class Telling:
    """The writer's end, for one shard."""

    def __init__(self, notices: Notices, table_id: int, shard: int) -> None:
        self._notices = notices
        self._shard = (table_id, shard)
        self._version = 0
        self._segments: dict[int, tuple[frozenset[int], bool]] = {}
        self._settled = 0
        self._partitions: frozenset[str] = frozenset()

    def schema(self, table: Table) -> None:
        """Tell a schema version, before anything is told that uses it."""
        self._notices.append_new((table.id, table.schema_version), {"schema": table.to_json()})

    def tell(
        self, version: int, segments: Sequence[Segment], partitions: Sequence[Partition]
    ) -> None:
        """Tell what is new since the last time."""
        changed = [s for s in segments[self._settled :] if self._is_new(s)]
        fresh = [p for p in partitions if p.mapped.path.name not in self._partitions]
        if not changed and not fresh and version == self._version:
            return
        self._notices.append(
            {
                "shard": self._shard,
                "version": version,
                "segments": [_segment(segment) for segment in changed],
                "index": [(p.depth, p.prefix, p.slots, p.mapped.path.name) for p in fresh],
            }
        )
        self._version = version
        self._partitions = frozenset(p.mapped.path.name for p in partitions)
        self._settle(segments)

    def segments(self, changed: Sequence[Segment]) -> None:
        """Tell segments again that were dropped or lie elsewhere by now."""
        self._notices.append(
            {
                "shard": self._shard,
                "version": self._version,
                "segments": [_segment(segment) for segment in changed],
                "index": [],
            }
        )

    def empty(self) -> None:
        """Tell that nothing is left of the shard, and nothing comes."""
        self._notices.append({"empty": self._shard})

    def rest(self) -> None:
        """Tell that the shard is cold again; what comes after begins anew."""
        self._notices.append({"rest": self._shard})
        self._version = self._settled = 0
        self._segments.clear()
        self._partitions = frozenset()

    def drop(self) -> None:
        """Tell that the table is gone."""
        self._notices.append({"drop": self._shard})

    def _is_new(self, segment: Segment) -> bool:
        told = self._segments.get(segment.ordinal)
        return told != (segment.with_nulls, segment.sealed)

    def _settle(self, segments: Sequence[Segment]) -> None:
        """Take note; sealed segments at the front never change again."""
        for segment in segments[self._settled :]:
            self._segments[segment.ordinal] = (segment.with_nulls, segment.sealed)
        while self._settled < len(segments) and segments[self._settled].sealed:
            del self._segments[segments[self._settled].ordinal]
            self._settled += 1


def _segment(segment: Segment) -> dict[str, Any]:
    if segment.dropped:
        return {
            "ordinal": segment.ordinal,
            "first": segment.first_ordinal,
            "version": segment.schema_version,
            "rows": segment.rows,
            "dropped": True,
        }
    data = segment.data_file

    def place(buffer: pa.Buffer) -> tuple[int, int]:
        return (buffer.address - data.address, buffer.size) if buffer.size else (0, 0)

    return {
        "ordinal": segment.ordinal,
        "first": segment.first_ordinal,
        "capacity": segment.capacity_rows,
        "version": segment.schema_version,
        "rows": segment.rows if segment.sealed else None,
        "nulls": sorted(segment.with_nulls),
        "file": data.name,
        "side": segment.side.mapped.path.name,
        "columns": [
            (at, *(word for buffer in c.arrow() for word in place(buffer)))
            for at, c in segment.buffers.items()
        ],
    }


@dataclass(frozen=True)
class ToldPartition:
    """A partition of the index."""

    slots: int
    file: str


@dataclass(frozen=True)
class ToldShard:
    """All that was told of a shard so far; `index` by directory entry."""

    version: int
    segments: tuple[Mapping[str, Any], ...]
    index: tuple[ToldPartition | None, ...]

    @classmethod
    def none(cls) -> ToldShard:
        """Return what is known before anything was told."""
        return cls(0, (), (None,) * DIRECTORY)

    def emptied(self) -> ToldShard:
        """Return what is known after a line `{"empty": …}`."""
        return ToldShard(self.version, (), (None,) * DIRECTORY)

    def after(self, notice: Mapping[str, Any]) -> ToldShard:
        """Return what is known after a line `{"shard": …}`."""
        segments = {segment["ordinal"]: segment for segment in self.segments}
        segments.update((segment["ordinal"], segment) for segment in notice["segments"])
        index = list(self.index)
        for depth, prefix, slots, file in notice["index"]:
            wide = DIRECTORY >> depth
            index[prefix * wide : (prefix + 1) * wide] = [ToldPartition(slots, file)] * wide
        ordered = tuple(segments[ordinal] for ordinal in sorted(segments))
        return ToldShard(notice["version"], ordered, tuple(index))
