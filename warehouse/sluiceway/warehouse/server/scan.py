"""Snapshot reads: the rows of a table at one LSN, in birth order, resumable at any batch.

Invariants: the ticket's (lsn, from, batch_rows, partitions) decides every batch, so a client that
reconnects with the last `next` gets exactly the rest; every batch carries `{"next", "lsn"}`.
"""

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.flight as fl

from sluiceway.catalog import UserError
from sluiceway.warehouse.pruning import partition_condition
from sluiceway.warehouse.server.requests import Scan
from sluiceway.warehouse.server.service import Service, check_shard, named_table
from sluiceway.warehouse.server.wire import to_bytes

Stream = tuple[pa.Schema, Iterator[tuple[pa.RecordBatch, bytes]]]


def scan(service: Service, context: fl.ServerCallContext, request: Scan) -> Stream:
    """Open a snapshot read: the schema, and the batches with their metadata."""
    service.reach(request.at_least)
    snapshot = service.warehouse.snapshot(request.lsn, request.hold)
    table = named_table(snapshot, request.database, request.table, request.table_id)
    if request.shard is not None:
        check_shard(table, request.shard)
    elif table.shards > 1 and request.start:
        raise UserError(
            f'`from` {request.start} needs a `shard`: "{table.name}" has {table.shards} shards'
        )
    columns = None if request.columns is None else list(request.columns)
    schema = table.arrow_schema(columns)
    ranges = [
        partition_condition(table, each.column, each.values, each.low, each.high)
        for each in request.partitions
    ]

    def batches() -> Iterator[tuple[pa.RecordBatch, bytes]]:
        rows = snapshot.scan(
            table, request.shard, columns, request.start, request.batch_rows, ranges
        )
        for batch, ordinal in rows:
            if service.gone(context):
                return
            yield batch, to_bytes({"next": ordinal, "lsn": snapshot.lsn})

    return schema, batches()
