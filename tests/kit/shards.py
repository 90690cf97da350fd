"""A shard and a model of it: the same writes go to both, and every answer is compared.

A value is a token, a small integer: 0 is NULL, `DEFAULT` the column's default, others stand for the
values that `value_of` makes of them. The model is lists and dictionaries, one row at a time.
"""

from __future__ import annotations

import datetime
import decimal
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from kit.marks import visible
from sluiceway.catalog import Column, DataType, Root, Table, parse_type
from sluiceway.warehouse.table import Memory, MergeResult, Move, Shard, prepare

DEFAULT = -1
INSERT, UPDATE_BEFORE, UPDATE_AFTER, DELETE = 0, 1, 2, 3
SMALL_ROWS = (8, 16, 1 << 20)
TYPES = {
    "b": "BOOLEAN",
    "i1": "TINYINT",
    "i2": "SMALLINT",
    "i4": "INT",
    "i8": "BIGINT",
    "f": "FLOAT",
    "d": "DOUBLE",
    "dec": "DECIMAL(20, 3)",
    "s": "STRING",
    "v": "BYTES",
    "day": "DATE",
    "time": "TIME(3)",
    "ms": "TIMESTAMP(3)",
    "ns": "TIMESTAMP(9)",
    "instant": "TIMESTAMP_LTZ(3)",
    "ai": "ARRAY<INT>",
    "as": "ARRAY<STRING>",
    "ab": "ARRAY<BOOLEAN>",
    "ad": "ARRAY<DECIMAL(10, 2)>",
    "def": "INT",
}

Row = dict[str, int]


def table_of(
    keys: Mapping[str, str], types: Mapping[str, str] = TYPES, orientation: str = "column"
) -> Table:
    """Return a table with these key columns in front of the others; `def` has a default."""
    columns = [Column(i + 1, n, parse_type(t), False) for i, (n, t) in enumerate(keys.items())]
    for name, kind in types.items():
        default = "77" if name == "def" else None
        columns.append(Column(len(columns) + 1, name, parse_type(kind), default=default))
    return Table(
        database="db",
        name="t",
        columns=tuple(columns),
        primary_key=tuple(keys),
        id=1,
        schema_version=1,
        distribution_key=tuple(keys),
        shards=1,
        options={"table_property.orientation": orientation},
    )


def value_of(kind: DataType, token: int) -> Any:
    """Return the value that a token stands for; token 0 is NULL."""
    if token == 0:
        return None
    if kind.element is not None:
        return [value_of(kind.element, (token * 7 + at) % 5) for at in range(token % 4)]
    if kind.root is Root.BOOLEAN:
        return token % 2 == 1
    if kind.root in (Root.FLOAT, Root.DOUBLE):
        return token / 4 if token % 3 else -0.0
    if kind.root is Root.DECIMAL:
        return decimal.Decimal((token - 3) * 10 ** (token % 5)).scaleb(-(kind.scale or 0))
    if kind.root in (Root.VARCHAR, Root.CHAR):
        return "é" * (token % 3) + str(token) * (token * token % 40)
    if kind.root in (Root.VARBINARY, Root.BINARY):
        return bytes([token % 256]) * (token * 5 % 23)
    if kind.root is Root.DATE:
        return datetime.date(2020, 1, 1) + datetime.timedelta(days=token)
    return (token - 3) * 37 % 120


def array_of(column: Column, tokens: Sequence[int]) -> pa.Array:
    """Return the Arrow array of some tokens."""
    kind = column.type.arrow()
    plain = pa.int32() if pa.types.is_time(kind) else pa.int64()
    raw = pa.types.is_time(kind) or pa.types.is_timestamp(kind)
    values = pa.array([value_of(column.type, token) for token in tokens], plain if raw else kind)
    values = values.cast(kind)
    if DEFAULT not in tokens:
        return values
    is_default = pa.array([token == DEFAULT for token in tokens])
    defaults = pa.repeat(column.default_scalar(), len(tokens))
    both = pa.concat_arrays([values, defaults])
    at = np.arange(len(tokens)) + len(tokens) * is_default.to_numpy(zero_copy_only=False)
    return both.take(pa.array(at))


@dataclass
class Version:
    """A row of the model with the LSNs between which it is visible."""

    row: Row
    born: int
    dead: int | None = None

    def visible(self, lsn: int) -> bool:
        """Tell whether a snapshot at `lsn` shows the row."""
        return self.born <= lsn and (self.dead is None or self.dead > lsn)


@dataclass
class Outcome:
    """What the model expects of a merge."""

    positions: list[int] = field(default_factory=list)
    kinds: list[int] = field(default_factory=list)
    after: list[Row] = field(default_factory=list)
    before: list[Row] = field(default_factory=list)


