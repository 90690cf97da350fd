"""What a query leaves unread changes no answer, and a range leaves most of a table unread."""

import datetime
import tempfile
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from sluiceway.catalog import (
    Catalog,
    Column,
    CreateDatabase,
    CreateTable,
    Table,
    apply_change,
    parse_type,
)
from sluiceway.warehouse.condition import Condition
from sluiceway.warehouse.query import run_sql
from sluiceway.warehouse.table import Memory, Shard, prepare
from sluiceway.warehouse.table.zones import ZONE_ROWS

_KINDS = {
    "id": "BIGINT",
    "n": "SMALLINT",
    "fee": "DECIMAL(12, 2)",
    "x": "DOUBLE",
    "day": "DATE",
    "ts": "TIMESTAMP(3)",
    "tz": "TIMESTAMP_LTZ(3)",
    "name": "STRING",
}
_BEGIN = datetime.datetime(2024, 1, 1)


class Ranged:
    """A snapshot of one shard that counts the rows it hands out, and can hand out all of them."""

    def __init__(self, shard: Shard, catalog: Catalog, lsn: int, prunes: bool) -> None:
        self.shard, self.catalog, self.lsn, self.prunes = shard, catalog, lsn, prunes
        self.rows = 0

    def batches(
        self, table: Table, columns: Sequence[str] | None, conditions: Sequence[Condition] = ()
    ) -> list[pa.RecordBatch]:
        found = self.shard.batches(self.lsn, table, columns, conditions if self.prunes else ())
        self.rows += sum(batch.num_rows for batch in found)
        return found

    def count(self, table: Table) -> int:
        return self.shard.count(self.lsn)

    def lookup(
        self, table: Table, keys: pa.RecordBatch, columns: Sequence[str] | None
    ) -> pa.RecordBatch:
        return self.shard.lookup(keys, self.lsn, table, columns)


def catalog() -> Catalog:
    columns = tuple(Column(0, name, parse_type(kind)) for name, kind in _KINDS.items())
    made, _ = apply_change(Catalog.empty(), CreateDatabase("dw"), default_shards=1)
    made, _ = apply_change(made, CreateTable(Table("dw", "t", columns, ("id",))), default_shards=1)
    return made


def _batch(table: Table, rows: Sequence[tuple[int, int, int | None]]) -> pa.RecordBatch:
    """Rows of (kind, key, token): the token decides every value."""
    tokens = [token for _, _, token in rows]
    moments = [None if t is None else _BEGIN + datetime.timedelta(hours=t) for t in tokens]
    values: dict[str, list[Any]] = {
        "id": [key for _, key, _ in rows],
        "n": tokens,
        "fee": [None if t is None else Decimal(t) / 4 for t in tokens],
        "x": [None if t is None else float("nan") if t == 7 else t / 10 for t in tokens],
        "day": [None if m is None else m.date() for m in moments],
        "ts": moments,
        "tz": moments,
        "name": [None if t is None else str(t) for t in tokens],
    }
    arrays = [pa.array(values[c.name], c.type.arrow()) for c in table.columns]
    ops = pa.array([kind for kind, _, _ in rows], pa.int8())
    return pa.RecordBatch.from_arrays([ops, *arrays], names=["_op", *values])


def write(shard: Shard, table: Table, batch: pa.RecordBatch, lsn: int) -> None:
    ops, checked = prepare(table, batch, partial=False)
    positions = np.arange(batch.num_rows, dtype=np.int32)
    shard.merge(checked, ops, conflict="update", partial=False, positions=positions, commit_lsn=lsn)
    shard.publish(lsn, lsn)


_NUMERALS = [str(i) for i in range(-3, 12)] + ["0.5", "1.25", "0.3", "-1.005", "1e0", "'2'"]
_TIMES = [
    f"{cast}'{day}{time}'"
    for cast in ("", "TIMESTAMP ", "TIMESTAMPTZ ")
    for day in ("2024-01-01", "2024-01-02")
    for time in ("", " 00:00:00", " 05:00:00.001")
] + ["DATE '2024-01-02'", "DATE '2023-12-31'"]
_DATES = ["'2024-01-01'", "DATE '2024-01-02'", "DATE '2023-12-31'", "TIMESTAMP '2024-01-01 04:00'"]
_LITERALS = {"day": _DATES, "ts": _TIMES, "tz": _TIMES, "name": ["'1'", "'5'"]}
_SIGNS = st.sampled_from(["=", "<", "<=", ">", ">=", "<>"])


@st.composite
def _atoms(draw: Any) -> str:
    name = draw(st.sampled_from(sorted(_KINDS)))
    literals = st.sampled_from(_LITERALS.get(name, _NUMERALS))
    column = draw(st.sampled_from([name, f"a.{name}"]))
    kind = draw(st.sampled_from(["sign", "turned", "between", "in", "not"]))
    if kind == "between":
        return f"{column} BETWEEN {draw(literals)} AND {draw(literals)}"
    if kind == "in":
        return f"{column} IN ({draw(literals)}, {draw(literals)})"
    if kind == "turned":
        return f"{draw(literals)} {draw(_SIGNS)} {column}"
    atom = f"{column} {draw(_SIGNS)} {draw(literals)}"
    return f"NOT ({atom})" if kind == "not" else atom


