"""What the handlers of one server share: the warehouse, the registry of readers, the end of life.

Invariants: `stopping` is set once and never cleared; a handler that waits looks at it, and at the
caller's cancellation, at least every WAIT_S, so neither holds a server thread longer than that.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pyarrow.flight as fl

from sluiceway.catalog import ConflictError, NotFoundError, Table, UnavailableError, UserError
from sluiceway.warehouse.background import TaskStats
from sluiceway.warehouse.replica import Replica
from sluiceway.warehouse.server.readers import Readers
from sluiceway.warehouse.snapshot import Snapshot
from sluiceway.warehouse.store import Warehouse

WAIT_S = 0.2


@dataclass(frozen=True)
class Service:
    """The warehouse behind a server, and the state of its streams.

    `reading_at` tells the endpoints of other processes that serve reads of it, `beside` how what
    keeps them does.
    """

    warehouse: Warehouse | Replica
    endpoint: str
    reading_at: Callable[[], Sequence[str]] = tuple
    beside: Callable[[], Sequence[TaskStats]] = tuple
    readers: Readers = field(default_factory=Readers)
    stopping: threading.Event = field(default_factory=threading.Event)
    started_s: float = field(default_factory=time.monotonic)

    @property
    def writer(self) -> Warehouse:
        """The warehouse of a process that writes; others pass orders on."""
        assert isinstance(self.warehouse, Warehouse), "an order was not passed on"
        return self.warehouse

    def locations(self, number: int) -> list[str]:
        """Where to read, the best first: reading processes in turn, then this one."""
        reading = list(self.reading_at())
        turn = number % len(reading) if reading else 0
        return [*reading[turn:], *reading[:turn], self.endpoint]

    def reach(self, lsn: int | None) -> None:
        """Wait until an LSN is published here, or raise UnavailableError: read elsewhere."""
        end_s = time.monotonic() + WAIT_S
        while lsn is not None and (published := self.warehouse.published) < lsn:
            left_s = end_s - time.monotonic()
            if self.stopping.is_set() or left_s <= 0:
                raise UnavailableError(
                    f"{self.endpoint} shows LSN {published}, not yet {lsn}: read elsewhere or again"
                )
            self.warehouse.wait_published(published, left_s)

    def gone(self, context: fl.ServerCallContext) -> bool:
        """Return whether the caller cancelled; raise if the server is stopping."""
        if self.stopping.is_set():
            raise UnavailableError("the server is stopping; try again when it is back")
        return bool(context.is_cancelled())


def named_table(snapshot: Snapshot, database: str, name: str, table_id: int | None) -> Table:
    """Return the table of that name, which must still be the one that the caller knows by id."""
    try:
        table = snapshot.table(database, name)
    except NotFoundError:
        if table_id is None:
            raise
        raise _changed(database, name, table_id, "was dropped") from None
    if table_id is not None and table.id != table_id:
        raise _changed(database, name, table_id, f"is table {table.id} now")
    return table


def check_shard(table: Table, shard: int) -> None:
    """Refuse a shard that the table does not have."""
    if shard >= table.shards:
        raise UserError(f'"{table.name}" has shards 0 … {table.shards - 1}, not {shard}')


def _changed(database: str, name: str, table_id: int, what: str) -> ConflictError:
    return ConflictError(
        f'table "{database}"."{name}" {what}, the request is for table {table_id}; ask again'
    )
