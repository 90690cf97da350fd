"""AS OF: what a moment means, in which schema it is read, and when it is refused."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kit.model import scanned
from kit.store import DATABASE, Shop, orders
from kit.workload import column
from sluiceway.catalog import (
    AddColumn,
    Column,
    DropColumn,
    GoneError,
    NotFoundError,
    RenameColumn,
    RenameTable,
    SetType,
    SluicewayError,
    UserError,
    parse_type,
)
from sluiceway.warehouse.query import run_sql

SECOND_US = 1_000_000
START = "2026-01-31 12:00:00"
START_US = 1_769_860_800 * SECOND_US


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A shop in which order 1 is named a, b, c at seconds 1, 2, 3 of a minute; now is second 10."""
    shop = Shop(tmp_path / "data")
    shop.clock.us = START_US
    shop.create(orders(shards=2))
    for name in "abc":
        shop.clock.us += SECOND_US
        shop.put((1, name, ord(name)))
    shop.clock.us = START_US + 10 * SECOND_US
    yield shop
    shop.warehouse.close()


def ask(shop: Shop, sql: str, lsn: int | None = None) -> list[tuple[Any, ...]]:
    warehouse = shop.warehouse
    answer = run_sql(warehouse.snapshot(lsn), sql, DATABASE, warehouse).read_all()
    return [tuple(row.values()) for row in answer.to_pylist()]


def refused(shop: Shop, sql: str) -> SluicewayError:
    with pytest.raises(SluicewayError) as caught:
        ask(shop, sql)
    return caught.value


@pytest.mark.parametrize(
    ("clause", "name"),
    [
        ("FOR SYSTEM_TIME AS OF TIMESTAMP '2026-01-31 12:00:02'", "b"),
        ("for system_time as of timestamp '2026-01-31 12:00:02.999999'", "b"),
        ("FOR SYSTEM_TIME AS OF '2026-01-31T12:00:01Z'", "a"),
        ("FOR SYSTEM_TIME AS OF TIMESTAMP '2026-01-31 14:00:01+02'", "a"),
        ("FOR SYSTEM_TIME AS OF TIMESTAMPTZ '2026-01-31 14:00:01+02'", "a"),
        ("FOR SYSTEM_TIME AS OF TIMESTAMP WITH TIME ZONE '2026-01-31 21:00:02 Asia/Tokyo'", "b"),
        ("FOR SYSTEM_TIME AS OF (TIMESTAMP '2026-01-31 12:00:00' + INTERVAL '2' SECOND)", "b"),
        ("AT (TIMESTAMP => TIMESTAMP '2026-01-31 12:00:05')", "c"),
        ("/* FOR */ AT (timestamp => '2026-01-31 12:00:01')", "a"),
        ("FOR SYSTEM_TIME AS OF TIMESTAMP '2026-01-31 12:00:10'", "c"),
    ],
)
def test_a_time_means_the_last_commit_before_it(shop: Shop, clause: str, name: str) -> None:
    assert ask(shop, f"SELECT name FROM orders {clause}") == [(name,)]
    assert ask(shop, f"SELECT o.name || 'é' FROM shop.orders {clause} AS o") == [(f"{name}é",)]
    assert ask(shop, f"SELECT name FROM orders {clause} WHERE id = 1") == [(name,)]


def test_a_version_is_an_lsn(shop: Shop) -> None:
    now = shop.warehouse.published
    for clause in [f"FOR SYSTEM_VERSION AS OF {now - 3}", f"AT (VERSION => {now} -3 -- )\n)"]:
        assert ask(shop, f"SELECT name FROM orders {clause}") == [("b",)]
    assert ask(shop, "SELECT name FROM orders", lsn=now - 3) == [("b",)]


def test_tables_of_one_statement_may_each_have_a_moment(shop: Shop) -> None:
    first = "FOR SYSTEM_TIME AS OF TIMESTAMP '2026-01-31 12:00:01'"
    second = "AT (TIMESTAMP => '2026-01-31 12:00:02')"
    sql = f"SELECT a.name x, b.name y, orders.name FROM orders {first} a, shop.orders AS b {second}"
    assert ask(shop, f"{sql}, orders") == [("a", "b", "c")]
    sql = f"SELECT shop.orders.name FROM shop.orders {first} WHERE name IN (SELECT 'a' FROM orders)"
    assert ask(shop, sql) == [("a",)]
    for then, now in (("Orders", "orders"), ("shop.orders", "shop.ORDERS")):
        sql = f"SELECT (SELECT max(name) FROM {then} {first}), (SELECT max(name) FROM {now})"
        assert ask(shop, sql) == [("a", "c")]
    sql = (
        f"WITH old AS (SELECT * FROM orders {first}) SELECT old.qty, n.qty q FROM old JOIN orders n"
    )
    assert ask(shop, f"{sql} USING (id)") == [(97, 99)]
    assert ask(
        shop, f"SELECT name FROM orders {first} UNION SELECT name FROM orders ORDER BY 1"
    ) == [
        ("a",),
        ("c",),
    ]


def test_words_in_texts_and_names_are_no_clause(shop: Shop) -> None:
    text = "FOR SYSTEM_TIME AS OF TIMESTAMP ''2026-01-31 12:00:01''"
    sql = f"SELECT '{text}' AS \"x FOR SYSTEM_VERSION AS OF 1\", name FROM orders --AT (VERSION=>1)"
    assert ask(shop, sql) == [(text.replace("''", "'"), "c")]


