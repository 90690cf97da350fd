"""A random life of a warehouse: every kind of write, DDL, checkpoints and holds, by seed.

Each step is tried on the model first, so that after a crash in the middle the warehouse must show
the model before the step or after it, and nothing else.
"""

import random
from dataclasses import replace
from typing import Any

from kit.model import (
    DELETE,
    INSERT,
    LIVE,
    UPDATE_AFTER,
    Model,
    ModelTable,
    Row,
    StagedWrites,
    batch_of,
)
from kit.steps import Step, commit_step, stage_step
from sluiceway.catalog import (
    AddColumn,
    AddPartition,
    Change,
    Column,
    CreateDatabase,
    CreateTable,
    DropColumn,
    DropPartition,
    DropTable,
    MoveColumn,
    RenameColumn,
    SetType,
    Table,
    parse_type,
)
from sluiceway.warehouse import Warehouse, WriteRequest
from sluiceway.warehouse.upkeep.cooling import IDLE_ROUNDS

DATABASE = "db"
WIDER = {"INT": ["BIGINT", "DOUBLE"]}


def cool(warehouse: Warehouse) -> int:
    """Let so much time pass that whatever is small and idle becomes cold."""
    return sum(warehouse.cool() for _ in range(IDLE_ROUNDS + 1))


def column(name: str, kind: str, *, nullable: bool = True, default: str | None = None) -> Column:
    """A column that has no id yet."""
    return Column(0, name, parse_type(kind), nullable, None, default)


def tables() -> list[Table]:
    """One table with two shards, one with a key of two columns, one without, one partitioned."""
    return [
        Table(
            DATABASE,
            "orders",
            (
                column("id", "BIGINT", nullable=False),
                column("name", "STRING"),
                column("qty", "INT"),
            ),
            primary_key=("id",),
            options={
                "table_property.shard_count": "2",
                "table_property.binlog.ttl": "5",
                "table_property.orientation": "row,column",
            },
        ),
        Table(
            DATABASE,
            "pairs",
            (
                column("a", "STRING", nullable=False),
                column("b", "INT", nullable=False),
                column("v", "DOUBLE"),
            ),
            primary_key=("a", "b"),
            options={"table_property.binlog.ttl": "20"},
        ),
        Table(
            DATABASE,
            "events",
            (column("what", "STRING"), column("n", "BIGINT")),
            options={"table_property.binlog.ttl": "10", LIVE: "15"},
        ),
        Table(
            DATABASE,
            "days",
            (
                column("day", "STRING", nullable=False),
                column("b", "INT", nullable=False),
                column("v", "INT"),
            ),
            primary_key=("day", "b"),
            partition_by=("day",),
            options={"table_property.shard_count": "2", "table_property.binlog.ttl": "10"},
        ),
    ]


def model_of(table: Table) -> ModelTable:
    """The empty model of a table."""
    kinds = {c.name: "STRING" if c.type.is_variable else c.type.sql() for c in table.columns}
    model = ModelTable(dict.fromkeys(table.column_names), table.primary_key, kinds)
    if table.partition_by:
        [model.partition] = table.partition_by
    if LIVE in table.options:
        model.live_us = int(table.options[LIVE]) * 1_000_000
    return model


def drop_column(table: ModelTable, name: str) -> None:
    """The column goes from every row."""
    del table.columns[name], table.kinds[name]
    for row in [*table.keyed.values(), *table.appended]:
        del row[name]


def widen_column(table: ModelTable, name: str, kind: str) -> None:
    """The values stay; in a DOUBLE they are floats."""
    table.kinds[name] = kind
    if kind == "DOUBLE":
        for row in [table.columns, *table.keyed.values(), *table.appended]:
            row[name] = None if row[name] is None else float(row[name])


