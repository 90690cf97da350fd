"""What a warehouse holds and does, as values that turn into JSON."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sluiceway.warehouse.background import TaskStats
from sluiceway.warehouse.checkpoint import Hold
from sluiceway.warehouse.opening import Opened
from sluiceway.warehouse.state import State


@dataclass(frozen=True)
class TableStats:
    """One table: its rows, the newest commit that touched it, bytes of its changes in the log."""

    id: int
    database: str
    name: str
    shards: int
    rows: int
    lsn: int
    bytes: int


@dataclass(frozen=True)
class DroppedStats:
    """Dropped tables that older LSNs show, their newest rows, and the first LSN without one."""

    tables: int
    rows: int
    oldest_lsn: int | None


@dataclass(frozen=True)
class WarehouseStats:
    """The published state, the log and what is kept of it, checkpoints, leases, what is held.

    `background`: each thread and chore beside the requests, and how it does.
    """

    published: int
    checkpoint_lsn: int
    tables: list[TableStats]
    log: Mapping[str, Any]
    holds: list[Hold]
    space: Mapping[str, Any]
    memory: Mapping[str, Any]
    background: list[TaskStats]


def warehouse_stats(opened: Opened) -> WarehouseStats:
    """What the warehouse holds now."""
    state = opened.committer.state
    log = {
        **asdict(opened.writer.stats()),
        **asdict(opened.committer.stats()),
        "tail": asdict(opened.log.tail.stats()),
        "checkpoints": asdict(opened.checkpointer.stats()),
    }
    return WarehouseStats(
        published=state.lsn,
        checkpoint_lsn=opened.checkpointer.lsn,
        tables=_tables(opened, state),
        log=log,
        holds=list(state.holds.values()),
        space={
            "expiry": asdict(opened.expiry.stats()),
            "partition_expiry": asdict(opened.partition_expiry.stats()),
            "compaction": asdict(opened.compaction.stats()),
            "pauses": asdict(opened.committer.pauses.stats()),
            "dropped": asdict(_dropped(state)),
            "cooling": asdict(opened.cooling.stats()),
            "stages": asdict(opened.stages.stats()),
        },
        memory={
            "budget": asdict(opened.budget.stats()),
            "run": asdict(opened.memory.stats()),
        },
        background=[
            opened.committer.background(),
            opened.checkpointer.background(),
            *opened.housekeeper.stats(),
        ],
    )


def _dropped(state: State) -> DroppedStats:
    shards = [shard for table_id in state.dropped for shard in state.shards[table_id].values()]
    return DroppedStats(
        tables=len(state.dropped),
        rows=sum(shard.stats().rows for shard in shards),
        oldest_lsn=min((each.lsn for each in state.dropped.values()), default=None),
    )


def _tables(opened: Opened, state: State) -> list[TableStats]:
    found = []
    for table in state.catalog.tables.values():
        parts = [opened.index.parts(table.id, number) for number in range(table.shards)]
        found.append(
            TableStats(
                id=table.id,
                database=table.database,
                name=table.name,
                shards=table.shards,
                rows=sum(shard.stats().rows for shard in state.shards[table.id].values()),
                lsn=max(part.last_lsn(state.lsn) for part in parts),
                bytes=sum(part.bytes for part in parts),
            )
        )
    return found
