"""Partition TTL: partitions of days that are long past are dropped.

A partition is as old as the day that its first value names, whenever its rows were written. Its
end is a DROP PARTITION like any other: subscribers get the deletes.

Invariant: a partition whose value is no day is kept.
"""

import datetime
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sluiceway.catalog import Catalog, DropPartition, Table
from sluiceway.warehouse.clock import Clock
from sluiceway.warehouse.requests import DdlWork
from sluiceway.warehouse.state import State

_DAY = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})")
_EPOCH_DAYS = datetime.date(1970, 1, 1).toordinal()
_DAY_MS = 86_400_000


@dataclass(frozen=True)
class PartitionExpiryStats:
    """How many partitions this process dropped because they were too old."""

    partitions: int


class PartitionExpiry:
    """Finds the partitions that are too old and submits their end."""

    def __init__(
        self, clock: Clock, state: Callable[[], State], submit: Callable[[DdlWork], None]
    ) -> None:
        self._clock = clock
        self._state = state
        self._submit = submit
        self._partitions = 0

    def run(self) -> int:
        """Drop all partitions that are too old now; returns how many there were."""
        now_ms = self._clock.now_us() // 1_000
        catalog = self._state().catalog
        drops = [
            drop
            for table_id in catalog.partitions
            for drop in _expired(catalog, catalog.tables[table_id], now_ms)
        ]
        if drops:
            work = DdlWork(drops, None)
            self._submit(work)
            work.future.result()
            self._partitions += len(drops)
        return len(drops)

    def stats(self) -> PartitionExpiryStats:
        """What was dropped."""
        return PartitionExpiryStats(self._partitions)


def _expired(catalog: Catalog, table: Table, now_ms: int) -> Iterator[DropPartition]:
    kept_ms = table.properties.partition_expiration_ms
    if kept_ms is None:
        return
    for values in catalog.partitions_of(table):
        began_ms = _day_ms(values[0])
        if began_ms is not None and began_ms + kept_ms <= now_ms:
            named = dict(zip(table.partition_by, values, strict=True))
            yield DropPartition(table.database, table.name, named, if_exists=True)


def _day_ms(text: str) -> int | None:
    """When the day of a value began, in ms since 1970 UTC; None if it is no day."""
    found = _DAY.fullmatch(text)
    try:
        day = datetime.date(*map(int, found.groups())) if found else None
    except ValueError:
        return None
    return None if day is None else (day.toordinal() - _EPOCH_DAYS) * _DAY_MS
