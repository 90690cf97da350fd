"""What a warehouse holds and does, as values that turn into JSON."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sluiceway.warehouse.checkpoint import Hold
from sluiceway.warehouse.opening import Opened
from sluiceway.warehouse.state import State


@dataclass(frozen=True)
class TableStats:
    """One table: visible rows, bytes in memory, newest commit that touched it."""

    id: int
    database: str
    name: str
    shards: int
    rows: int
    lsn: int
    bytes: int


@dataclass(frozen=True)
class WarehouseStats:
    """The published state, the log and the leases."""

    published: int
    checkpoint_lsn: int
    tables: list[TableStats]
    log: Mapping[str, Any]
    holds: list[Hold]


def warehouse_stats(opened: Opened) -> WarehouseStats:
    """What the warehouse holds now."""
    state = opened.committer.state
    log = {
        **asdict(opened.writer.stats()),
        **asdict(opened.committer.stats()),
        "tail": asdict(opened.log.tail.stats()),
    }
    return WarehouseStats(
        published=state.lsn,
        checkpoint_lsn=opened.checkpointer.lsn,
        tables=_tables(opened, state),
        log=log,
        holds=list(state.holds.values()),
    )


def _tables(opened: Opened, state: State) -> list[TableStats]:
    found = []
    for table in state.catalog.tables.values():
        shards = [shard.stats() for shard in state.shards[table.id]]
        newest = max(
            opened.index.parts(table.id, number).last_lsn(state.lsn)
            for number in range(table.shards)
        )
        found.append(
            TableStats(
                table.id,
                table.database,
                table.name,
                table.shards,
                sum(shard.rows for shard in shards),
                newest,
                sum(shard.bytes for shard in shards),
            )
        )
    return found
