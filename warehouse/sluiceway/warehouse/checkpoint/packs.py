"""Packs: the small shards of a checkpoint, many in one file, so that each costs no file of its own.

    data/packs/<n, 10 digits>.pack = file header (64 bytes) | units, each at a multiple of 64

A unit is all that a checkpoint keeps of one shard:

| offset | type | field |
|---|---|---|
| 0 | u64, u64 | length of the directory, XXH3-64 of all that follows in the unit |
| 16 | JSON | directory: for each segment `[ordinal, columns, marks, runs]` |
| … | | 0 to a multiple of 64, then the buffers, each at a multiple of 64 |

`columns` are `[column id, role, offset, length]`; `marks` is `[offset, length]` of int64[rows], or
null while every row is alive; `runs` is `[offset, length]` of int64[n, 3]. Offsets count from the
first multiple of 64 behind the directory. Invariants: a pack never changes once a manifest names
it; a unit is found by the (file, offset, length) of the manifest alone, and verified as a whole; a
start copies units into memory, so that a pack may go while the process runs.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import xxhash

from sluiceway.catalog import CorruptionError
from sluiceway.warehouse.checkpoint.datafile import Buffer, Marks
from sluiceway.warehouse.checkpoint.manifest import Unit
from sluiceway.warehouse.disk import Disk, Piece
from sluiceway.warehouse.header import PACK, FileHeader, Identity
from sluiceway.warehouse.table import DataFile, SegmentImage

PACKS = "packs"
SUFFIX = ".pack"
PACK_BYTES = 32 << 20
PACKS_MAX = 16
_ALIGN_BYTES = 64
_DIRECTORY_AT = 16


class StoredSegment(NamedTuple):
    """One segment as a file has it; `data_file` is None if it is copied out of there."""

    buffers: list[Buffer]
    marks: Marks
    data_file: DataFile | None = None


def encode_unit(images: Sequence[SegmentImage]) -> bytes:
    """The bytes of a unit; they are a copy, so that an open segment may go on growing."""
    body = bytearray()

    def add(data: memoryview) -> tuple[int, int]:
        at = len(body)
        body.extend(data)
        body.extend(bytes(-len(body) % _ALIGN_BYTES))
        return at, len(data)

    directory = [
        (
            image.ordinal,
            [(column, role, *add(data.cast("B"))) for column, role, data in image.buffers],
            add(image.marks.data.cast("B")) if image.marks.any() else None,
            add(np.ascontiguousarray(image.runs).data.cast("B")),
        )
        for image in images
        if not image.dropped
    ]
    text = json.dumps(directory, separators=(",", ":")).encode()
    rest = text + bytes(-(_DIRECTORY_AT + len(text)) % _ALIGN_BYTES) + body
    checksum = xxhash.xxh3_64_intdigest(rest)
    return len(text).to_bytes(8, "little") + checksum.to_bytes(8, "little") + rest


def decode_unit(
    data: memoryview, rows: Callable[[int], int], name: str
) -> dict[int, StoredSegment]:
    """The segments of a unit by ordinal, in place; `rows` says how many rows an ordinal has."""
    length, checksum = (int.from_bytes(data[at : at + 8], "little") for at in (0, 8))
    if xxhash.xxh3_64_intdigest(data[_DIRECTORY_AT:]) != checksum:
        raise CorruptionError(f"{name}: the checksum of the unit is wrong")
    end = _DIRECTORY_AT + length
    body = data[end + -end % _ALIGN_BYTES :]

    def words(place: Sequence[int]) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
        return np.frombuffer(body[place[0] : place[0] + place[1]], np.int64)

    try:
        found = {}
        for ordinal, columns, marks, runs in json.loads(bytes(data[_DIRECTORY_AT:end])):
            dead = np.zeros(rows(ordinal), np.int64) if marks is None else words(marks)
            history = Marks(ordinal, dead, words(runs).reshape(-1, 3))
            buffers = [
                Buffer(column, role, body[at : at + size]) for column, role, at, size in columns
            ]
            found[ordinal] = StoredSegment(buffers, history)
        return found
    except (LookupError, TypeError, ValueError) as error:
        raise CorruptionError(f"{name}: not a unit of a pack: {error}") from error


class PackWriter:
    """Gathers units and writes them as packs; no unit is anywhere before `finish` returned."""

    def __init__(self, disk: Disk, folder: Path, identity: Identity, incarnation: int) -> None:
        self._disk = disk
        self._folder = folder
        self._header = FileHeader(PACK, identity, incarnation).encode()
        there = [name.removesuffix(SUFFIX) for name in disk.list(folder / PACKS)]
        self._number = max([int(stem) for stem in there if stem.isdecimal()], default=0) + 1
        self._begin()

    def add(self, unit: bytes) -> Unit:
        """Take a unit; returns where it will be."""
        if self._size + len(unit) > PACK_BYTES and len(self._pieces) > 1:
            self.finish()
        place = Unit(f"{PACKS}/{self._number:010d}{SUFFIX}", self._size, len(unit))
        self._pieces.append(unit)
        self._size += len(unit)
        return place

    def finish(self) -> None:
        """Write what was taken since the last pack."""
        if len(self._pieces) == 1:
            return
        self._disk.mkdir(self._folder / PACKS)
        self._disk.replace(self._folder / PACKS / f"{self._number:010d}{SUFFIX}", self._pieces)
        self._number += 1
        self._begin()

    def _begin(self) -> None:
        self._pieces: list[Piece] = [self._header]
        self._size = len(self._header)


def worn(units: Iterable[Unit], size_bytes_of: Callable[[str], int]) -> set[str]:
    """The packs whose units are to be written again: half empty ones, the smallest of too many."""
    live_bytes: Counter[str] = Counter()
    for unit in units:
        live_bytes[unit.file] += unit.length
    smallest = sorted(live_bytes, key=live_bytes.__getitem__)
    half_empty = {name for name in smallest if live_bytes[name] * 2 < size_bytes_of(name)}
    return half_empty | set(smallest[: max(len(smallest) - PACKS_MAX, 0)])
