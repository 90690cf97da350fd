"""DDL as commits: the catalog's pure changes, their record, and what they mean for the shards.

Invariants: the changes of one request hold together or not at all; a `change_id` that was answered
before is answered the same way and changes nothing; before the record is written, shards of new
tables exist and cold ones of altered tables are open, so that a lack of memory or a damaged file
refuses the DDL instead of stopping the process; a dropped table stays as it was until compaction
finds that no LSN is kept that shows it; the rows of a dropped partition end at the LSN of the DDL,
and compaction takes them as others; a column becomes NOT NULL only when no row that is visible then
is NULL in it.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sluiceway.catalog import (
    Catalog,
    Change,
    SetType,
    Table,
    UserError,
    apply_change,
    change_from_json,
    change_to_json,
    widens,
)
from sluiceway.warehouse.checkpoint import Dropped
from sluiceway.warehouse.log import Located, LogFiles, read_documents
from sluiceway.warehouse.requests import DdlResult, DdlWork
from sluiceway.warehouse.state import State, Step
from sluiceway.warehouse.table import Shard

ANSWERS_KEPT = 4_096
Units = Mapping[int, Shard]


@dataclass(frozen=True)
class DdlPlan:
    """What a DDL request will do; `ending` are the units of partitions that it drops."""

    change_id: str | None
    catalog: Catalog
    tables: list[Table | None]
    documents: list[bytes]
    fresh: Mapping[int, Units]
    ending: list[tuple[Table, int]]

    def result(self, lsn: int) -> DdlResult:
        """The answer once it is durable at `lsn`."""
        return DdlResult(lsn, self.tables)


class DdlCommits:
    """Plans DDL requests and carries them out."""

    def __init__(self, make_shard: Callable[[Table, int], Shard], default_shards: int) -> None:
        self._make_shard = make_shard
        self._default_shards = default_shards

    def plan(self, state: State, work: DdlWork) -> DdlPlan | None:
        """The plan; None if the request was answered before or changes nothing."""
        if work.change_id is not None and work.change_id in state.ddl:
            return None
        catalog, tables = self._apply(state.catalog, work)
        if catalog is state.catalog:
            return None
        for table in tables:
            if table is not None and _is_altered(state, catalog, table.id):
                for shard in state.shards[table.id].values():
                    shard.open()
                _check_no_nulls(state, catalog, table.id)
        documents = [
            _document(change, table, work.change_id)
            for change, table in zip(work.changes, tables, strict=True)
        ]
        fresh, ending = self._fresh(state, catalog), _ending(state.catalog, catalog)
        return DdlPlan(work.change_id, catalog, tables, documents, fresh, ending)

    def _fresh(self, state: State, catalog: Catalog) -> Mapping[int, Units]:
        """Empty shards for the units that a catalog has more than a state."""
        before, fresh = state.catalog, {}
        for table in catalog.tables.values():
            partitions = catalog.partitions.get(table.id)
            if table.id not in before.tables or partitions is not before.partitions.get(table.id):
                known = state.shards.get(table.id, {})
                new = (unit for unit in catalog.units(table) if unit not in known)
                fresh[table.id] = {unit: self._make_shard(table, unit) for unit in new}
        return fresh

    def known(self, state: State, work: DdlWork) -> DdlResult:
        """The answer to a request for which there is no plan."""
        if work.change_id is not None and work.change_id in state.ddl:
            answer = state.ddl[work.change_id]
            tables = [None if t is None else Table.from_json(t) for t in answer["tables"]]
            return DdlResult(int(answer["lsn"]), tables)
        return DdlResult(state.lsn, self._apply(state.catalog, work)[1])

    def _apply(self, catalog: Catalog, work: DdlWork) -> tuple[Catalog, list[Table | None]]:
        tables = []
        for change in work.changes:
            catalog, table = apply_change(catalog, change, default_shards=self._default_shards)
            tables.append(table)
        return catalog, tables

    def carry_out(self, state: State, plan: DdlPlan, lsn: int, time_us: int) -> State:
        """The state after a plan whose record is durable."""
        for table, unit in plan.ending:
            state.shards[table.id][unit].reset(lsn)
        shards = altered(state, plan.catalog, plan.fresh)
        gone = state.catalog.tables.keys() - plan.catalog.tables.keys()
        dropped = {table_id: Dropped(lsn, state.catalog.only(table_id)) for table_id in gone}
        answers = state.ddl
        if plan.change_id is not None:
            answers = answered(answers, plan.change_id, lsn, plan.tables)
        return replace(
            state, lsn=lsn, time_us=time_us, catalog=plan.catalog, shards=shards, ddl=answers,
            dropped={**state.dropped, **dropped},
        )  # fmt: skip

    def replay(self, state: State, documents: Sequence[Any], lsn: int, time_us: int) -> State:
        """The state after a DDL record of the log."""
        catalog, tables, change_id = state.catalog, [], None
        for document in documents:
            catalog, table = redo(catalog, document)
            tables.append(table)
            change_id = document.get("change_id")
        fresh, ending = self._fresh(state, catalog), _ending(state.catalog, catalog)
        plan = DdlPlan(change_id, catalog, tables, [], fresh, ending)
        return self.carry_out(state, plan, lsn, time_us)


def _ending(before: Catalog, after: Catalog) -> list[tuple[Table, int]]:
    """The units of partitions that were dropped; the rows of dropped tables do not end."""
    found = []
    for table_id, partitions in after.partitions.items():
        known = before.partitions.get(table_id)
        if known is not None and known is not partitions:
            table = before.tables[table_id]
            left = set(after.units(table))
            found += [(table, unit) for unit in before.units(table) if unit not in left]
    return found


def _is_altered(state: State, after: Catalog, table_id: int) -> bool:
    old, new = state.catalog.tables.get(table_id), after.tables.get(table_id)
    return old is not None and new is not None and old.schema_version != new.schema_version


def _check_no_nulls(state: State, after: Catalog, table_id: int) -> None:
    """Refuse NOT NULL where rows have no value; called when all that was merged is published."""
    old, new = state.catalog.tables[table_id], after.tables[table_id]
    for column in new.columns:
        was = old.column_by_id(column.id)
        if column.nullable or (was is not None and not was.nullable):
            continue
        if any(shard.has_null(state.lsn, column) for shard in state.shards_of(old).values()):
            raise UserError(
                f"column {column.name!r} of {new.path} cannot be NOT NULL, rows have no value "
                f"there: write them first (INSERT the keys and this column alone)",
                sqlstate="23502",
            )


def widen_ahead(state: State, changes: Sequence[Change]) -> None:
    """Copy columns into wider types before the commit, which writes would have to wait for.

    What is wrong with a change is for the commit to say.
    """
    for change in changes:
        if not isinstance(change, SetType):
            continue
        table = state.catalog.find_table(change.database, change.table)
        if table is None or not table.has_column(change.column):
            continue
        column = table.column(change.column)
        if widens(column.type, change.type):
            for shard in state.shards_of(table).values():
                shard.widen(replace(column, type=change.type))


def redo(catalog: Catalog, document: Mapping[str, Any]) -> tuple[Catalog, Table | None]:
    """Apply a change from the log, with the number of shards that was decided then."""
    table = document["table"]
    shards = 1 if table is None else int(table["shards"])
    return apply_change(catalog, change_from_json(document["change"]), default_shards=shards)


def step_of(files: LogFiles, located: Located) -> Step:
    """What a DDL record makes of the catalog before it; it is read when somebody asks."""

    def step(catalog: Catalog) -> Catalog:
        for document in read_documents(files, located):
            catalog, _ = redo(catalog, document)
        return catalog

    return step


def altered(state: State, catalog: Catalog, fresh: Mapping[int, Units]) -> dict[int, Units]:
    """The shards of a new catalog: old ones learn their new schema, dropped ones stay."""
    shards = dict(state.shards)
    for table in catalog.tables.values():
        known = state.shards.get(table.id, {})
        if known and state.catalog.tables[table.id].schema_version != table.schema_version:
            for shard in known.values():
                shard.alter(table)
        shards[table.id] = {**known, **fresh[table.id]} if table.id in fresh else known
    return shards


def answered(
    answers: Mapping[str, Any], change_id: str, lsn: int, tables: Sequence[Table | None]
) -> dict[str, Any]:
    """The answers with one more; the oldest is forgotten."""
    kept = dict(answers)
    kept[change_id] = {
        "lsn": lsn,
        "tables": [None if table is None else table.to_json() for table in tables],
    }
    while len(kept) > ANSWERS_KEPT:
        del kept[next(iter(kept))]
    return kept


def _document(change: Any, table: Table | None, change_id: str | None) -> bytes:
    body = change_to_json(change)
    database = body.get("database") or (body.get("table") or {}).get("database")
    document = {
        "change": body,
        "table": None if table is None else table.to_json(),
        "database": database,
        "change_id": change_id,
    }
    return json.dumps(document, separators=(",", ":")).encode()
