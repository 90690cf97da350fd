"""Reads parts of records by `pread`, each verified by its own checksum.

Invariant: whatever bytes the disk returns, the outcome is the part as it was written or a
CorruptionError that names file and offset.
"""

import json
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sluiceway.catalog import CorruptionError
from sluiceway.warehouse.log.files import LogFiles
from sluiceway.warehouse.log.format import (
    ENTRY_BYTES,
    RECORD_HEADER_BYTES,
    Entries,
    PartKind,
    decode_directory,
    decode_record_header,
    split_body,
)
from sluiceway.warehouse.log.writer import Located


class Images(NamedTuple):
    """A ROWS part: positions int32[n], kinds int8[n], and the images in the table's schema."""

    positions: npt.NDArray[np.int32]
    kinds: npt.NDArray[np.int8]
    after: pa.RecordBatch
    before: pa.RecordBatch


def read_pieces(files: LogFiles, file: int, offset: int, entry: np.void) -> tuple[memoryview, ...]:
    """The four verified pieces of a part whose body starts at `offset`."""
    body = files.handle(file).pread(offset, int(entry["length"]))
    try:
        return split_body(entry, body)
    except CorruptionError as error:
        raise CorruptionError(f"{files.path(file)} offset {offset}: {error}") from error


def read_entries(files: LogFiles, file: int, record: int) -> Entries:
    """The directory of the record at `record`."""
    pread = files.handle(file).pread
    try:
        header = decode_record_header(pread(record, RECORD_HEADER_BYTES))
        directory = pread(record + RECORD_HEADER_BYTES, ENTRY_BYTES * header.parts)
        return decode_directory(header, directory)
    except CorruptionError as error:
        raise CorruptionError(f"{files.path(file)} offset {record}: {error}") from error


def read_json(files: LogFiles, file: int, record: int, entry: np.void) -> Any:
    """The document of a JSON part of the record at `record`."""
    offset = record + int(entry["offset"])
    pieces = read_pieces(files, file, offset, entry)
    try:
        return json.loads(bytes(pieces[2]))
    except ValueError as error:
        raise CorruptionError(f"{files.path(file)} offset {offset}: {error}") from error


def read_documents(files: LogFiles, located: Located) -> list[Any]:
    """The documents of all JSON parts of a record."""
    return [
        read_json(files, located.file, located.offset, entry)
        for entry in located.entries
        if entry["kind"] == PartKind.JSON
    ]


def read_images(
    files: LogFiles, file: int, offset: int, entry: np.void, schema: pa.Schema
) -> Images:
    """The rows of a part, decoded in the schema that it was written with."""
    positions, kinds, after, before = read_pieces(files, file, offset, entry)
    try:
        return Images(
            np.frombuffer(positions, np.int32),
            np.frombuffer(kinds, np.int8),
            _batch(after, schema),
            _batch(before, schema),
        )
    except (pa.ArrowException, ValueError, OSError) as error:
        raise CorruptionError(f"{files.path(file)} offset {offset}: {error}") from error


def _batch(message: memoryview, schema: pa.Schema) -> pa.RecordBatch:
    if not len(message):
        return _empty(schema)
    return pa.ipc.read_record_batch(pa.py_buffer(message), schema)


def _empty(schema: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array([], field.type) for field in schema], schema=schema)


def serialize(batch: pa.RecordBatch) -> memoryview | bytes:
    """One Arrow IPC message, or nothing for a batch without rows."""
    return memoryview(batch.serialize()) if batch.num_rows else b""
