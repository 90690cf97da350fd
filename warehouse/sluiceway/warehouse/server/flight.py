"""The Flight server: routes the calls of the wire to their handlers, one module each.

Invariants:
* every call runs inside `errors.boundary`: no exception reaches Arrow unprepared, none ends the
  server;
* `close` stops the streams first and then the server; it never waits longer than `grace_s`, since
  gRPC cannot wake a handler that waits for its client.
"""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence

import pyarrow as pa
import pyarrow.flight as fl

from sluiceway.catalog import UserError
from sluiceway.warehouse.background import TaskStats
from sluiceway.warehouse.replica import Replica
from sluiceway.warehouse.server import actions, lookup, requests
from sluiceway.warehouse.server.changelog import changelog
from sluiceway.warehouse.server.errors import boundary
from sluiceway.warehouse.server.put import PutStream
from sluiceway.warehouse.server.scan import Stream, scan
from sluiceway.warehouse.server.service import Service
from sluiceway.warehouse.server.sql import sql
from sluiceway.warehouse.server.wire import parse_exchange, parse_put, parse_ticket, to_bytes
from sluiceway.warehouse.store import Warehouse

log = logging.getLogger(__name__)

GRACE_S = 2.0


class FlightServer(fl.FlightServerBase):  # type: ignore[misc]  # pyarrow has no types
    """Serves one warehouse; it answers from the moment it is made."""

    def __init__(
        self,
        warehouse: Warehouse | Replica,
        host: str = "127.0.0.1",
        port: int = 0,
        reading_at: Callable[[], Sequence[str]] = tuple,
        beside: Callable[[], Sequence[TaskStats]] = tuple,
    ) -> None:
        super().__init__(f"grpc://{host}:{port}")
        self.endpoint = f"grpc://{host}:{self.port}"
        self._service = Service(warehouse, self.endpoint, reading_at, beside)

    def close(self, grace_s: float = GRACE_S) -> bool:
        """End all streams and stop; return whether every call had ended in time."""
        self._service.stopping.set()
        stopping = threading.Thread(target=self.shutdown, name="flight-shutdown", daemon=True)
        stopping.start()
        stopping.join(grace_s)
        return not stopping.is_alive()

    def list_actions(self, context: fl.ServerCallContext) -> list[tuple[str, str]]:
        """Name the actions; docs/wire.md describes them."""
        return [(name, shape.__doc__ or "") for name, shape in requests.ACTIONS.items()]

    def do_action(self, context: fl.ServerCallContext, action: fl.Action) -> Iterator[fl.Result]:
        """Answer one question or order with one JSON document."""
        with boundary(context, f"action {action.type}"):
            service = self._ready(context)
            body = b"" if action.body is None else action.body.to_pybytes()
            result = to_bytes(actions.act(service, action.type, body))
        return iter([fl.Result(pa.py_buffer(result))])

    def do_put(
        self,
        context: fl.ServerCallContext,
        descriptor: fl.FlightDescriptor,
        reader: fl.MetadataRecordBatchReader,
        writer: fl.FlightMetadataWriter,
    ) -> None:
        """Commit the batches of one stream."""
        with boundary(context, "write"):
            request = parse_put(_command(descriptor))
            PutStream(self._ready(context), request, writer).run(context, reader)

    def do_get(self, context: fl.ServerCallContext, ticket: fl.Ticket) -> fl.FlightDataStream:
        """Stream a snapshot, a changelog or the result of a query."""
        with boundary(context, "read"):
            service = self._ready(context)
            schema, batches = _open(service, context, parse_ticket(ticket.ticket))
        return fl.GeneratorStream(schema, _guarded(context, batches))

    def do_exchange(
        self,
        context: fl.ServerCallContext,
        descriptor: fl.FlightDescriptor,
        reader: fl.MetadataRecordBatchReader,
        writer: fl.MetadataRecordBatchWriter,
    ) -> None:
        """Answer look-ups."""
        with boundary(context, "look-up"):
            request = parse_exchange(_command(descriptor))
            lookup.exchange(self._ready(context), context, request, reader, writer)

    def _ready(self, context: fl.ServerCallContext) -> Service:
        self._service.gone(context)
        return self._service


def _open(
    service: Service,
    context: fl.ServerCallContext,
    request: requests.Scan | requests.Changelog | requests.Sql,
) -> Stream:
    match request:
        case requests.Scan():
            return scan(service, context, request)
        case requests.Changelog():
            return changelog(service, context, request)
        case requests.Sql():
            return sql(service, context, request)


def _guarded(
    context: fl.ServerCallContext, batches: Iterator[tuple[pa.RecordBatch, bytes]]
) -> Iterator[tuple[pa.RecordBatch, bytes]]:
    with boundary(context, "read"):
        yield from batches


def _command(descriptor: fl.FlightDescriptor) -> bytes:
    if descriptor.descriptor_type != fl.DescriptorType.CMD:
        raise UserError("the descriptor names a path; this server wants a JSON command")
    command: bytes = descriptor.command
    return command
