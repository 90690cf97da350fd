"""Data files and marks files.

    data/<table>/<shard>/<ordinal>.<rows>.seg   rows of one segment, mapped in place by a start
        file header | u64 length, u64 XXH3-64 of the directory | JSON directory | 0 to 4,096
        | buffers, each at a multiple of 4,096
    data/<table>/<shard>/<lsn>.marks            what changes about rows that are written
        file header | u64 length, u64 XXH3-64 of the directory | JSON directory | 0 to 8
        | for each segment its marks and its runs, each one Arrow IPC stream (lz4)

Offsets in a directory count from the first multiple of 4,096 (of 8) behind it. Invariants: a file
never changes once it has a name, for the name carries its row count (its LSN); every buffer is
verified by its own checksum when it is opened.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import xxhash

from sluiceway.catalog import CorruptionError, Table
from sluiceway.warehouse.disk import Piece
from sluiceway.warehouse.header import (
    HEADER_BYTES,
    MARKS,
    SEGMENT,
    FileHeader,
    Identity,
    check_identity,
    decode_header,
)

SEGMENT_ALIGN_BYTES, MARKS_ALIGN_BYTES = 4_096, 8
_DIRECTORY_AT = HEADER_BYTES + 16
_MARK = pa.schema([pa.field("mark", pa.int64(), False)])
_RUN = pa.schema([pa.field(name, pa.int64(), False) for name in ("lsn", "time_us", "end_row")])
_LZ4 = pa.ipc.IpcWriteOptions(compression="lz4")

Int64s = npt.NDArray[np.int64]


class Buffer(NamedTuple):
    """One buffer of a column: `role` says which."""

    column: int
    role: str
    data: memoryview


class Marks(NamedTuple):
    """Marks int64[rows] and runs int64[n, 3] (LSN, time, end row) of one segment."""

    ordinal: int
    marks: Int64s
    runs: Int64s


class _Layout:
    """Collects blobs behind a directory, each at a multiple of `align`."""

    def __init__(self, align: int) -> None:
        self._align = align
        self._at = 0
        self.pieces: list[Piece] = []

    def add(self, blob: Piece) -> dict[str, int]:
        """Append a blob and say where it lies."""
        checksum = xxhash.xxh3_64_intdigest(blob)
        place = {"offset": self._at, "length": len(blob), "checksum": checksum}
        padding = -len(blob) % self._align
        self.pieces += (blob, bytes(padding))
        self._at += len(blob) + padding
        return place

    def file(self, header: FileHeader, directory: Any) -> list[Piece]:
        """All bytes of the file."""
        text = json.dumps(directory, separators=(",", ":")).encode()
        lengths = len(text).to_bytes(8, "little")
        lengths += xxhash.xxh3_64_intdigest(text).to_bytes(8, "little")
        padding = bytes(-(_DIRECTORY_AT + len(text)) % self._align)
        return [header.encode(), lengths, text, padding, *self.pieces]


class _Opened:
    """The directory of a file and its blobs, verified as they are taken."""

    def __init__(
        self, data: memoryview, kind: bytes, identity: Identity, align: int, name: str
    ) -> None:
        check_identity(decode_header(bytes(data[:HEADER_BYTES]), kind, name), identity, name)
        length = int.from_bytes(data[HEADER_BYTES : HEADER_BYTES + 8], "little")
        checksum = int.from_bytes(data[HEADER_BYTES + 8 : _DIRECTORY_AT], "little")
        text = bytes(data[_DIRECTORY_AT : _DIRECTORY_AT + length])
        if len(text) != length or xxhash.xxh3_64_intdigest(text) != checksum:
            raise CorruptionError(f"{name}: the checksum of the directory is wrong")
        self._name = name
        self._data = data
        self._base = _DIRECTORY_AT + length + (-(_DIRECTORY_AT + length) % align)
        self.directory: Any = json.loads(text)

    def blob(self, place: Any) -> memoryview:
        """The bytes at a place of the directory."""
        start = self._base + int(place["offset"])
        blob = self._data[start : start + int(place["length"])]
        if len(blob) != place["length"] or (xxhash.xxh3_64_intdigest(blob) != place["checksum"]):
            raise CorruptionError(f"{self._name} offset {start}: the checksum is wrong")
        return blob


def encode_segment(
    identity: Identity, incarnation: int, table: Table, buffers: Sequence[Buffer]
) -> list[Piece]:
    """The bytes of a data file."""
    layout = _Layout(SEGMENT_ALIGN_BYTES)
    columns: dict[int, dict[str, Any]] = {}
    for column_id, role, data in buffers:
        known = table.column_by_id(column_id)
        about = columns.setdefault(column_id, {"id": column_id, "name": None, "buffers": []})
        if known is not None:
            about |= {"name": known.name, "type": known.type.sql()}
        about["buffers"].append({"role": role, **layout.add(data.cast("B"))})
    header = FileHeader(SEGMENT, identity, incarnation)
    return layout.file(header, {"columns": list(columns.values())})


def decode_segment(data: memoryview, identity: Identity, name: str) -> list[Buffer]:
    """The buffers of a data file, in place."""
    try:
        opened = _Opened(data, SEGMENT, identity, SEGMENT_ALIGN_BYTES, name)
        return [
            Buffer(int(column["id"]), str(place["role"]), opened.blob(place))
            for column in opened.directory["columns"]
            for place in column["buffers"]
        ]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CorruptionError(f"{name}: not a data file: {error}") from error


def encode_marks(
    identity: Identity, incarnation: int, lsn: int, segments: Iterable[Marks]
) -> list[Piece]:
    """The bytes of a marks file."""
    layout = _Layout(MARKS_ALIGN_BYTES)
    directory = [
        {
            "ordinal": one.ordinal,
            "marks": layout.add(_stream([one.marks], _MARK)),
            "runs": layout.add(_stream(list(one.runs.T), _RUN)),
        }
        for one in segments
    ]
    header = FileHeader(MARKS, identity, incarnation)
    return layout.file(header, {"lsn": lsn, "segments": directory})


def decode_marks(data: memoryview, identity: Identity, name: str) -> dict[int, Marks]:
    """Marks and runs by segment ordinal."""
    try:
        opened = _Opened(data, MARKS, identity, MARKS_ALIGN_BYTES, name)
        found = {}
        for segment in opened.directory["segments"]:
            (marks,) = _columns(opened.blob(segment["marks"]), _MARK)
            runs = np.stack(_columns(opened.blob(segment["runs"]), _RUN), axis=1)
            ordinal = int(segment["ordinal"])
            found[ordinal] = Marks(ordinal, marks, runs)
        return found
    except (KeyError, TypeError, ValueError, AttributeError, pa.ArrowException) as error:
        raise CorruptionError(f"{name}: not a marks file: {error}") from error


def _stream(columns: Sequence[Int64s], schema: pa.Schema) -> memoryview:
    batch = pa.record_batch([pa.array(column) for column in columns], schema=schema)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema, options=_LZ4) as stream:
        stream.write_batch(batch)
    return memoryview(sink.getvalue())


def _columns(data: memoryview, schema: pa.Schema) -> list[Int64s]:
    with pa.ipc.open_stream(pa.py_buffer(data)) as stream:
        table = stream.read_all()
    if table.schema != schema:
        raise ValueError(f"columns {table.schema.names}")
    return [column.to_numpy() for column in table.columns]
