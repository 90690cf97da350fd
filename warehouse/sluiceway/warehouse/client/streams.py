"""What a client reads: batches with their metadata, as they arrive.

Invariants: a stream ends by `close`, with its `with` block or by itself, and then the server is
free of it; `next` is always where to go on after what was yielded.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.flight as fl

from sluiceway.warehouse.client.errors import translated


@dataclass(frozen=True)
class Chunk:
    """One batch of a stream and the JSON beside it: `next` and, by stream, more (docs/wire.md)."""

    batch: pa.RecordBatch
    metadata: dict[str, Any]

    @property
    def next(self) -> int:
        """The ordinal or LSN to resume at after this batch."""
        return int(self.metadata["next"])


@dataclass(frozen=True)
class ChangeBatch:
    """Changes of one shard: `RecordBatch[_event: int8, _lsn: int64, _time: int64, …]`.

    Empty when nothing happened for a heartbeat; `schema_changed` stands on the last batch of a
    stream whose table was altered.
    """

    batch: pa.RecordBatch
    next: int
    published: int
    schema_changed: bool


class Chunks:
    """An open stream of batches with metadata; iterate it, close it."""

    def __init__(self, reader: fl.FlightStreamReader, endpoint: str) -> None:
        self._reader = reader
        self._endpoint = endpoint
        with translated(endpoint):
            self.schema: pa.Schema = reader.schema

    def __iter__(self) -> Iterator[Chunk]:
        while True:
            with translated(self._endpoint):
                try:
                    chunk = self._reader.read_chunk()
                except StopIteration:
                    return
            metadata = chunk.app_metadata
            yield Chunk(chunk.data, {} if metadata is None else json.loads(metadata.to_pybytes()))

    def to_reader(self) -> pa.RecordBatchReader:
        """Return the batches without their metadata."""
        return pa.RecordBatchReader.from_batches(self.schema, (chunk.batch for chunk in self))

    def close(self) -> None:
        """Tell the server that nobody reads on."""
        self._reader.cancel()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class Changes(Chunks):
    """An open subscription; iterate it for ever, or until the server ends it."""

    def changes(self) -> Iterator[ChangeBatch]:
        """Yield changes and heartbeats as they come."""
        for chunk in self:
            said = chunk.metadata
            changed = bool(said.get("schema_changed", False))
            yield ChangeBatch(chunk.batch, chunk.next, int(said["published"]), changed)
