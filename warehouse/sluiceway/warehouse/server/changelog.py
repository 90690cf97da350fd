"""Subscriptions: every change of one shard from an LSN on, then waiting for more.

Invariants: batches come in LSN order and each carries `{"next", "published"}`; an idle stream sends
an empty batch at least every `heartbeat_ms`, so a client tells "nothing happened" from "gone"; the
schema of a stream never changes: the stream ends and says so.
"""

import time
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.flight as fl

from sluiceway.warehouse.changelog import ChangeBatch, ChangelogReader
from sluiceway.warehouse.server.requests import Changelog
from sluiceway.warehouse.server.scan import Stream
from sluiceway.warehouse.server.service import WAIT_S, Service, check_shard, named_table
from sluiceway.warehouse.server.wire import to_bytes


def changelog(service: Service, context: fl.ServerCallContext, request: Changelog) -> Stream:
    """Open a subscription: the schema, and the batches with their metadata."""
    snapshot = service.warehouse.snapshot()
    table = named_table(snapshot, request.database, request.table, request.table_id)
    check_shard(table, request.shard)
    log = service.warehouse.changelog(
        table,
        request.shard,
        request.start,
        until=request.until,
        columns=None if request.columns is None else list(request.columns),
        batch_rows=request.batch_rows,
    )

    def batches() -> Iterator[tuple[pa.RecordBatch, bytes]]:
        peer = context.peer()
        with service.readers.reading(peer, table, request.shard, request.start) as reader:
            for change in _changes(service, context, log, request.heartbeat_ms):
                reader.lsn = change.next
                yield change.batch, to_bytes(_metadata(change))

    return log.schema, batches()


def _changes(
    service: Service, context: fl.ServerCallContext, log: ChangelogReader, heartbeat_ms: int
) -> Iterator[ChangeBatch]:
    """Yield what happened, and an empty batch whenever nothing did for `heartbeat_ms`."""
    heartbeat_s = heartbeat_ms / 1000
    beat = time.monotonic() + heartbeat_s
    while not service.gone(context):
        wait_s = min(WAIT_S, max(0.0, beat - time.monotonic()))
        change = log.read(wait_s)
        last = change.done or change.schema_changed
        if change.batch.num_rows or last or time.monotonic() >= beat:
            yield change
            beat = time.monotonic() + heartbeat_s
        if last:
            return


def _metadata(change: ChangeBatch) -> dict[str, int | bool]:
    if change.schema_changed:
        return {"next": change.next, "published": change.published, "schema_changed": True}
    return {"next": change.next, "published": change.published}
