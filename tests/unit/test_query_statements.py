"""What may be asked, what is refused and why, what results look like."""

import duckdb
import pyarrow as pa
import pytest

from kit.asking import ask, refused, snapshot
from kit.frozen import Frozen
from sluiceway.catalog import (
    UserError,
)
from sluiceway.warehouse.query import run_sql
from sluiceway.warehouse.query.engine import Engines
from sluiceway.warehouse.query.failures import failure

__all__ = ["snapshot"]


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