@dataclass
class Model:
    """All versions of all rows, in birth order."""

    table: Table
    versions: list[Version] = field(default_factory=list)

    def key(self, row: Row) -> tuple[int, ...]:
        """Return the key of a row."""
        return tuple(row[name] for name in self.table.primary_key)

    def current(self, key: tuple[int, ...]) -> Version | None:
        """Return the living version of a key."""
        living = (v for v in self.versions if v.dead is None and self.key(v.row) == key)
        return next(living, None)

    def merge(
        self, ops: Sequence[int], rows: Sequence[Row], conflict: str, partial: bool, lsn: int
    ) -> Outcome:
        """Play a batch row by row and say what comes of it."""
        final: dict[tuple[int, ...], tuple[int, Row | None]] = {}
        for at, (op, row) in enumerate(zip(ops, rows, strict=True)):
            key = self.key(row) if self.table.primary_key else (at,)
            stored = self.current(key) if self.table.primary_key else None
            base = final[key][1] if key in final else (stored.row if stored else None)
            if op == UPDATE_BEFORE:
                continue
            if op == DELETE:
                final[key] = (at, None)
            elif not (conflict == "ignore" and base is not None):
                keep = base if partial and conflict == "update" and base is not None else {}
                defaults = {c.name: _default(c) for c in self.table.columns}
                final[key] = (at, defaults | keep | row)
        return self._finish(final, lsn)

    def _finish(self, final: Mapping[tuple[int, ...], tuple[int, Row | None]], lsn: int) -> Outcome:
        outcome = Outcome()
        for key, (at, row) in sorted(final.items(), key=lambda item: item[1][0]):
            stored = self.current(key) if self.table.primary_key else None
            if stored is None and row is None:
                continue
            outcome.positions.append(at)
            outcome.kinds.append(5 if stored is None else 7 if row is not None else 2)
            if stored is not None:
                outcome.before.append(stored.row)
                stored.dead = lsn
            if row is not None:
                outcome.after.append(row)
                self.versions.append(Version(row, lsn))
        return outcome

    def rows(self, lsn: int) -> list[Row]:
        """Return the rows visible at `lsn` in birth order."""
        return [version.row for version in self.versions if version.visible(lsn)]

    def batch(self, rows: Sequence[Row]) -> pa.RecordBatch:
        """Return rows as Arrow, in the table's schema."""
        arrays = [array_of(c, [row[c.name] for row in rows]) for c in self.table.columns]
        return pa.RecordBatch.from_arrays(arrays, schema=self.table.arrow_schema())


def _default(column: Column) -> int:
    return 0 if column.default is None else DEFAULT


def _rows_of(batch: pa.RecordBatch) -> list[tuple[Any, ...]]:
    """Return rows as Python values, without `_pos`."""
    names = [name for name in batch.schema.names if name != "_pos"]
    return [tuple(row[name] for name in names) for row in batch.to_pylist()]


class Batch(NamedTuple):
    """What is merged at once; `writes`, rising, tells which write each row came with."""

    ops: Sequence[int]
    rows: Sequence[Row]
    conflict: str = "update"
    partial: bool = False
    writes: Sequence[int] | None = None

    def by_write(self) -> list[tuple[int, Sequence[int], Sequence[Row]]]:
        """Return where each write begins, and its row kinds and rows."""
        writes = self.writes or [0] * len(self.ops)
        bounds = [bisect_left(writes, write) for write in sorted(set(writes))]
        ends = [*bounds[1:], len(writes)]
        return [
            (start, self.ops[start:end], self.rows[start:end])
            for start, end in zip(bounds, ends, strict=True)
        ]