_PREDICATES = st.one_of(
    st.lists(_atoms(), min_size=1, max_size=3).map(" AND ".join),
    st.lists(_atoms(), min_size=2, max_size=2).map(" OR ".join),
)
_QUERIES = st.sampled_from(
    [
        "SELECT id, name FROM t a WHERE {}",
        "SELECT -n AS n, name FROM t AS a WHERE {}",
        "SELECT count(*), sum(n) FROM (SELECT * FROM t a WHERE {}) s",
        "WITH s AS (SELECT * FROM t a WHERE {}) SELECT x.id FROM s x, s y WHERE x.id = y.id",
        "SELECT v, a.n FROM (VALUES (1), (2)) u(v) LEFT JOIN t a ON a.id = v WHERE {}",
        "SELECT v, a.n FROM t a FULL JOIN (VALUES (1), (99)) u(v) ON a.id = v WHERE {}",
        "SELECT v FROM (VALUES (1), (2)) u(v) WHERE v NOT IN (SELECT id FROM t a WHERE {})",
        "SELECT a.id, (SELECT count(*) FROM t) FROM t a WHERE {}",
        "SELECT count(*) FROM t a WHERE {} HAVING count(*) >= 0",
    ]
)
_ROWS = st.tuples(
    st.sampled_from([0, 0, 0, 3]), st.integers(0, 20), st.one_of(st.none(), st.integers(-8, 30))
)
_COMMITS = st.lists(st.lists(_ROWS, min_size=1, max_size=12), min_size=1, max_size=6)


@settings(derandomize=True, database=None, max_examples=60)
@given(_COMMITS, st.lists(st.tuples(_QUERIES, _PREDICATES), min_size=4, max_size=4), st.data())
def test_what_is_left_unread_changes_no_answer(
    commits: list[list[tuple[int, int, int | None]]], asked: list[tuple[str, str]], data: Any
) -> None:
    made = catalog()
    table = made.table("dw", "t")
    with tempfile.TemporaryDirectory() as directory:
        memory = Memory(Path(directory))
        shard = Shard(table, 0, memory, (4, 8, 8))
        for number, rows in enumerate(commits):
            write(shard, table, _batch(table, rows), (number + 1) * 100)
        lsn = 100 * data.draw(st.integers(1, len(commits)))
        for query, predicate in asked:
            sql = query.format(predicate)
            answers = [
                sorted(map(repr, run_sql(view, sql, "dw").read_all().to_pylist()))
                for view in (Ranged(shard, made, lsn, True), Ranged(shard, made, lsn, False))
            ]
            assert answers[0] == answers[1], sql
        counts = [
            run_sql(Ranged(shard, made, lsn, True), sql, "dw").read_all()
            for sql in ("SELECT count(*) FROM t", "SELECT count(*) FROM t WHERE TRUE")
        ]
        assert counts[0].equals(counts[1])
        shard.close()
        memory.close()


def test_a_range_of_a_large_table_reads_its_zones(tmp_path: Path) -> None:
    made = catalog()
    table = made.table("dw", "t")
    memory = Memory(tmp_path)
    shard = Shard(table, 0, memory, (100, 10 * ZONE_ROWS))
    count = 3 * ZONE_ROWS
    keys = pa.array(np.arange(count))
    rest = [pa.nulls(count, column.type.arrow()) for column in table.columns[1:]]
    rest[-1] = keys.cast(pa.utf8())
    ops = pa.array(np.zeros(count, np.int8))
    write(shard, table, pa.record_batch([ops, keys, *rest], ["_op", *_KINDS]), 2 * count)

    def read(where: str) -> tuple[list[dict[str, Any]], int]:
        view = Ranged(shard, made, 2 * count, True)
        sql = f"SELECT min(id) AS low, max(id) AS high FROM t WHERE {where}"
        return run_sql(view, sql, "dw").read_all().to_pylist(), view.rows

    # Zones: the sealed 100 rows, two whole ones, and the rest of the open segment, always read.
    tail = ZONE_ROWS - 100
    assert read("id >= 50 AND id < 60") == ([{"low": 50, "high": 59}], 100 + tail)
    assert read("id BETWEEN 200 AND 300") == ([{"low": 200, "high": 300}], ZONE_ROWS + tail)
    assert read("id IN (7, 99999)") == ([{"low": 7, "high": 99999}], 100 + ZONE_ROWS + tail)
    assert read(f"id > {count - 3}") == ([{"low": count - 2, "high": count - 1}], tail)
    assert read("n = 1") == ([{"low": None, "high": None}], tail)
    assert read("id < 10 OR id > 20")[1] == count
    shard.close()
    memory.close()