class Workload:
    """Gives one step after the other."""

    def __init__(self, seed: int, *, jumps: bool = True) -> None:
        self.random = random.Random(seed)
        self._jumps = jumps
        self.now_us = 0
        self._serial = 0

    def pause_us(self) -> int:
        """How far the clock goes before the next step: backwards too, or past a `binlog.ttl`."""
        if self._jumps and self.random.random() < 0.1:
            return self.random.randrange(30_000_000)
        return self.random.randrange(-10, 1_000)

    def step(self, model: Model) -> Step:
        """A step that fits what the model holds."""
        if not model.tables:
            return self._create()
        choice = self.random.random()
        if choice < 0.50:
            return self._write(model)
        if choice < 0.52:
            return self._partition()
        if choice < 0.54:
            return self._truncate(model)
        if choice < 0.58:
            return self._overwrite(model)
        if choice < 0.66:
            return self._staged(model)
        if choice < 0.70:
            return self._expire()
        if choice < 0.76:
            return Step("compact", lambda model: None, lambda w: w.compact())
        if choice < 0.79:
            return Step("cool", lambda model: None, cool)
        if choice < 0.87:
            return Step("checkpoint", lambda model: None, lambda w: w.checkpoint())
        if choice < 0.95:
            return self._alter(model)
        if choice < 0.98:
            return Step("hold", lambda model: None, lambda w: w.hold("h", None, 60_000))
        return self._drop_and_create(model)

    def _create(self) -> Step:
        changes: list[Change] = [CreateDatabase(DATABASE), *map(CreateTable, tables())]

        def expect(model: Model) -> None:
            for table in tables():
                model.tables[table.name] = model_of(table)

        return Step("create", expect, lambda w: w.ddl(changes))

    def _expire(self) -> Step:
        def expect(model: Model) -> None:
            for table in model.tables.values():
                table.expire(self.now_us)

        return Step("expire", expect, lambda w: w.expire())

    def _partition(self) -> Step:
        """Add a partition, or drop one with its rows."""
        day = f"2024-01-0{self.random.randrange(1, 7)}"
        if self.random.random() < 0.3:
            add = AddPartition(DATABASE, "days", {"day": day}, if_not_exists=True)
            return Step("add partition", lambda model: None, lambda w: w.ddl([add]))
        drop = DropPartition(DATABASE, "days", {"day": day}, if_exists=True)
        return Step(
            "drop partition",
            lambda model: model.tables["days"].empty_partitions({day}),
            lambda w: w.ddl([drop]),
        )

    def _drop_and_create(self, model: Model) -> Step:
        (fresh,) = (table for table in tables() if table.name == "events")
        changes: list[Change] = [DropTable(DATABASE, "events"), CreateTable(fresh)]

        def expect(model: Model) -> None:
            model.tables["events"] = model_of(fresh)
            for stage in model.staged.values():
                stage.dropped |= stage.table == "events"

        return Step("drop and create", expect, lambda w: w.ddl(changes))

    def _alter(self, model: Model) -> Step:
        name = self.random.choice(sorted(model.tables))
        table = model.tables[name]
        self._serial += 1
        fresh = f"c{self._serial}_{len(table.columns)}"
        plain = [n for n in table.columns if n not in table.key]
        if self.random.random() < 0.5 or not plain:
            default = self.random.choice([None, "7"])
            add = AddColumn(DATABASE, name, column(fresh, "INT", default=default))
            value = None if default is None else int(default)
            return Step(
                "add column",
                lambda model: model.tables[name].add_column(fresh, value, "INT"),
                lambda w: w.ddl([add], f"add-{name}-{fresh}"),
            )
        old = self.random.choice(plain)
        if self.random.random() < 0.6:
            return self._reshape(name, table, old)
        rename = RenameColumn(DATABASE, name, old, fresh)
        return Step(
            "rename column",
            lambda model: model.tables[name].rename_column(old, fresh),
            lambda w: w.ddl([rename]),
        )

    def _reshape(self, name: str, table: ModelTable, old: str) -> Step:
        """Drop, move or widen a column; of "pairs" also one in its key."""
        choice = self.random.random()
        if choice < 0.3 and len(table.columns) > 2:
            drop = DropColumn(DATABASE, name, old)
            return Step(
                "drop column",
                lambda model: drop_column(model.tables[name], old),
                lambda w: w.ddl([drop], f"drop-{name}-{old}-{self._serial}"),
            )
        if choice < 0.5:
            move = MoveColumn(DATABASE, name, old, first=choice < 0.4)
            return Step("move column", lambda model: None, lambda w: w.ddl([move]))
        if "b" in table.key and choice < 0.6:
            old = "b"
        kind = self.random.choice(WIDER.get(table.kinds[old], [table.kinds[old]]))
        if old in table.key:
            kind = "BIGINT"
        widen = SetType(DATABASE, name, old, parse_type(kind))
        return Step(
            f"widen to {kind}",
            lambda model: widen_column(model.tables[name], old, kind),
            lambda w: w.ddl([widen]),
        )

    def _write(self, model: Model) -> Step:
        """A write to one table, or to several at once."""
        count = 1 if self.random.random() < 0.75 else self.random.randrange(2, 4)
        names = self.random.sample(sorted(model.tables), count)
        writes = [(name, *self._rows(name, model.tables[name])) for name in names]

        def expect(model: Model) -> None:
            for name, request, ops, rows in writes:
                model.tables[name].write(
                    ops,
                    rows,
                    conflict=request.conflict,
                    partial=request.partial,
                    now_us=self.now_us,
                )

        def run(warehouse: Warehouse) -> Any:
            tables = [warehouse.catalog.table(DATABASE, name) for name in names]
            batches = [
                (request, batch_of(table, ops, rows))
                for table, (_, request, ops, rows) in zip(tables, writes, strict=True)
            ]
            return warehouse.write_all(batches)

        return Step(f"write {' and '.join(names)}", expect, run)

    def _truncate(self, model: Model) -> Step:
        name = self.random.choice(sorted(model.tables))
        return Step(
            f"truncate {name}",
            lambda model: model.tables[name].truncate(),
            lambda w: w.truncate(DATABASE, name),
        )

    def _overwrite(self, model: Model) -> Step:
        name = self.random.choice(sorted(model.tables))
        plain, ops, rows = self._rows(name, model.tables[name])
        request = replace(plain, overwrite=True)
        day = f"2024-01-0{self.random.randrange(1, 6)}"
        if name == "days" and self.random.random() < 0.5:
            request = replace(request, partition={"day": day})
            count = self.random.randrange(len(rows) + 1)
            ops, rows = ops[:count], [row | {"day": day} for row in rows[:count]]

        def expect(model: Model) -> None:
            table = model.tables[name]
            if request.partition is None:
                table.overwrite([(ops, rows)])
            else:
                table.empty_partitions({day})
            table.write(
                ops,
                rows,
                conflict=request.conflict,
                partial=request.partial,
                now_us=self.now_us,
            )

        def run(warehouse: Warehouse) -> Any:
            batch = batch_of(warehouse.catalog.table(DATABASE, name), ops, rows)
            return warehouse.write(request, batch)

        return Step(f"overwrite {name}", expect, run)

    def _staged(self, model: Model) -> Step:
        """Stage a batch, once or twice; commit some stages, or abort one."""
        ready = [name for name, stage in model.staged.items() if stage.fits(model)]
        choice = self.random.random()
        if choice < 0.3 and ready:
            some = self.random.sample(ready, min(len(ready), self.random.choice([1, 2])))
            overwrite = self.random.random() < 0.4
            partition = self._day_of([model.staged[name] for name in some]) if overwrite else None
            return commit_step(some, overwrite, lambda: self.now_us, partition)
        if choice < 0.4 and model.staged:
            name = self.random.choice(sorted(model.staged))
            return Step(
                f"abort {name}",
                lambda model: model.abort(name),
                lambda w: w.abort_staged(((name, 0),)),
            )
        self._serial += 1
        name = self.random.choice([f"stage {self._serial}", *ready])
        known = model.staged.get(name)
        table = known.table if known else self.random.choice(sorted(model.tables))
        return self._stage_batch(name, known, table, model)

    def _day_of(self, stages: list[StagedWrites]) -> dict[str, str] | None:
        """The partition that all rows of some stages belong to, if there is one."""
        days = {row.get("day") for stage in stages for _, rows in stage.writes for row in rows}
        if {stage.table for stage in stages} != {"days"} or len(days) != 1:
            return None
        return {"day": str(days.pop())}

    def _stage_batch(self, name: str, known: StagedWrites | None, table: str, model: Model) -> Step:
        request, ops, rows = self._rows(table, model.tables[table])
        while known is not None and request != known.request:
            request, ops, rows = self._rows(table, model.tables[table])
        sequence = len(known.writes) if known else 0
        return stage_step(name, sequence, self.random.choice([1, 1, 2]), request, ops, rows)

    def _rows(self, name: str, table: ModelTable) -> tuple[WriteRequest, list[int], list[Row]]:
        partial = bool(table.key) and self.random.random() < 0.3
        conflict = self.random.choice(["update", "update", "replace", "ignore"])
        if not table.key:
            conflict = "update"
        plain = [n for n in table.columns if n not in table.key]
        if partial:
            plain = self.random.sample(plain, self.random.randrange(len(plain) + 1))
        count = self.random.choice([1, 1, 2, 5, 9])
        rows = [self._row(table, plain) for _ in range(count)]
        kinds = [INSERT, UPDATE_AFTER, DELETE] if table.key else [INSERT, UPDATE_AFTER]
        ops = [self.random.choice(kinds) for _ in rows]
        return WriteRequest(DATABASE, name, conflict=conflict, partial=partial), ops, rows

    def _row(self, table: ModelTable, plain: list[str]) -> Row:
        return {name: self._value(table, name) for name in [*table.key, *plain]}

    def _value(self, table: ModelTable, name: str) -> Any:
        if name in ("id", "b"):
            return self.random.randrange(12)
        if name == "day":
            return f"2024-01-0{self.random.randrange(1, 6)}"
        if name == "a":
            return self.random.choice(["", "x", "longer than eight bytes"])
        kind = table.kinds[name]
        if self.random.random() < 0.2:
            return None
        if kind == "STRING":
            return "s" * self.random.randrange(40) + str(self.random.randrange(100))
        return self.random.randrange(1_000) * (0.5 if kind == "DOUBLE" else 1)