class Pair:
    """A shard beside its model."""

    def __init__(self, table: Table, memory: Memory) -> None:
        self.model = Model(table)
        self.memory = memory
        self.shard = Shard(table, 0, memory, SMALL_ROWS)
        self.lsn = 0
        self.published: list[int] = []
        self.horizon = 0
        self.commits: list[tuple[int, list[MergeResult] | Move]] = []

    @property
    def table(self) -> Table:
        """The table as it is now."""
        return self.model.table

    def commit(self, *batches: Batch) -> None:
        """Merge some batches under one commit LSN, compare the images, publish."""
        total = sum(len(batch.ops) for batch in batches)
        first, self.lsn = self.lsn + 1, self.lsn + 1 + 2 * total
        results = []
        for batch in batches:
            results.append(self._merge(batch, first))
            first += 2 * len(batch.ops)
        self.shard.publish(self.lsn, self.lsn * 10)
        self.published.append(self.lsn)
        self.commits.append((self.lsn, results))

    def compact(self, horizon: int) -> int:
        """Move and drop what can be when nobody reads below `horizon`; returns segments dropped."""
        self.horizon = horizon
        waste = self.shard.waste(horizon, np.zeros(0, np.int64))
        for entries in self.shard.index_parts(1 << 20):
            self.shard.free_slots(waste.dead, entries)
        if waste.dead:
            self.shard.drop(waste.dead)
        for move in waste.moves:
            self._move(move)
        return len(waste.dead)

    def _move(self, move: Move) -> None:
        segment = self.shard.state.segments[move.ordinal]
        first = segment.first_ordinal
        change = self.shard.plan_move(move)
        assert change is not None
        self.lsn += 3
        for version in self.model.versions[first + move.start : first + move.end]:
            if version.dead is None:
                version.dead = self.lsn
                self.model.versions.append(Version(version.row, self.lsn))
        self.shard.move(change, self.lsn)
        self.shard.publish(self.lsn, self.lsn * 10)
        self.published.append(self.lsn)
        self.commits.append((self.lsn, move))

    def _merge(self, given: Batch, first: int) -> MergeResult:
        ops, rows, conflict, partial, writes = given
        names = list(rows[0]) if rows else list(self.table.column_names)
        arrays = [array_of(self.table.column(name), [row[name] for row in rows]) for name in names]
        batch = pa.RecordBatch.from_arrays([pa.array(ops, pa.int8()), *arrays], ["_op", *names])
        kinds, checked = prepare(self.table, batch, partial=partial)
        result = self.shard.merge(
            checked,
            kinds,
            conflict=conflict,
            partial=partial,
            positions=np.arange(len(ops), dtype=np.int32),
            writes=None if writes is None else np.array(writes, np.int32),
            commit_lsn=self.lsn,
            first_lsn=first,
        )
        expected = Outcome()
        for start, some_ops, some in given.by_write():
            one = self.model.merge(some_ops, some, conflict, partial, self.lsn)
            expected.positions += [start + position for position in one.positions]
            expected.kinds += one.kinds
            expected.after += one.after
            expected.before += one.before
        assert result.positions.tolist() == expected.positions
        assert result.kinds.tolist() == expected.kinds
        self._same(result.after, expected.after)
        self._same(result.before, expected.before)
        assert result.events == len(expected.after) + len(expected.before)
        return result

    def _same(self, image: pa.RecordBatch, rows: Sequence[Row]) -> None:
        image.validate(full=True)
        wanted = self.model.batch(rows)
        names = wanted.schema.names
        got = pa.RecordBatch.from_arrays([image.column(n) for n in names], schema=wanted.schema)
        assert got.equals(wanted)

    def check(self, shard: Shard, lsn: int, batch_rows: int = 5) -> None:
        """Compare a scan, the zero-copy batches and look-ups of all keys at `lsn`."""
        wanted = self.model.batch(self.model.rows(lsn))
        pieces = list(shard.scan(lsn, self.table, None, 0, batch_rows))
        assert all(0 < piece.num_rows <= batch_rows for piece, _ in pieces)
        self._same_rows([piece for piece, _ in pieces], wanted)
        if pieces:
            rest = shard.scan(lsn, self.table, None, pieces[0][1], batch_rows)
            assert [piece for piece, _ in rest] == [piece for piece, _ in pieces[1:]]
        self._same_rows(visible(shard.batches(lsn, self.table, None), lsn), wanted)
        if self.table.primary_key:
            self._check_lookup(shard, lsn)

    def _same_rows(self, batches: Sequence[pa.RecordBatch], wanted: pa.RecordBatch) -> None:
        for batch in batches:
            batch.validate(full=True)
        got = pa.Table.from_batches(batches, self.table.arrow_schema())
        assert got.equals(pa.Table.from_batches([wanted]))

    def _check_lookup(self, shard: Shard, lsn: int) -> None:
        rows = self.model.rows(lsn)
        known = {self.model.key(version.row) for version in self.model.versions}
        keys = sorted(known | {tuple(9 for _ in self.table.primary_key)})
        names = self.table.primary_key
        arrays = [
            array_of(self.table.column(name), [key[at] for key in keys])
            for at, name in enumerate(names)
        ]
        asked = pa.RecordBatch.from_arrays(arrays, list(names))
        found = shard.lookup(asked, lsn, self.table, None)
        by_key = {self.model.key(row): row for row in rows}
        hits = [(at, by_key[key]) for at, key in enumerate(keys) if key in by_key]
        assert found.column("_pos").to_pylist() == [at for at, _ in hits]
        self._same(found, [row for _, row in hits])
        rows_found = dict(zip((at for at, _ in hits), _rows_of(found), strict=True))
        for at, one in enumerate(_rows_of(asked)):
            assert shard.read_row(one, lsn, self.table, None) == rows_found.get(at)

    def reload(self, lsn: int) -> Shard:
        """Build a shard from the images at `lsn` and replay what came after."""
        images = self.shard.images(lsn)
        shard = Shard.load(
            self.table, 0, self.memory, images, lsn, lambda _: self.table, SMALL_ROWS
        )
        for commit_lsn, results in self.commits:
            if commit_lsn > lsn:
                if isinstance(results, Move):
                    change = shard.plan_move(results)
                    assert change is not None
                    shard.move(change, commit_lsn)
                    results = []
                for result in results:
                    shard.replay(result.kinds, result.after, result.before, commit_lsn)
                shard.publish(commit_lsn, commit_lsn * 10)
        return shard
