"""SQL over a snapshot: names, visibility, what a key pins."""

from decimal import Decimal
from typing import Any

import pytest

from kit.asking import ask, refused, snapshot, table_of
from kit.frozen import Frozen
from sluiceway.catalog import (
    apply_change,
)
from sluiceway.warehouse.query import run_sql

__all__ = ["snapshot"]


def test_only_rows_visible_at_the_lsn_are_seen(snapshot: Frozen) -> None:
    assert ask(snapshot, "SELECT * FROM orders ORDER BY id DESC") == [
        (3, "c", None),
        (2, "b", Decimal("2.00")),
        (1, "a", Decimal("5.00")),
    ]
    snapshot.lsn = 49
    assert ask(snapshot, "SELECT count(*) FROM orders") == [(4,)]


def test_a_table_without_rows_is_a_table(snapshot: Frozen) -> None:
    assert ask(snapshot, "SELECT * FROM log") == []
    assert ask(snapshot, "SELECT count(*) FROM log") == [(0,)]


@pytest.mark.parametrize(
    "name", ["orders", "dw.orders", '"dw"."orders"', "ORDERS", "dw.Orders", "dw.public.orders"]
)
def test_ways_to_name_a_table(snapshot: Frozen, name: str) -> None:
    if name == "dw.public.orders":
        assert 'dw."public.orders"' in str(refused(snapshot, f"SELECT 1 FROM {name}"))
        name = 'dw."public.orders"'
    assert ask(snapshot, f"SELECT count(*) FROM {name}") == [(3,)]


@pytest.mark.parametrize("name", ["ods.pay", 'dw."ods.pay"', '"ods.pay"'])
def test_ways_to_name_a_table_of_a_schema(snapshot: Frozen, name: str) -> None:
    assert ask(snapshot, f"SELECT id FROM {name}") == [(1,)]


def test_a_database_may_be_named_with_a_warehouse(snapshot: Frozen) -> None:
    assert ask(snapshot, "SELECT count(*) FROM orders", "dw@read_warehouse") == [(3,)]


def test_tables_join_at_one_lsn(snapshot: Frozen) -> None:
    sql = 'SELECT o.fee FROM orders o JOIN dw."ods.pay" p USING (id)'
    assert ask(snapshot, sql) == [(Decimal("5.00"),)]


def test_with_queries_may_hide_tables(snapshot: Frozen) -> None:
    assert ask(snapshot, "WITH orders AS (SELECT 5 id) SELECT * FROM orders") == [(5,)]
    assert ask(snapshot, "WITH x AS (FROM orders) SELECT count(*) FROM x") == [(3,)]


@pytest.mark.parametrize(
    ("sql", "columns"),
    [
        ("SELECT fee FROM orders", ("fee",)),
        ("SELECT count(*) AS n FROM orders", ("id",)),
        ("SELECT FEE FROM orders o WHERE o.Ds > 'a' ORDER BY id", ("id", "ds", "fee")),
        ("SELECT sum(fee) total FROM orders GROUP BY ds ORDER BY total", ("ds", "fee")),
        ("SELECT * EXCLUDE (fee) FROM orders", ("id", "ds", "fee")),
        ("SELECT o FROM orders o", ("id", "ds", "fee")),
        ("SUMMARIZE orders", ("id", "ds", "fee")),
        ("SELECT 1 FROM orders JOIN (SELECT 1 AS id) USING (id)", ("id",)),
        ("SELECT 1 FROM orders NATURAL JOIN (SELECT 1 AS id)", ("id", "ds", "fee")),
    ],
)
def test_only_columns_that_are_named_are_read(
    snapshot: Frozen, sql: str, columns: tuple[str, ...]
) -> None:
    ask(snapshot, sql)
    assert snapshot.scans == [columns]


@pytest.mark.parametrize(
    ("where", "key"),
    [
        ("id = 1 AND ds = 'a'", {"id": 1, "ds": "a"}),
        ("'a' = o.ds AND (fee > 3 AND o.id = 1)", {"id": 1, "ds": "a"}),
        ("ID = '1' AND DS = 'a' AND ds = 'a'", {"id": 1, "ds": "a"}),
        ("id = 9 AND ds = 'it''s'", {"id": 9, "ds": "it's"}),
        ("id = -9 AND ds = ''", {"id": -9, "ds": ""}),
    ],
)
def test_a_pinned_key_never_scans(snapshot: Frozen, where: str, key: dict[str, Any]) -> None:
    found = ask(snapshot, f"SELECT fee FROM dw.orders o WHERE {where}")
    assert found == ([(Decimal("5.00"),)] if key["id"] == 1 else [])
    assert (snapshot.scans, snapshot.keys) == ([], [key])


