"""A query asked again is not parsed again, and means what the catalog says now.

What stands in for a table's name is not to be seen, whatever the statement does with the name.
"""

from decimal import Decimal
from typing import Any

import pytest

from kit.asking import ask, refused, snapshot, table_of
from kit.frozen import Frozen
from sluiceway.catalog import DropTable, apply_change
from sluiceway.warehouse.query import run_sql
from sluiceway.warehouse.query.engine import Engines
from sluiceway.warehouse.query.plan import Plan, Plans, make_plan
from sluiceway.warehouse.query.statement import Statement, parse

__all__ = ["snapshot"]


def _statement(sql: str) -> Statement:
    with Engines().borrowed() as connection:
        statement = parse(connection, sql)
        connection.close()
    return statement


def _plan(snapshot: Frozen, sql: str) -> Plan:
    return make_plan({None: snapshot}, _statement(sql), "dw")


def test_a_query_asked_again_sees_what_the_catalog_says_now(snapshot: Frozen) -> None:
    old, sql = snapshot.catalog, "SELECT * FROM pays WHERE id = 1"
    assert refused(snapshot, sql).sqlstate == "42P01"
    snapshot.rows = {**snapshot.rows, "dw.pays": snapshot.rows["dw.orders"]}
    create = table_of("pays", [], id="BIGINT", ds="STRING")
    snapshot.catalog, _ = apply_change(old, create, default_shards=1)
    assert ask(snapshot, sql) == ask(snapshot, sql) == [(1, "a")]
    create = table_of("pays", ["id"], id="BIGINT", fee="DECIMAL(20, 2)")
    snapshot.catalog, _ = apply_change(old, create, default_shards=1)
    assert ask(snapshot, sql) == [(1, Decimal("5.00"))]
    drop = DropTable("dw", "pays")
    snapshot.catalog, _ = apply_change(snapshot.catalog, drop, default_shards=1)
    assert refused(snapshot, sql).sqlstate == "42P01"


def test_a_query_asked_again_reads_the_rows_of_now(snapshot: Frozen) -> None:
    for sql in ("SELECT count(*) FROM orders", "SELECT count(*) FROM orders WHERE id > 0"):
        snapshot.lsn = 100
        assert ask(snapshot, sql) == [(3,)]
        snapshot.lsn = 49
        assert ask(snapshot, sql) == [(4,)]


def test_the_plans_asked_last_are_kept(snapshot: Frozen) -> None:
    plans = Plans(most=2)
    kept = {text: _plan(snapshot, text) for text in ("SELECT 1", "SELECT 2", "SELECT 3")}
    for text, plan in kept.items():
        plans.keep(text, None, plan)
        assert plans.find("SELECT 1", None) is kept["SELECT 1"]
    assert plans.find("SELECT 2", None) is None
    assert plans.find("SELECT 3", "dw") is None
    assert plans.find("SELECT 3", None) is kept["SELECT 3"]
    stats = plans.stats()
    assert (stats.kept, stats.found, stats.missed) == (2, 4, 2)


def test_long_texts_are_not_kept(snapshot: Frozen) -> None:
    plans = Plans()
    text = "SELECT 1" + " " * 10_000
    plans.keep(text, None, _plan(snapshot, text))
    assert plans.find(text, None) is None


@pytest.mark.parametrize(
    ("sql", "movable"),
    [
        ("SELECT id FROM orders", [True]),
        ("SELECT o.id FROM dw.orders o JOIN days d ON d.price > 1, log", [True, True, True]),
        ("SELECT 1 FROM orders WHERE id IN (SELECT id FROM ods.pay)", [True, True]),
        ("WITH x AS (SELECT id FROM orders) SELECT x.id FROM x", [True, False]),
        ("SELECT s.id FROM (SELECT id FROM orders) AS s", [True]),
        ("SELECT (SELECT max(id) FROM orders)", [False]),
        ("SELECT dw.orders.id FROM dw.orders", [False]),
        ("SELECT dw.orders FROM dw.orders", [False]),
        ("SELECT 1 FROM dw.log, other.log", [False, False]),
        ("TABLE orders", [False]),
        ("SUMMARIZE orders", [False]),
    ],
)
def test_which_names_a_subquery_may_stand_for(sql: str, movable: list[bool]) -> None:
    tables = sorted(_statement(sql).tables, key=lambda table: table.start)
    assert [table.movable for table in tables] == movable


@pytest.mark.parametrize(
    ("sql", "names", "rows"),
    [
        ("SELECT orders.id FROM orders WHERE ds = 'b'", ["id"], [(2,)]),
        ("FROM ORDERS SELECT orders.fee, id WHERE id = 3", ["fee", "id"], [(None, 3)]),
        ("SELECT o.ds FROM\n dw.orders -- the o\n o WHERE id = 2", ["ds"], [("b",)]),
        ("SELECT é.id FROM orders AS é WHERE é.ds > 'ä' OR id = 1", ["id"], [(1,)]),
        ("SELECT id FROM /* , */ orders WHERE id = 2", ["id"], [(2,)]),
        ("SELECT dw.orders.id + 1 FROM dw.orders WHERE id = 2", ["(dw.orders.id + 1)"], [(3,)]),
        ("SELECT orders FROM orders WHERE id = 2", ["orders"], None),
        ("SELECT x FROM orders AS o(x) WHERE x = 2", ["x"], [(2,)]),
        ("SELECT a.id FROM orders a, orders b WHERE a.id < b.id AND b.id = 2", ["id"], [(1,)]),
        ("SELECT p.id FROM orders JOIN ods.pay p USING (id)", ["id"], [(1,)]),
        ("WITH _rows_0 AS (SELECT 7 AS id) SELECT max(id) AS n FROM orders", ["n"], [(3,)]),
        ("WITH log AS (SELECT max(id) + 1 AS id FROM orders) FROM log", ["id"], [(4,)]),
        ("WITH orders AS (SELECT max(id) + 1 AS id FROM orders) FROM orders", ["id"], [(4,)]),
        ("SELECT (SELECT max(id) FROM dw.orders)", ["(SELECT max(id) FROM dw.orders)"], [(3,)]),
        (
            "SELECT count(*) AS n, (SELECT count(*) FROM orders) AS m FROM orders WHERE id > 1",
            ["n", "m"],
            [(2, 3)],
        ),
    ],
)
def test_nobody_sees_what_stands_for_a_name(
    snapshot: Frozen, sql: str, names: list[str], rows: list[tuple[Any, ...]] | None
) -> None:
    found = run_sql(snapshot, sql, "dw").read_all()
    assert found.schema.names == names
    if rows is not None:
        assert sorted(tuple(row.values()) for row in found.to_pylist()) == rows
