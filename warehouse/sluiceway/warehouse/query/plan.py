"""What a query means in one catalog, kept so that one asked again is neither parsed nor bound.

Invariants: a Plan depends on the text of its query, the database and the catalog, never on an LSN
or on rows; AS OF clauses mean something new each time, so their plans are not kept. Texts longer
than `_KEPT_CHARACTERS` are not kept: a plan takes some 50 times its text.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa

from sluiceway.catalog import Catalog
from sluiceway.warehouse.condition import Condition
from sluiceway.warehouse.query import direct
from sluiceway.warehouse.query.moments import Moment
from sluiceway.warehouse.query.names import Bound, Cut, bind
from sluiceway.warehouse.query.point import pinned_key
from sluiceway.warehouse.query.ranges import conditions
from sluiceway.warehouse.query.sources import needed_columns
from sluiceway.warehouse.query.statement import Statement, TableName

_MOST_PLANS = 256
_KEPT_CHARACTERS = 4096


@dataclass(frozen=True)
class Read:
    """A table at one LSN, the names that mean it, and what is read of it."""

    bound: Bound
    names: tuple[TableName, ...]
    columns: tuple[str, ...]
    conditions: tuple[Condition, ...]


@dataclass(frozen=True)
class Plan:
    """What a query reads and, when that is all, what answers it without DuckDB.

    `key` is the row of the primary key that it pins, `selected` what it asks of that key's row.
    """

    catalog: Catalog
    statement: Statement
    reads: tuple[Read, ...]
    key: pa.RecordBatch | None = None
    selected: direct.Selected | None = None
    counts: bool = False

    @cached_property
    def column_names(self) -> frozenset[str]:
        """The names of all columns of the tables."""
        return frozenset(name for read in self.reads for name in read.bound.table.column_names)


def make_plan(
    cuts: Mapping[Moment | None, Cut], statement: Statement, database: str | None
) -> Plan:
    """Return what a statement means, NotFoundError if it names what is not there."""
    reads = tuple(
        Read(
            bound,
            names,
            needed_columns(bound.table, statement.columns),
            conditions(statement, bound),
        )
        for bound, names in bind(cuts, statement, database)
    )
    catalog = cuts[None].catalog
    if len(reads) != 1:
        return Plan(catalog, statement, reads)
    table = reads[0].bound.table
    key = pinned_key(statement, table)
    selected = None if key is None else direct.selected(statement, table)
    return Plan(catalog, statement, reads, key, selected, direct.counts_rows(statement))


@dataclass(frozen=True)
class PlanStats:
    """How many plans are kept, and how often one was found and was not."""

    kept: int
    found: int
    missed: int


class Plans:
    """The plans of the queries that were asked last."""

    def __init__(self, most: int = _MOST_PLANS) -> None:
        self._most = most
        self._plans: OrderedDict[tuple[str, str | None], Plan] = OrderedDict()
        self._found = self._missed = 0
        self._lock = threading.Lock()

    def find(self, query: str, database: str | None) -> Plan | None:
        """Return the plan of a query, which may be of another catalog."""
        key = (query, database)
        with self._lock:
            plan = self._plans.get(key)
            if plan is None:
                self._missed += 1
                return None
            self._found += 1
            self._plans.move_to_end(key)
            return plan

    def keep(self, query: str, database: str | None, plan: Plan) -> None:
        """Keep the plan of a query, and let the one that was not asked for longest go."""
        if len(query) > _KEPT_CHARACTERS:
            return
        with self._lock:
            self._plans[query, database] = plan
            self._plans.move_to_end((query, database))
            if len(self._plans) > self._most:
                self._plans.popitem(last=False)

    def stats(self) -> PlanStats:
        """Return the counts."""
        with self._lock:
            return PlanStats(len(self._plans), self._found, self._missed)
