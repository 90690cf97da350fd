"""The client's end of a DoExchange stream: keys out, rows in.

Invariants: one answer a batch of keys, in order; one batch is under way at a time. When the process
that answers goes away, the stream begins again elsewhere with the batch that had no answer; it
begins again, too, after a write of the same client, which the process need not have reached.
"""

from contextlib import suppress
from typing import Any

import pyarrow as pa
import pyarrow.flight as fl

from sluiceway.catalog import UnavailableError
from sluiceway.warehouse.client.errors import translated
from sluiceway.warehouse.client.routes import Route, Routes, encode


class Lookups:
    """A stream of look-ups: one batch of keys, one batch of rows."""

    def __init__(self, routes: Routes, head: dict[str, Any]) -> None:
        self._routes = routes
        self._head = head
        self._stream: _Stream | None = None

    def find(self, keys: pa.RecordBatch) -> pa.RecordBatch:
        """Return `RecordBatch[_pos: int32, …]` of the keys that exist, in request order."""
        if self._stream is not None and not self._stream.shows(self._routes.written_lsn):
            self.close()
        if self._stream is not None:
            try:
                return self._stream.find(keys)
            except UnavailableError:
                self._stream = None

        def begin(route: Route) -> tuple[_Stream, pa.RecordBatch]:
            stream = _Stream(route, self._head, keys.schema)
            return stream, stream.find(keys)

        self._stream, rows = self._routes.read(begin, harmless=True)
        return rows

    def close(self) -> None:
        """End the stream; a process that is gone has ended it."""
        if self._stream is not None:
            with suppress(UnavailableError):
                self._stream.close()
            self._stream = None


class _Stream:
    """The stream at one process."""

    def __init__(self, route: Route, head: dict[str, Any], keys: pa.Schema) -> None:
        self._endpoint = route.endpoint
        self._at_least = route.at_least
        command = encode({"lookup": head | {"at_least": route.at_least}})
        with translated(self._endpoint):
            descriptor = fl.FlightDescriptor.for_command(command)
            self._keys, self._rows = route.flight.do_exchange(descriptor)
            self._keys.begin(keys)

    def shows(self, lsn: int) -> bool:
        """Tell whether each answer surely shows that LSN; the server's own show everything."""
        return self._at_least is None or self._at_least >= lsn

    def find(self, keys: pa.RecordBatch) -> pa.RecordBatch:
        with translated(self._endpoint):
            self._keys.write_batch(keys)
            try:
                return self._rows.read_chunk().data
            except StopIteration:
                raise UnavailableError(f"{self._endpoint} ended the look-up stream") from None

    def close(self) -> None:
        with translated(self._endpoint):
            self._keys.close()
