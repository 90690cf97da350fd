"""The client's end of a DoExchange stream: keys out, rows in.

Invariant: one answer a batch of keys, in order; one batch is under way at a time.
"""

import pyarrow as pa
import pyarrow.flight as fl

from sluiceway.catalog import UnavailableError
from sluiceway.warehouse.client.errors import translated


class Lookups:
    """A stream of look-ups: one batch of keys, one batch of rows."""

    def __init__(self, client: fl.FlightClient, command: bytes, endpoint: str) -> None:
        self._endpoint = endpoint
        descriptor = fl.FlightDescriptor.for_command(command)
        with translated(endpoint):
            self._keys, self._rows = client.do_exchange(descriptor)
        self._begun = False

    def find(self, keys: pa.RecordBatch) -> pa.RecordBatch:
        """Return `RecordBatch[_pos: int32, …]` of the keys that exist, in request order."""
        with translated(self._endpoint):
            if not self._begun:
                self._keys.begin(keys.schema)
                self._begun = True
            self._keys.write_batch(keys)
            try:
                return self._rows.read_chunk().data
            except StopIteration:
                raise UnavailableError(f"{self._endpoint} ended the look-up stream") from None

    def close(self) -> None:
        """End the stream."""
        with translated(self._endpoint):
            self._keys.close()
