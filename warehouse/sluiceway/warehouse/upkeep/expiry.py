"""Row TTL: rows that were last written longer ago than their table's `time_to_live_in_seconds` go.

Expiry is a commit like any other: one EXPIRE part a shard says "every row born at or before LSN X
is dead", so snapshots from before still show the rows, and recovery repeats it. It leaves no change
events: as in Hologres, a subscriber of the table is not told.

Invariant: a commit ends a bounded number of rows, so that no write waits long behind it.
"""

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass

from sluiceway.catalog import CorruptionError, Table
from sluiceway.warehouse.clock import SECOND_US, Clock
from sluiceway.warehouse.log import Part, PartKind
from sluiceway.warehouse.requests import ExpireWork
from sluiceway.warehouse.state import State

log = logging.getLogger(__name__)

ROWS_AT_ONCE = 1 << 20


@dataclass(frozen=True)
class ExpiryStats:
    """What this process ended because it was too old."""

    rows: int
    commits: int


class Expiry:
    """Finds what is too old and submits its end."""

    def __init__(
        self, clock: Clock, state: Callable[[], State], submit: Callable[[ExpireWork], None]
    ) -> None:
        self._clock = clock
        self._state = state
        self._submit = submit
        self._rows = self._commits = 0

    def run(self) -> int:
        """End all rows that are too old now; returns how many there were."""
        rows = 0
        for table in self._state().catalog.tables.values():
            try:
                rows += self._end(table)
            except CorruptionError as error:
                log.error("%s", error)  # the other tables go on
        self._rows += rows
        return rows

    def _end(self, table: Table) -> int:
        rows = 0
        while born := self._expirable(table):
            work = ExpireWork(table.id, born)
            self._submit(work)
            ended = work.future.result()
            if not ended:
                break
            rows += ended
            self._commits += 1
        return rows

    def _expirable(self, table: Table) -> dict[int, int]:
        """The LSN up to which rows are too old, by unit."""
        if not table.properties.rows_expire:
            return {}
        before_us = self._clock.now_us() - table.properties.time_to_live_s * SECOND_US
        shards = self._state().shards.get(table.id, {})
        found = ((n, shard.expirable(before_us, ROWS_AT_ONCE)) for n, shard in shards.items())
        return {unit: lsn for unit, lsn in found if lsn is not None}

    def stats(self) -> ExpiryStats:
        """What was ended."""
        return ExpiryStats(self._rows, self._commits)


def expire_parts(state: State, work: ExpireWork) -> list[Part]:
    """The EXPIRE parts of a request, with memory for it; none if the table is gone."""
    table = state.catalog.tables.get(work.table_id)
    if table is None:
        return []
    for unit in work.born:
        state.shards[table.id][unit].reserve_marks()
    return [
        Part(
            table.id, table.generation, unit, table.schema_version, PartKind.EXPIRE, 0, 0, 0,
            (b"", b"", json.dumps({"born": lsn}).encode(), b""),
        )
        for unit, lsn in work.born.items()
    ]  # fmt: skip
