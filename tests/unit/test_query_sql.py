"""SQL over a snapshot: names, visibility, statements that may run, errors that say why."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from kit.frozen import LSN, NEVER, Frozen
from sluiceway.catalog import (
    Catalog,
    Column,
    CreateDatabase,
    CreateTable,
    SluicewayError,
    Table,
    UserError,
    parse_type,
)
from sluiceway.warehouse.query import run_sql
from sluiceway.warehouse.query.engine import Engines
from sluiceway.warehouse.query.failures import failure


def _table(name: str, key: Sequence[str], **types: str) -> CreateTable:
    columns = tuple(Column(0, column, parse_type(kind)) for column, kind in types.items())
    return CreateTable(Table("dw", name, columns, tuple(key)))


def _catalog() -> Catalog:
    catalog = Catalog.empty()
    for change in (
        CreateDatabase("dw", "the warehouse"),
        CreateDatabase("other"),
        _table("orders", ["id", "ds"], id="BIGINT", ds="STRING", fee="DECIMAL(20, 2)"),
        _table("ods.pay", ["id"], id="BIGINT"),
        _table("days", ["day"], day="DATE", price="DECIMAL(10, 2)"),
        _table("log", [], line="STRING"),
    ):
        catalog, _ = catalog.apply(change, default_shards=1)
    return catalog


def _mark(*dead: int | None) -> pa.Array:
    return pa.array([0 if lsn is None else NEVER - lsn for lsn in dead], pa.int64())


@pytest.fixture
def snapshot() -> Frozen:
    money = pa.decimal128(20, 2)
    orders = pa.record_batch(
        {
            "id": pa.array([1, 2, 3, 1], pa.int64()),
            "ds": ["a", "b", "c", "a"],
            "fee": pa.array([Decimal(1), Decimal(2), None, Decimal(5)], money),
            # Dead before, at (not yet visible again), and after the snapshot's LSN.
            "_mark": _mark(50, None, LSN + 1, None),
        }
    )
    pay = pa.record_batch({"id": pa.array([1], pa.int64()), "_mark": _mark(None)})
    days = pa.record_batch(
        {
            "day": pa.array([19403], pa.date32()),
            "price": pa.array([Decimal("9.50")], pa.decimal128(10, 2)),
            "_mark": _mark(None),
        }
    )
    log = pa.record_batch({"line": pa.array([], pa.utf8()), "_mark": _mark()})
    rows = {"dw.orders": orders, "dw.ods.pay": pay, "dw.days": days, "dw.log": log}
    return Frozen(_catalog(), rows)


def ask(snapshot: Frozen, sql: str, database: str | None = "dw") -> list[tuple[Any, ...]]:
    table = run_sql(snapshot, sql, database).read_all()
    return [tuple(row.values()) for row in table.to_pylist()]


def refused(snapshot: Frozen, sql: str, database: str | None = "dw") -> SluicewayError:
    with pytest.raises(SluicewayError) as caught:
        ask(snapshot, sql, database)
    return caught.value


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
        ("SELECT count(*) FROM orders", ("id",)),
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
    change = _table("odd", [], a="INT", A="INT")
    snapshot.catalog, _ = snapshot.catalog.apply(change, default_shards=1)
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


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO orders VALUES (1)",
        "DROP TABLE orders",
        "CREATE TABLE x (a INT)",
        "UPDATE orders SET id = 1",
        "ATTACH 'x'",
        "COPY orders TO 'x'",
        "SET threads = 1",
        "PRAGMA version",
        "INSTALL httpfs",
        "LOAD httpfs",
        "CALL pragma_version()",
        "EXPLAIN SELECT 1",
        "EXPORT DATABASE 'x'",
    ],
)
def test_statements_that_do_more_than_ask(snapshot: Frozen, sql: str) -> None:
    error = refused(snapshot, sql)
    assert error.sqlstate in ("0A000", "42501")
    if error.sqlstate == "0A000":
        assert "Flink SQL" in str(error)


@pytest.mark.parametrize(
    "sql",
    ["SELECT * FROM read_csv('/etc/passwd')", "SELECT * FROM '/etc/passwd'", "FROM glob('/*')"],
)
def test_files_are_out_of_reach(snapshot: Frozen, sql: str) -> None:
    assert refused(snapshot, sql).sqlstate in ("42501", "42P01")


def test_python_variables_are_out_of_reach(snapshot: Frozen) -> None:
    secret = pa.table({"a": [1]})
    assert secret.num_rows == 1
    error = refused(snapshot, "SELECT * FROM query_table('secret')")
    assert error.sqlstate == "42P01"


@pytest.mark.parametrize(
    ("sql", "sqlstate", "words"),
    [
        ("SELEC 1", "42601", "syntax error"),
        ("SELECT 1; SELECT 2", "42601", "2 statements"),
        ("", "42601", "0 statements"),
        ("SELECT * FROM ordesr", "42P01", '"orders"'),
        ("SELECT * FROM nope.orders", "3D000", "Databases: dw, other"),
        ("SELECT * FROM a.b.c", "42P01", "too many names"),
        ("SELECT * FROM information_schema.tables", "0A000", "SHOW TABLES"),
        ("SELECT feee FROM orders", "42703", '"fee"'),
        ("SELECT x", "42703", "'x'"),
        ("SELECT o.idd FROM orders o", "42703", '"id"'),
        ("SELECT x.id FROM orders", "42P01", "x"),
        ("SELECT nosuch(1)", "42883", "nosuch"),
        ("SELECT 'x'::INT", "22P02", "'x'"),
        ("SELECT 300::TINYINT", "22003", "300"),
        ("SELECT 5 % 0", "22012", "zero"),
        ("SELECT ds FROM orders GROUP BY id", "42803", "GROUP BY"),
        ("SELECT id FROM orders a, orders b", "42702", "id"),
    ],
)
def test_errors_carry_their_state_and_the_cure(
    snapshot: Frozen, sql: str, sqlstate: str, words: str
) -> None:
    error = refused(snapshot, sql)
    assert error.sqlstate == sqlstate
    assert words in str(error) and "\n" not in str(error)


def test_a_name_without_a_database_is_told_where_the_table_is(snapshot: Frozen) -> None:
    assert "write dw.orders" in str(refused(snapshot, "SELECT * FROM orders", None))
    assert refused(snapshot, "SELECT * FROM x", "nope").sqlstate == "3D000"


def test_an_error_while_rows_stream_is_ours_too(snapshot: Frozen) -> None:
    sql = "SELECT CASE WHEN range = 299999 THEN 'x' ELSE '1' END::INT FROM range(300000)"
    assert refused(snapshot, sql).sqlstate == "22P02"
    assert ask(snapshot, "SELECT 1") == [(1,)]


def test_results_stream_and_may_be_left_half_read(snapshot: Frozen) -> None:
    reader = run_sql(snapshot, "SELECT range AS n FROM range(300000)")
    first = reader.read_next_batch()
    assert 0 < first.num_rows < 300_000
    reader.close()
    del reader
    assert ask(snapshot, "SELECT count(*) FROM orders") == [(3,)]


def test_result_types_are_plain_arrow_types(snapshot: Frozen) -> None:
    sql = (
        "SELECT 'a' s, [1, 2] a, 1.50::DECIMAL(4, 2) d, TIMESTAMP '2023-02-15 00:00:00' t, "
        "TIMESTAMPTZ '2023-02-15 08:00:00+08' z, TIME '01:00:00' h, 'x'::BLOB b, sum(1) n"
    )
    assert [str(field.type) for field in run_sql(snapshot, sql).schema] == [
        "string",
        "list<l: int32>",
        "decimal128(4, 2)",
        "timestamp[us]",
        "timestamp[us, tz=UTC]",
        "time64[us]",
        "binary",
        "decimal128(38, 0)",
    ]


def test_a_query_beyond_its_memory_fails_alone() -> None:
    engine = Engines().take()
    limits = "SELECT current_setting('temp_directory'), current_setting('memory_limit')"
    [(spill, limit)] = engine.execute(limits).fetchall()
    assert spill == "" and limit.endswith("iB")
    small = duckdb.connect(config={"memory_limit": "20MB", "temp_directory": ""})
    with small, pytest.raises(duckdb.OutOfMemoryException) as caught:
        small.execute("SELECT hash(range) h FROM range(3000000) ORDER BY h").fetchall()
    error = failure(caught.value, ())
    assert (type(error), error.sqlstate) == (UserError, "53200")
    assert str(error).endswith("Ask for fewer rows, groups or columns at once.")
    engine.close()


def test_an_engine_is_used_again_and_keeps_nothing(snapshot: Frozen) -> None:
    engines = Engines(idle_max=1)
    one, two = engines.take(), engines.take()
    engines.give(one)
    engines.give(two)
    assert engines.take() is one
    assert (engines.stats().made, engines.stats().idle) == (2, 0)
    one.close()
    for _ in range(3):
        assert ask(snapshot, "SELECT count(*) FROM dw.orders") == [(3,)]


@pytest.mark.parametrize("text", ["show databases", " SHOW  SCHEMAS ; "])
def test_show_databases(snapshot: Frozen, text: str) -> None:
    assert ask(snapshot, text) == [("dw", "the warehouse"), ("other", None)]


def test_show_tables(snapshot: Frozen) -> None:
    names = [("days", None), ("log", None), ("ods.pay", None), ("orders", None)]
    assert ask(snapshot, "SHOW TABLES") == names
    assert ask(snapshot, "SHOW TABLES FROM `dw`", None) == names
    assert ask(snapshot, "SHOW TABLES IN other") == []
    assert refused(snapshot, "SHOW TABLES", None).sqlstate == "3D000"


@pytest.mark.parametrize("text", ["DESCRIBE orders", "desc dw.orders", 'DESCRIBE TABLE "orders";'])
def test_describe_shows_the_types_of_flink(snapshot: Frozen, text: str) -> None:
    assert ask(snapshot, text) == [
        ("id", "BIGINT", "NOT NULL", "PRIMARY KEY 1", None, None),
        ("ds", "STRING", "NOT NULL", "PRIMARY KEY 2", None, None),
        ("fee", "DECIMAL(20, 2)", "", "", None, None),
    ]


def test_show_create_table_is_flink_sql(snapshot: Frozen) -> None:
    ((text,),) = ask(snapshot, "SHOW CREATE TABLE orders")
    assert text == (
        "CREATE TABLE `dw`.`orders` (\n  `id` BIGINT NOT NULL,\n  `ds` STRING NOT NULL,\n"
        "  `fee` DECIMAL(20, 2),\n  PRIMARY KEY (`id`, `ds`) NOT ENFORCED\n)"
    )