@pytest.mark.parametrize(
    ("select", "limit", "names"),
    [
        ("*", "", ["id", "ds", "fee"]),
        ("fee, ID, o.ds AS day", "LIMIT 5", ["fee", "id", "day"]),
        ("o.fee, *", "", ["fee", "id", "ds", "fee"]),
        ("DISTINCT fee", "", ["fee"]),
        ("* EXCLUDE (id)", "", ["ds", "fee"]),
        ("fee + 1 AS more", "", ["more"]),
        ("o.*, count(*) OVER () AS n", "ORDER BY 1", ["id", "ds", "fee", "n"]),
    ],
)
def test_a_pinned_row_is_shown_as_any_other(
    snapshot: Frozen, select: str, limit: str, names: list[str]
) -> None:
    sql = f"SELECT {select} FROM orders o WHERE id = 1 AND ds = 'a'"
    found = run_sql(snapshot, f"{sql} {limit}", "dw").read_all()
    assert not snapshot.scans
    by_duckdb = run_sql(snapshot, f"{sql} AND length(ds) = 1 {limit}", "dw").read_all()
    assert found.schema.names == names
    assert found.equals(by_duckdb)


@pytest.mark.parametrize(
    ("select", "rest", "sqlstate"),
    [
        ("nope", "", "42703"),
        ("x.fee", "", "42P01"),
        ("fee", "LIMIT -1", "42601"),
        ("sum(fee), ds", "", "42803"),
    ],
)
def test_a_pinned_key_excuses_no_error(
    snapshot: Frozen, select: str, rest: str, sqlstate: str
) -> None:
    sql = f"SELECT {select} FROM orders WHERE id = 1 AND ds = 'a' {rest}"
    assert refused(snapshot, sql).sqlstate == sqlstate


def test_a_limit_of_zero_shows_nothing(snapshot: Frozen) -> None:
    assert ask(snapshot, "SELECT fee FROM orders WHERE id = 1 AND ds = 'a' LIMIT 0") == []
    assert ask(snapshot, "SELECT fee FROM orders WHERE id = 1 AND ds = 'a' OFFSET 1") == []


def test_columns_that_differ_only_in_case_are_refused(snapshot: Frozen) -> None:
    change = table_of("odd", [], a="INT", A="INT")
    snapshot.catalog, _ = apply_change(snapshot.catalog, change, default_shards=1)
    assert "'a' and 'A'" in str(refused(snapshot, "SELECT * FROM odd"))


def test_a_pinned_key_runs_the_rest_of_the_statement(snapshot: Frozen) -> None:
    sql = "SELECT sum(fee) * 2 AS x FROM orders WHERE id = 1 AND ds = 'a' AND fee < 3 HAVING x > 0"
    assert ask(snapshot, sql) == []
    assert snapshot.scans == []


def test_keys_of_other_types_are_pinned_by_their_literals(snapshot: Frozen) -> None:
    assert ask(snapshot, "SELECT price FROM days WHERE day = '2023-02-15'") == [(Decimal("9.50"),)]
    assert snapshot.scans == []


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("SELECT count(*) FROM orders WHERE id = 1", 1),
        ("SELECT count(*) FROM orders WHERE id = 1 OR ds = 'a'", 1),
        ("SELECT count(*) FROM orders WHERE NOT (id = 1 AND ds = 'a')", 2),
        ("SELECT count(*) FROM orders WHERE id = 1 AND id = 2 AND ds = 'a'", 0),
        ("SELECT count(*) FROM orders WHERE id = 1.0 AND ds = 'a'", 1),
        ("SELECT count(*) FROM orders WHERE id = ds AND ds = 'a' AND FALSE", 0),
        ("SELECT (SELECT count(*) FROM orders) FROM orders WHERE id = 1 AND ds = 'a'", 3),
        ("WITH x AS (SELECT 1) SELECT count(*) FROM orders WHERE id = 1 AND ds = 'a'", 1),
        ("SELECT count(*) FROM orders o(ds, id) WHERE ds = 1 AND id = 'a'", 1),
        ("SELECT count(*) FROM orders, (SELECT 1) WHERE id = 1 AND ds = 'a'", 1),
    ],
)
def test_what_does_not_surely_pin_a_key_is_scanned(snapshot: Frozen, sql: str, rows: int) -> None:
    assert ask(snapshot, sql) == [(rows,)]
    assert snapshot.scans and not snapshot.keys
