"""Writes: one DoPut stream of batches in, one acknowledgement each out.

The handler's thread reads and submits; a second thread waits for commits and answers, so that the
next batches of a stream join the group commit while the first is on its way to the disk.

Invariants:
* an acknowledgement is written after the fsync, in the order of the batches;
* at most IN_FLIGHT_MAX batches of a stream are submitted and not yet answered; the next is read
  from the stream meanwhile, and waits;
* after the first failure nothing of the stream is acknowledged, and nothing more is submitted.
"""

import queue
import threading
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import asdict

import pyarrow as pa
import pyarrow.flight as fl

from sluiceway.catalog import UserError
from sluiceway.warehouse.server.errors import as_sluiceway
from sluiceway.warehouse.server.requests import Stage, Write, WriteAll
from sluiceway.warehouse.server.service import Service, named_table
from sluiceway.warehouse.server.transaction import writes_of
from sluiceway.warehouse.server.wire import to_bytes
from sluiceway.warehouse.store import Ack, WriteRequest

# Enough to hide one fsync behind the next batch; a client's window is usually 4.
IN_FLIGHT_MAX = 8


class PutStream:
    """The two ends of one DoPut stream and the batches between them."""

    def __init__(
        self, service: Service, request: Write | WriteAll | Stage, writer: fl.FlightMetadataWriter
    ) -> None:
        self._service = service
        self._several = isinstance(request, WriteAll)
        self._stage = request if isinstance(request, Stage) else None
        self._sequence = 0
        heads = request.tables if isinstance(request, WriteAll) else (request,)
        self._requests = [_checked(service, head) for head in heads]
        names = (f'"{each.database}"."{each.table}"' for each in self._requests)
        self._what = f"write to {', '.join(names)}"
        self._writer = writer
        self._submitted: queue.SimpleQueue[Future[Ack] | None] = queue.SimpleQueue()
        self._window = threading.Semaphore(IN_FLIGHT_MAX)
        self._error: Exception | None = None

    def run(self, context: fl.ServerCallContext, reader: fl.MetadataRecordBatchReader) -> None:
        """Commit batch after batch until the client ends the stream or one fails."""
        answering = threading.Thread(target=self._answer, name="put-answers", daemon=True)
        answering.start()
        try:
            while self._error is None and not self._service.gone(context):
                batch = _next_batch(reader)
                if batch is None:
                    break
                self._window.acquire()
                if self._error is None:
                    self._submitted.put(self._submit(batch))
        finally:
            self._submitted.put(None)
            answering.join()
        if self._error is not None:
            raise self._error

    def _submit(self, batch: pa.RecordBatch) -> Future[Ack]:
        warehouse = self._service.warehouse
        if self._several:
            return warehouse.submit(*writes_of(batch, self._requests))
        if self._stage is not None:
            return self._submit_staged(self._stage, batch)
        return warehouse.submit((self._requests[0], batch))

    def _submit_staged(self, stage: Stage, batch: pa.RecordBatch) -> Future[Ack]:
        """Stage a batch under the number that follows the one before it."""
        sequence = stage.sequence + self._sequence
        self._sequence += 1
        [request] = self._requests
        return self._service.warehouse.stage(stage.name, stage.epoch, sequence, request, batch)

    def _answer(self) -> None:
        """Write one acknowledgement a batch, in order; after a failure only drain the queue."""
        while (future := self._submitted.get()) is not None:
            try:
                ack = future.result()
                if self._error is None:
                    self._writer.write(pa.py_buffer(to_bytes(asdict(ack))))
            except Exception as error:
                if self._error is None:
                    self._error = error
                    self._tell(error)
            finally:
                self._window.release()

    def _tell(self, error: Exception) -> None:
        """Answer a failed batch at once: the handler waits for the client, the client for us."""
        with suppress(Exception):  # the client may be gone; then there is nobody to tell
            said = as_sluiceway(error, self._what).to_json()
            self._writer.write(pa.py_buffer(to_bytes({"error": said})))


def _checked(service: Service, head: Write | Stage) -> WriteRequest:
    """Return the request of one table, which must be there."""
    named_table(service.warehouse.snapshot(), head.database, head.table, head.table_id)
    if isinstance(head, Stage):
        return WriteRequest(head.database, head.table, head.table_id, head.conflict, head.partial)
    return WriteRequest(
        head.database,
        head.table,
        table_id=head.table_id,
        conflict=head.conflict,
        partial=head.partial,
        writer=head.writer,
        overwrite=head.overwrite,
        partition=head.partition,
    )


def _next_batch(reader: fl.MetadataRecordBatchReader) -> pa.RecordBatch | None:
    try:
        chunk = reader.read_chunk()
    except StopIteration:
        return None
    if chunk.data is None:
        raise UserError("a message of a DoPut stream holds metadata but no rows; send a batch")
    return chunk.data
