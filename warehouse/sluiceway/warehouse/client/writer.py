"""The client's end of a DoPut stream: batches out, acknowledgements in, a window between.

Invariants: at most `window` batches are unacknowledged; acknowledgements come in the order of the
batches; after an error the writer is closed and every later call raises it again.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.flight as fl

from sluiceway.catalog import SluicewayError
from sluiceway.warehouse.client.errors import sluiceway_error
from sluiceway.warehouse.client.routes import Routes

WINDOW_DEFAULT = 4


@dataclass(frozen=True)
class Ack:
    """A batch is on disk: its commit LSN, its input rows and the change events that it made."""

    lsn: int
    rows: int
    events: int


class Writer:
    """Writes batches of one schema into one table; use it as a context manager."""

    def __init__(
        self,
        routes: Routes,
        command: bytes,
        schema: pa.Schema,
        *,
        window: int = WINDOW_DEFAULT,
    ) -> None:
        if window < 1:
            raise ValueError(f"window is {window}; at least one batch must be under way")
        self._routes = routes
        self._endpoint = routes.server.endpoint
        self._window = window
        self._under_way = 0
        self._error: SluicewayError | None = None
        self._closed = False
        descriptor = fl.FlightDescriptor.for_command(command)
        try:
            self._stream, self._answers = routes.server.flight.do_put(descriptor, schema)
        except (fl.FlightError, pa.ArrowException, OSError) as error:
            raise sluiceway_error(error, self._endpoint) from error

    def write(self, batch: pa.RecordBatch) -> list[Ack]:
        """Send one batch; return the acknowledgements that had to come first."""
        acks = [self._answer() for _ in range(self._under_way - self._window + 1)]
        self._send(batch)
        return acks

    def flush(self) -> list[Ack]:
        """Wait until everything written is on disk."""
        return [self._answer() for _ in range(self._under_way)]

    def close(self) -> list[Ack]:
        """Flush and end the stream."""
        if self._closed:
            return []
        acks = self.flush()
        self._closed = True
        try:
            self._stream.close()
        except (fl.FlightError, pa.ArrowException, OSError) as error:
            raise sluiceway_error(error, self._endpoint) from error
        return acks

    def _send(self, batch: pa.RecordBatch) -> None:
        self._check()
        try:
            self._stream.write_batch(batch)
        except (fl.FlightError, pa.ArrowException, OSError) as error:
            raise self._failed(error) from error
        self._under_way += 1

    def _answer(self) -> Ack:
        self._check()
        try:
            answer = self._answers.read()
        except (fl.FlightError, pa.ArrowException, OSError) as error:
            raise self._failed(error) from error
        said: dict[str, Any] = {} if answer is None else json.loads(answer.to_pybytes())
        if "lsn" not in said:  # the server ended the stream, or is about to: ask it why
            raise self._failed(None)
        self._under_way -= 1
        self._routes.acknowledged(said["lsn"])
        return Ack(said["lsn"], said["rows"], said["events"])

    def _check(self) -> None:
        if self._error is not None:
            raise self._error
        if self._closed:
            raise ValueError("the writer is closed; open another")

    def _failed(self, error: Exception | None) -> SluicewayError:
        """Close the stream, which names the server's own reason, and remember that."""
        try:
            self._stream.close()
        except (fl.FlightError, pa.ArrowException, OSError) as reason:
            error = reason
        ended = f"{self._endpoint} ended the stream with {self._under_way} batches unacknowledged"
        cause = SluicewayError(ended) if error is None else sluiceway_error(error, self._endpoint)
        self._error, self._closed = cause, True
        return cause

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None:
            self.close()
        elif not self._closed:
            self._failed(None)


def write_rows(
    open_writer: Callable[[pa.Schema], Writer], rows: pa.RecordBatch | pa.Table
) -> list[Ack]:
    """Write rows through a stream of their own and wait for the disk. One ack a batch."""
    batches = batches_of(rows)
    if not batches:
        return []
    acks: list[Ack] = []
    with open_writer(batches[0].schema) as writer:
        for batch in batches:
            acks += writer.write(batch)
        acks += writer.flush()
    return acks


def batches_of(rows: pa.RecordBatch | pa.Table) -> list[pa.RecordBatch]:
    """Return the batches of rows, each with their kinds as the first column."""
    batches = [rows] if isinstance(rows, pa.RecordBatch) else rows.to_batches()
    return [with_op(batch) for batch in batches]


def with_op(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return the batch with row kinds as its first column, all inserts when it has none.

    A first column of int8 that is called `_op` or nothing is such; others are the table's.
    """
    schema = batch.schema
    if schema.names[:1] in (["_op"], [""]) and pa.types.is_int8(schema.field(0).type):
        return batch
    ops = pa.repeat(pa.scalar(0, pa.int8()), batch.num_rows)
    schema = pa.schema([pa.field("", pa.int8(), nullable=False), *schema])
    return pa.RecordBatch.from_arrays([ops, *batch.columns], schema=schema)
