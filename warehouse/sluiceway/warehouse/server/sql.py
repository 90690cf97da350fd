"""Queries: DuckDB over the live tables at one LSN, streamed as it computes."""

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.flight as fl

from sluiceway.warehouse.query import run_sql
from sluiceway.warehouse.server.requests import Sql
from sluiceway.warehouse.server.scan import Stream
from sluiceway.warehouse.server.service import Service
from sluiceway.warehouse.server.wire import to_bytes


def sql(service: Service, context: fl.ServerCallContext, request: Sql) -> Stream:
    """Run a query: the schema of its result, and the batches with the LSN that they show."""
    service.reach(request.at_least)
    snapshot = service.warehouse.snapshot(request.lsn, time_us=request.time_us)
    result = run_sql(snapshot, request.query, request.database, service.warehouse)
    metadata = to_bytes({"lsn": snapshot.lsn})

    def batches() -> Iterator[tuple[pa.RecordBatch, bytes]]:
        with result:
            for batch in result:
                if service.gone(context):
                    return
                yield batch, metadata

    return result.schema, batches()
