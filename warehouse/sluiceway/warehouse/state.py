"""What the warehouse shows at one LSN, as one immutable value.

Invariant: the committer replaces the whole value in one reference store after the log record is on
disk and the shards are published; whoever holds a State sees one consistent cut for as long as they
keep it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from sluiceway.catalog import Catalog, GoneError, Table
from sluiceway.warehouse.checkpoint import Dropped, Hold, Stage
from sluiceway.warehouse.table import Shard, ShardView


class View(Protocol):
    """What readers need of a state, in whatever process they are."""

    @property
    def lsn(self) -> int:
        """The commit LSN that it shows."""

    @property
    def time_us(self) -> int:
        """When that was committed, if the log was read so far."""

    @property
    def catalog(self) -> Catalog:
        """The catalog at that LSN."""

    @property
    def holds(self) -> Mapping[str, Hold]:
        """The leases at that LSN."""

    def shards_of(self, table: Table) -> Mapping[int, ShardView]:
        """What holds a table's rows, by unit, or GoneError if they are not kept any more."""


@dataclass(frozen=True)
class State:
    """Catalog, shards (by table id and unit), holds, stages and answered DDL requests at `lsn`.

    Shards of tables that were dropped are among them as long as an LSN is kept that shows them.
    """

    lsn: int
    time_us: int
    catalog: Catalog
    shards: Mapping[int, Mapping[int, Shard]] = field(default_factory=dict)
    holds: Mapping[str, Hold] = field(default_factory=dict)
    ddl: Mapping[str, Any] = field(default_factory=dict)
    stages: Mapping[str, Stage] = field(default_factory=dict)
    dropped: Mapping[int, Dropped] = field(default_factory=dict)

    def catalog_of(self, table_id: int) -> Catalog:
        """The newest catalog that has a table whose shards are here."""
        dropped = self.dropped.get(table_id)
        return self.catalog if dropped is None else dropped.catalog

    def shards_of(self, table: Table) -> Mapping[int, Shard]:
        """What holds a table's rows, by unit, or GoneError if they are not kept any more."""
        shards = self.shards.get(table.id)
        if shards is None:
            raise dropped(table, self.lsn)
        return shards

    def without(self, table_id: int, unit: int | None) -> tuple[State, list[Shard]]:
        """The state less a dropped table, or one unit of a table; and the shards that go."""
        shards, dropped = dict(self.shards), dict(self.dropped)
        units = dict(shards.pop(table_id, {}))
        if unit is None:
            dropped.pop(table_id, None)
            gone = list(units.values())
        else:
            gone = [units.pop(unit)] if unit in units else []
            shards[table_id] = units
        return replace(self, shards=shards, dropped=dropped), gone


def dropped(table: Table, lsn: int) -> GoneError:
    """The error that a table has no rows any more."""
    return GoneError(
        f"table {table.database}.{table.name} (id {table.id}) was dropped before LSN {lsn}: its "
        "rows are no longer kept"
    )


Step = Callable[[Catalog], Catalog]


class CatalogHistory:
    """The catalog at every LSN since the history began.

    Of changes that a checkpoint shows, only the step from the catalog before is entered: what it
    leads to is made when somebody asks for it.
    """

    def __init__(self, lsn: int, catalog: Catalog) -> None:
        self._lsns = [lsn]
        self._catalogs: list[Catalog | Step] = [catalog]

    @property
    def oldest(self) -> int:
        """The LSN at which the history begins."""
        return self._lsns[0]

    def add(self, lsn: int, catalog: Catalog | Step) -> None:
        """Enter the catalog that holds from `lsn` on; the LSN goes last, for readers beside."""
        self._catalogs.append(catalog)
        self._lsns.append(lsn)

    def at(self, lsn: int) -> Catalog:
        """The catalog at an LSN."""
        number = bisect_right(self._lsns, lsn)
        if number == 0:
            raise GoneError(
                f"LSN {lsn} is no longer kept; the oldest with a known catalog is {self._lsns[0]}"
            )
        return self._made(number - 1)

    def _made(self, number: int) -> Catalog:
        steps: list[Step] = []
        for at in range(number, -1, -1):
            found = self._catalogs[at]
            if isinstance(found, Catalog):
                for step in reversed(steps):
                    found = step(found)
                self._catalogs[number] = found
                return found
            steps.append(found)
        raise AssertionError("a history begins with a catalog")
