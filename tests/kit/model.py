"""The warehouse as plain dicts: what every crash and property test compares with.

A row is a dict of column names; a table with a key maps it to its row, one without keeps a list.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa

from sluiceway.catalog import Table
from sluiceway.warehouse import Snapshot, WriteRequest
from sluiceway.warehouse.reads import Reads

LIVE = "table_property.time_to_live_in_seconds"
INSERT, UPDATE_BEFORE, UPDATE_AFTER, DELETE = 0, 1, 2, 3
Row = dict[str, Any]
Key = tuple[Any, ...]


def by_content(row: Row) -> str:
    """Sorts rows by what they hold, in whatever order the columns stand."""
    return repr(sorted(row.items()))


@dataclass
class ModelTable:
    """One table: columns with their defaults, and the rows."""

    columns: dict[str, Any]
    key: tuple[str, ...]
    kinds: dict[str, str] = field(default_factory=dict)
    keyed: dict[Key, Row] = field(default_factory=dict)
    appended: list[Row] = field(default_factory=list)
    live_us: int | None = None
    written_us: list[int] = field(default_factory=list)  # when each appended row was
    partition: str | None = None  # the first key column, if the table is partitioned by it

    def rows(self) -> list[Row]:
        """All rows, in an order that depends on their content alone."""
        return sorted([*self.keyed.values(), *self.appended], key=by_content)

    def copy(self) -> "ModelTable":
        """An independent copy; values are never changed in place."""
        return replace(
            self,
            columns=dict(self.columns),
            kinds=dict(self.kinds),
            keyed={key: dict(row) for key, row in self.keyed.items()},
            appended=[dict(row) for row in self.appended],
            written_us=list(self.written_us),
        )

    def expire(self, now_us: int) -> None:
        """Forget the appended rows that are too old; those of a table with a key stay."""
        if self.live_us is not None:
            kept = [now_us - written < self.live_us for written in self.written_us]
            self.appended = [row for row, keep in zip(self.appended, kept, strict=True) if keep]
            self.written_us = [us for us, keep in zip(self.written_us, kept, strict=True) if keep]

    def write(
        self,
        ops: Sequence[int],
        rows: Sequence[Row],
        *,
        conflict: str,
        partial: bool,
        now_us: int = 0,
    ) -> None:
        """Apply a batch row by row, as docs/wire.md says."""
        for op, row in zip(ops, rows, strict=True):
            if not self.key:
                self.appended.append({**self.columns, **row})
                self.written_us.append(now_us)
                continue
            key = tuple(row[name] for name in self.key)
            if op == DELETE:
                self.keyed.pop(key, None)
            elif op != UPDATE_BEFORE and not (conflict == "ignore" and key in self.keyed):
                old: Row = {}
                if partial and conflict == "update":
                    old = self.keyed.get(key, {})
                self.keyed[key] = {**self.columns, **old, **row}

    def empty_partitions(self, values: set[Any]) -> None:
        """Forget the rows whose first key column has one of these values."""
        self.keyed = {key: row for key, row in self.keyed.items() if key[0] not in values}

    def overwrite(self, writes: Sequence[tuple[Sequence[int], Sequence[Row]]]) -> None:
        """No row stays that an overwrite by these batches replaces."""
        if self.partition is None:
            self.truncate()
        else:
            written = (pair for ops, rows in writes for pair in zip(ops, rows, strict=True))
            self.empty_partitions({row[self.partition] for op, row in written if op != DELETE})

    def truncate(self) -> None:
        """No row stays."""
        self.keyed, self.appended, self.written_us = {}, [], []

    def add_column(self, name: str, default: Any, kind: str) -> None:
        """Old rows read the default."""
        self.kinds[name] = kind
        self.columns[name] = default
        for row in [*self.keyed.values(), *self.appended]:
            row[name] = default

    def rename_column(self, old: str, new: str) -> None:
        """The rows stay, under another name."""
        self.columns = {new if n == old else n: d for n, d in self.columns.items()}
        self.kinds[new] = self.kinds.pop(old)
        for row in [*self.keyed.values(), *self.appended]:
            row[new] = row.pop(old)


@dataclass
class StagedWrites:
    """Batches of one stage, and the column types of its table when it was begun."""

    table: str
    request: WriteRequest
    kinds: dict[str, str]
    writes: list[tuple[list[int], list[Row]]] = field(default_factory=list)
    dropped: bool = False

    def fits(self, model: "Model") -> bool:
        """Whether the table is still as it was."""
        return not self.dropped and self.kinds == model.tables[self.table].kinds


@dataclass
class Model:
    """All tables by name, and what was staged for them."""

    tables: dict[str, ModelTable] = field(default_factory=dict)
    staged: dict[str, StagedWrites] = field(default_factory=dict)

    def copy(self) -> "Model":
        """An independent copy."""
        return Model(
            {name: table.copy() for name, table in self.tables.items()},
            {name: replace(s, writes=list(s.writes)) for name, s in self.staged.items()},
        )

    def abort(self, name: str) -> None:
        """Nothing of the stage stays."""
        del self.staged[name]

    def batches(self) -> dict[str, tuple[int, bool]]:
        """How many batches each open stage has, and whether its table was dropped."""
        return {name: (len(stage.writes), stage.dropped) for name, stage in self.staged.items()}

    def columns(self) -> dict[str, set[str]]:
        """The column names of every table."""
        return {name: set(table.columns) for name, table in self.tables.items()}

    def rows(self) -> dict[str, list[Row]]:
        """Everything that a reader can see."""
        return {name: table.rows() for name, table in self.tables.items()}


def batch_of(table: Table, ops: Sequence[int], rows: Sequence[Row]) -> pa.RecordBatch:
    """RecordBatch[_op: int8, columns of the rows…]."""
    names = [name for name in table.column_names if not rows or name in rows[0]]
    arrays = [pa.array(ops, pa.int8())]
    arrays += [pa.array([r[n] for r in rows], table.column(n).type.arrow()) for n in names]
    return pa.RecordBatch.from_arrays(arrays, ["_op", *names])


def scanned(snapshot: Snapshot, table: Table) -> list[Row]:
    """All visible rows of a table, in the order of `ModelTable.rows`."""
    found = [
        row for batch, _ in snapshot.scan(table, None, None, 0, 7) for row in batch.to_pylist()
    ]
    return sorted(found, key=by_content)


def all_rows(warehouse: Reads, database: str) -> dict[str, list[Row]]:
    """Every table of a database as the newest snapshot shows it."""
    snapshot = warehouse.snapshot()
    return {t.name: scanned(snapshot, t) for t in snapshot.catalog.tables_of(database)}


def replayed(warehouse: Reads, table: Table, start: int = 1) -> list[Row]:
    """The table made from its changelog alone; checks order and before images on the way."""
    rows: list[Row] = []
    for shard in range(table.shards):
        rows += _replayed_shard(warehouse, table, shard, start)
    return sorted(rows, key=by_content)


def check_changelog(warehouse: Reads, table: Table, rows: Sequence[Row]) -> None:
    """The kept changes lead to the rows: replayed from LSN 1, else undone one by one."""
    oldest = warehouse.shards(table)[0].oldest
    if LIVE in table.options:
        found = [row for n in range(table.shards) for row in changes(warehouse, table, n, oldest)]
        assert all(event["_event"] in (5, 2) for event in found), "expiry leaves no changes"
        return
    if oldest == 1:
        assert replayed(warehouse, table) == list(rows)
        return
    before = list(rows)
    for shard in range(table.shards):
        for event in reversed(changes(warehouse, table, shard, oldest, batch_rows=50)):
            code, _, _ = (event.pop(name) for name in ("_event", "_lsn", "_time"))
            if code in (5, 7):
                before.remove(event)
            else:
                before.append(event)
    keys = [tuple(row[name] for name in table.primary_key) for row in before]
    assert not table.primary_key or len(set(keys)) == len(keys)


def changes(warehouse: Reads, table: Table, shard: int, start: int, **options: Any) -> list[Row]:
    """All published events of a shard from `start` on."""
    options.setdefault("until", warehouse.published)
    reader = warehouse.changelog(table, shard, start, **options)
    events: list[Row] = []
    while True:
        batch = reader.read(10.0)
        events += batch.batch.to_pylist()
        if batch.done:
            return events
        assert batch.batch.num_rows, "a reader with `until` neither delivered nor ended"


def _replayed_shard(warehouse: Reads, table: Table, shard: int, start: int) -> list[Row]:
    rows: dict[Key, Row] = {}
    appended: list[Row] = []
    pending: Row | None = None
    last_lsn = last_time = 0
    for event in changes(warehouse, table, shard, start, batch_rows=50):
        code, lsn, time = event.pop("_event"), event.pop("_lsn"), event.pop("_time")
        assert lsn > last_lsn and time >= last_time, (lsn, last_lsn, time, last_time)
        key = tuple(event[name] for name in table.primary_key)
        assert code in (2, 3, 5, 7)
        if not table.primary_key:
            assert code in (5, 2)
            if code == 5:
                appended.append(event)
            else:
                appended.remove(event)
        elif code == 3:
            assert rows[key] == event, "the before image is not the row that was there"
            pending = event
        elif code == 7:
            assert pending is not None and lsn == last_lsn + 1, "3 and 7 stand together"
            rows[key] = event
            pending = None
        elif code == 5:
            assert key not in rows, "an insert of a row that was there"
            rows[key] = event
        else:
            assert rows.pop(key) == event, "the before image is not the row that was there"
        last_lsn, last_time = lsn, time
    assert pending is None
    return [*rows.values(), *appended]


def looked_up(warehouse: Reads, table: Table, keys: Sequence[Key]) -> Mapping[Key, Row]:
    """Rows by key, as the index finds them."""
    snapshot = warehouse.snapshot()
    columns = [
        pa.array([key[at] for key in keys], table.column(name).type.arrow())
        for at, name in enumerate(table.primary_key)
    ]
    request = pa.RecordBatch.from_arrays(columns, list(table.primary_key))
    found = snapshot.lookup(table, request, None).to_pylist()
    positions = [row.pop("_pos") for row in found]
    assert positions == sorted(positions)
    rows = {keys[at]: row for at, row in zip(positions, found, strict=True)}
    for key in keys:
        wanted = tuple(rows[key].values()) if key in rows else None
        assert snapshot.get(table, key) == wanted
    return rows
