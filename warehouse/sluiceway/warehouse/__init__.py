"""The store: one log, and every table, snapshot and changelog as a view of it.

The names below are loaded when they are first asked for, so that a client that only speaks the wire
does not wait for the engine's kernels.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sluiceway.warehouse.changelog import ChangeBatch, ChangelogReader
    from sluiceway.warehouse.options import ServerOptions
    from sluiceway.warehouse.requests import Ack, DdlResult, WriteRequest
    from sluiceway.warehouse.snapshot import Snapshot
    from sluiceway.warehouse.stats import WarehouseStats
    from sluiceway.warehouse.store import ShardPosition, Warehouse

_HOMES = {
    "Ack": "requests",
    "ChangeBatch": "changelog",
    "ChangelogReader": "changelog",
    "DdlResult": "requests",
    "ServerOptions": "options",
    "ShardPosition": "store",
    "Snapshot": "snapshot",
    "Warehouse": "store",
    "WarehouseStats": "stats",
    "WriteRequest": "requests",
}

__all__ = [
    "Ack",
    "ChangeBatch",
    "ChangelogReader",
    "DdlResult",
    "ServerOptions",
    "ShardPosition",
    "Snapshot",
    "Warehouse",
    "WarehouseStats",
    "WriteRequest",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{home}"), name)
