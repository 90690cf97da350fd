"""Actions: small questions and orders, JSON in and JSON out.

Invariants: each action reads one snapshot, so its answer shows one LSN; `ACTIONS` of requests.py
and `HANDLERS` name the same actions; a process that only reads never runs one of `ORDERS`.
"""

import importlib.metadata
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from sluiceway.catalog import change_from_json
from sluiceway.warehouse.replica import Replica
from sluiceway.warehouse.server import requests
from sluiceway.warehouse.server.service import Service
from sluiceway.warehouse.server.wire import WIRE_VERSION, parse_action


def act(service: Service, name: str, body: bytes) -> dict[str, Any]:
    """Run one action and return its result as JSON."""
    request = parse_action(name, body)
    if name in ORDERS and isinstance(service.warehouse, Replica):
        return service.warehouse.link.act(name, json.loads(body or b"{}"))
    return HANDLERS[name](service, request)


def _hello(service: Service, request: requests.Empty) -> dict[str, Any]:
    warehouse = service.warehouse
    return {
        "wire": WIRE_VERSION,
        "product": "sluiceway",
        "version": importlib.metadata.version("sluiceway"),
        "uuid": str(warehouse.identity.uuid),
        "timeline": warehouse.identity.timeline,
        "incarnation": warehouse.identity.incarnation,
        "published": warehouse.published,
        "reading": list(service.reading_at()),
    }


def _ddl(service: Service, request: requests.Ddl) -> dict[str, Any]:
    changes = [change_from_json(change) for change in request.changes]
    result = service.writer.ddl(changes, request.change_id)
    tables = [None if table is None else table.to_json() for table in result.tables]
    return {"lsn": result.lsn, "tables": tables}


def _truncate(service: Service, request: requests.Truncate) -> dict[str, Any]:
    ack = service.writer.truncate(
        request.database, request.table, request.table_id, partition=request.partition
    )
    return asdict(ack)


def _commit_staged(service: Service, request: requests.CommitStaged) -> dict[str, Any]:
    stages = tuple((stage.name, stage.epoch) for stage in request.stages)
    ack = service.writer.commit_staged(
        stages, overwrite=request.overwrite, partition=request.partition
    )
    return asdict(ack)


def _abort_staged(service: Service, request: requests.AbortStaged) -> dict[str, Any]:
    stages = tuple((stage.name, stage.epoch) for stage in request.stages)
    return asdict(service.writer.abort_staged(stages))


def _databases(service: Service, request: requests.Empty) -> dict[str, Any]:
    databases = service.warehouse.catalog.databases.values()
    return {"databases": [{"name": d.name, "comment": d.comment} for d in databases]}


def _tables(service: Service, request: requests.Tables) -> dict[str, Any]:
    catalog = service.warehouse.catalog
    database = catalog.database(request.database)
    tables = [t for t in catalog.tables.values() if t.database == database.name]
    return {"tables": [t.to_json() for t in sorted(tables, key=lambda t: t.name)]}


def _table(service: Service, request: requests.OneTable) -> dict[str, Any]:
    snapshot = service.warehouse.snapshot(request.lsn, time_us=request.time_us)
    table = snapshot.table(request.database, request.table)
    return {"table": table.to_json(), "lsn": snapshot.lsn}


def _partitions(service: Service, request: requests.Partitions) -> dict[str, Any]:
    snapshot = service.warehouse.snapshot(request.lsn)
    table = snapshot.table(request.database, request.table)
    named = [
        {"id": number, "values": dict(zip(table.partition_by, values, strict=True))}
        for values, number in snapshot.catalog.partitions_of(table).items()
    ]
    return {"partitions": named, "lsn": snapshot.lsn}


def _shards(service: Service, request: requests.Shards) -> dict[str, Any]:
    warehouse = service.warehouse
    table = warehouse.snapshot(request.lsn).table(request.database, request.table)
    positions = warehouse.shards(table, request.time_us)
    return {
        "table_id": table.id,
        "generation": table.generation,
        "published": warehouse.published,
        "shards": [{**asdict(p), "locations": service.locations(p.shard)} for p in positions],
    }


def _hold(service: Service, request: requests.Hold) -> dict[str, Any]:
    lsn = service.writer.hold(request.name, request.lsn, request.ttl_ms)
    return {"name": request.name, "lsn": lsn}


def _at_time(service: Service, request: requests.AtTime) -> dict[str, Any]:
    return {"lsn": service.warehouse.snapshot(time_us=request.time_us).lsn}


def _release(service: Service, request: requests.Release) -> dict[str, Any]:
    service.writer.release(request.name)
    return {}


def _status(service: Service, request: requests.Empty) -> dict[str, Any]:
    stats = asdict(service.writer.stats())
    readers = service.readers.stats(stats["published"])
    uptime_s = round(time.monotonic() - service.started_s, 3)
    stats["background"] += [asdict(task) for task in service.beside()]
    return {**stats, "readers": [asdict(r) for r in readers], "uptime_s": uptime_s}


def _checkpoint(service: Service, request: requests.Empty) -> dict[str, Any]:
    return {"lsn": service.writer.checkpoint()}


# What a process that only reads passes on to the one that writes.
ORDERS = frozenset(
    {
        "ddl",
        "truncate",
        "commit_staged",
        "abort_staged",
        "hold",
        "release",
        "status",
        "checkpoint",
    }
)
HANDLERS: Mapping[str, Callable[[Service, Any], dict[str, Any]]] = {
    "hello": _hello,
    "ddl": _ddl,
    "truncate": _truncate,
    "commit_staged": _commit_staged,
    "abort_staged": _abort_staged,
    "databases": _databases,
    "tables": _tables,
    "table": _table,
    "partitions": _partitions,
    "shards": _shards,
    "hold": _hold,
    "at_time": _at_time,
    "release": _release,
    "status": _status,
    "checkpoint": _checkpoint,
}
