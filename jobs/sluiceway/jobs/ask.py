"""Questions to a store: SQL, and how it is."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa

from sluiceway.catalog import NotFoundError
from sluiceway.jobs import places
from sluiceway.jobs.render import render
from sluiceway.warehouse.client import Client, microseconds


def ask(
    query: str,
    *,
    endpoint: str | None,
    data: Path,
    database: str | None,
    lsn: int | None = None,
    as_of: str | None = None,
) -> pa.Table:
    """Return the answer of the store at the endpoint, or of the one that serves the folder.

    A folder that nobody serves is opened for the time of the query. `as_of` is UTC without zone.
    """
    if endpoint is not None or places.served_at(data) is not None:
        with Client(places.endpoint(endpoint, data)) as client:
            return client.sql(query, database, lsn=lsn, as_of=as_of)
    return _ask_folder(query, data, database, lsn, as_of)


def _ask_folder(
    query: str, data: Path, database: str | None, lsn: int | None, as_of: str | None
) -> pa.Table:
    from sluiceway.warehouse import Warehouse
    from sluiceway.warehouse.query import run_sql

    if not (data / "sluiceway.json").is_file():
        raise NotFoundError(
            f"{data} holds no warehouse: name one with --data, or a store with --endpoint",
            sqlstate="3D000",
        )
    time_us = None if as_of is None else microseconds(as_of)
    warehouse = Warehouse.open(data)
    try:
        snapshot = warehouse.snapshot(lsn, time_us=time_us)
        return run_sql(snapshot, query, database, warehouse).read_all()
    finally:
        warehouse.close()


def status_lines(endpoint: str, form: str) -> str:
    """Return what a store holds and who reads from it."""
    with Client(endpoint) as client:
        found = client.status()
    if form == "json":
        return json.dumps(found)
    tables = [
        (f"{t['database']}.{t['name']}", t["shards"], t["rows"], t["lsn"], t["bytes"])
        for t in found["tables"]
    ]
    readers = [(r["peer"], r["table"], r["shard"], r["lsn"], r["lag"]) for r in found["readers"]]
    return "\n".join(
        [
            f"published LSN {found['published']}, up for {float(found['uptime_s']):.0f} s",
            *map(_ailing, filter(_ails, found["background"])),
            render(("table", "shards", "rows", "lsn", "bytes"), _sorted(tables), form),
            render(("reader", "table", "shard", "lsn", "lag"), _sorted(readers), form),
        ]
    )


def _ails(task: dict[str, Any]) -> bool:
    return task["state"] in ("failing", "ended")


def _ailing(task: dict[str, Any]) -> str:
    """Say what does not do in the background, and why."""
    if task["state"] == "ended":
        return f"{task['name']} has ended: {task['error']}"
    return f"{task['name']} failed {task['in_a_row']} times in a row: {task['error']}"


def _sorted(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return sorted(rows, key=lambda row: tuple(map(str, row)))