@pytest.mark.parametrize(
    ("sql", "sqlstate", "words"),
    [
        ("SELECT * FROM orders FOR SYSTEM_TIME AS OF '2026-02-01'", "22023", "in the future"),
        ("SELECT * FROM orders FOR SYSTEM_TIME AS OF '2026-01-31 11:59:59'", "55000", "the oldest"),
        ("SELECT * FROM orders FOR SYSTEM_VERSION AS OF 99", "22023", "not published yet"),
        ("SELECT * FROM orders AT (VERSION => -1)", "55000", "the oldest is LSN 1 of 2026-01-31"),
        ("SELECT * FROM orders FOR SYSTEM_TIME AS OF id", "42601", "AS OF wants"),
        ("SELECT * FROM orders AS OF FOR SYSTEM_TIME AS OF", "42601", "AS OF wants"),
        ("SELECT * FROM orders AT (VERSION => (1)", "42601", "not closed"),
        ("SELECT * FROM orders AT (VERSION => 1) AT (VERSION => 2)", "42601", "two AS OF"),
        ("SELECT * FROM (SELECT 1) FOR SYSTEM_VERSION AS OF 1", "42601", "behind no table"),
        ("SELECT * FROM orders AT (VERSION => NULL)", "22023", "no moment"),
        ("SELECT * FROM orders AT (VERSION => (SELECT 1 FROM orders))", "42P01", "orders"),
        ("SELECT * FROM orders FOR SYSTEM_TIME AS OF 'noon'", "22P02", "noon"),
        ("SELECT * FROM nix FOR SYSTEM_VERSION AS OF 8", "42P01", "at LSN 8"),
        (
            "WITH w AS (SELECT 1) SELECT * FROM w FOR SYSTEM_VERSION AS OF 8",
            "42601",
            "no history",
        ),
    ],
)
def test_what_is_no_moment(shop: Shop, sql: str, sqlstate: str, words: str) -> None:
    error = refused(shop, sql)
    assert (error.sqlstate, words in str(error)) == (sqlstate, True), error
    assert ask(shop, "SELECT name FROM orders") == [("c",)]


def test_a_table_is_read_in_the_schema_of_then(shop: Shop) -> None:
    before = shop.warehouse.published
    number = parse_type("BIGINT")
    shop.clock.us += SECOND_US
    shop.warehouse.ddl(
        [
            SetType(DATABASE, "orders", "qty", number),
            RenameColumn(DATABASE, "orders", "name", "title"),
            AddColumn(DATABASE, "orders", Column(0, "tag", parse_type("STRING"), default="x")),
            RenameTable(DATABASE, "orders", "sales"),
        ]
    )
    shop.write([0], [{"id": 1, "title": "d", "qty": 1 << 40, "tag": "y"}], "sales")
    shop.warehouse.ddl([DropColumn(DATABASE, "sales", "title")])
    for _ in range(2):
        assert ask(shop, "SELECT * FROM sales") == [(1, 1 << 40, "y")]
        old = f"SELECT *, typeof(qty) FROM orders FOR SYSTEM_VERSION AS OF {before}"
        assert ask(shop, old) == [(1, "c", 99, "INTEGER")]
        for old in f"orders AT (VERSION => {before}) o", f"orders o AT (VERSION => {before})":
            both = f"SELECT o.name, s.tag FROM {old} JOIN sales s USING (id)"
            assert ask(shop, both) == [("c", "y")]
        shop.again()


def test_what_came_later_is_not_there_yet(shop: Shop) -> None:
    with pytest.raises(NotFoundError, match="This was at LSN 3"):
        ask(shop, "SELECT * FROM later FOR SYSTEM_VERSION AS OF 3")
    shop.warehouse.ddl([AddColumn(DATABASE, "orders", column("tag", "STRING"))])
    with pytest.raises(NotFoundError, match="tag"):
        ask(shop, "SELECT tag FROM orders FOR SYSTEM_TIME AS OF '2026-01-31 12:00:03'")


def test_a_moment_stays_what_it_was_when_the_clock_goes_back(shop: Shop) -> None:
    warehouse, now = shop.warehouse, shop.clock.us
    first = warehouse.snapshot(time_us=now)
    shop.clock.us -= 5 * SECOND_US
    later = shop.put((1, "d", 4)).lsn
    shop.clock.us = now + SECOND_US
    assert warehouse.snapshot(time_us=now).lsn == first.lsn < later
    assert scanned(warehouse.snapshot(time_us=now), shop.table())[0]["name"] == "c"
    assert warehouse.snapshot(time_us=now + 1).lsn == later


def test_a_snapshot_has_one_name(shop: Shop) -> None:
    with pytest.raises(UserError, match="name one"):
        shop.warehouse.snapshot(1, time_us=START_US)
    with pytest.raises(GoneError, match=r"2026-01-31 12:00:00\+00:00"):
        shop.warehouse.snapshot(time_us=-(2**63))


def test_a_moment_is_the_same_after_a_restart(shop: Shop) -> None:
    times = [START_US + second * SECOND_US for second in range(4)]
    before = [shop.warehouse.snapshot(time_us=time).lsn for time in times]
    shop.again()
    after = [shop.warehouse.snapshot(time_us=time) for time in times]
    assert [snapshot.lsn for snapshot in after] == before
    names = [scanned(snapshot, shop.table()) for snapshot in after]
    assert [rows[0]["name"] if rows else None for rows in names] == [None, "a", "b", "c"]
