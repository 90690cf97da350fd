"""What cannot be is refused before it runs, with the column or table, the value and the cure."""

from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from kit.flink import FlinkSql
from sluiceway.catalog import SluicewayError

TABLES = """
CREATE TABLE k (a INT, b STRING, PRIMARY KEY (a, b) NOT ENFORCED);
CREATE TABLE decimals (k DECIMAL(10, 2) PRIMARY KEY NOT ENFORCED, v INT);
CREATE TABLE chars (k CHAR(4) PRIMARY KEY NOT ENFORCED, v INT);
CREATE TABLE keyless (a INT, ts TIMESTAMP(3));
CREATE TEMPORARY TABLE timed (WATERMARK FOR ts AS SOURCE_WATERMARK()) LIKE keyless;
"""
ORDERS = "(SELECT a, b, PROCTIME() AS pt, CAST(1.5 AS DECIMAL(12, 1)) AS d FROM k) AS o"
NOW = "FOR SYSTEM_TIME AS OF o.pt AS d"
REFUSED = [
    ("CREATE TABLE m (m MAP<STRING, INT>)", r'"m" of type MAP<STRING, INT>.*use an ARRAY'),
    ("CREATE TABLE m (r ROW<x INT>)", r'"r" of type ROW<`x` INT>.*a column for each field'),
    ("CREATE TABLE m (r ARRAY<ROW<x INT>>)", r'"r" of type ARRAY<ROW.*a column for each field'),
    ("CREATE TABLE m (r ARRAY<ARRAY<INT>>)", r'"r" of type ARRAY<ARRAY<INT>>.*use STRING'),
    (
        "CREATE TABLE m (s ARRAY<STRING NOT NULL>)",
        r'"s" of type ARRAY<STRING NOT NULL>.*declare ARRAY<STRING>',
    ),
    ("ALTER TABLE k ADD m MAP<STRING, INT>", r'"m" of type MAP<STRING, INT>.*use an ARRAY'),
    (
        "SELECT * FROM k /*+ OPTIONS('startTime' = '2024/01/01') */",
        r"'startTime' = '2024/01/01': it is a time.*yyyy-MM-dd HH:mm:ss",
    ),
    (
        "SELECT * FROM k /*+ OPTIONS('startTime' = '2023-02-30 00:00:00') */",
        r"'startTime' = '2023-02-30 00:00:00': it is a time of the calendar",
    ),
    (
        f"SELECT * FROM {ORDERS} JOIN decimals {NOW} ON o.d = d.k",
        r"decimals.* no value for k DECIMAL\(10, 2\).*CAST\(… AS DECIMAL\(10, 2\)\) = k",
    ),
    (
        f"SELECT * FROM {ORDERS} JOIN chars {NOW} ON d.k = 'ab'",
        r"chars.* no value for k CHAR\(4\).*CAST\(… AS CHAR\(4\)\) = k",
    ),
    (
        f"SELECT * FROM {ORDERS} JOIN keyless {NOW} ON o.a = d.a",
        r"keyless has no primary key.*PRIMARY KEY",
    ),
    (
        "SELECT * FROM k FOR SYSTEM_TIME AS OF CURRENT_TIMESTAMP - INTERVAL '1' SECOND",
        r"AS OF CURRENT_TIMESTAMP - INTERVAL '1' SECOND.*TIMESTAMP '2024",
    ),
    ("INSERT INTO k (b) VALUES ('x')", r"line 1: Column 'a' has no default.*give it a value"),
    (
        "CREATE MODEL m1 INPUT (a STRING) OUTPUT (b STRING) WITH ('provider' = 'x')",
        r"CREATE MODEL is not supported.*CREATE TEMPORARY MODEL",
    ),
    ("SELECT * FROM timed", r"keyless. makes no watermarks.*WATERMARK FOR column AS"),
]


@pytest.fixture
def web_server() -> Iterator[str]:
    """The address of a server that is not ours."""
    with ThreadingHTTPServer(("127.0.0.1", 0), SimpleHTTPRequestHandler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_each_refusal_says_what_and_how_else(flink_sql: FlinkSql, web_server: str) -> None:
    flink_sql.run(TABLES)
    catalog = f"CREATE CATALOG web WITH ('type' = 'sluiceway', 'endpoint' = '{web_server}')"
    wanted = rf"{web_server} is no Sluiceway server.*sluiceway serve"
    for statement, message in [*REFUSED, (catalog, wanted)]:
        with pytest.raises(SluicewayError, match=message):
            flink_sql.session.execute_sql(statement)
            pytest.fail(f"{statement} was taken")


def test_the_planner_cuts_a_text_before_the_sink_sees_it(flink_sql: FlinkSql) -> None:
    flink_sql.run("CREATE TABLE short (id INT PRIMARY KEY NOT ENFORCED, v VARCHAR(3));")
    plan = "EXPLAIN INSERT INTO short SELECT 1, CAST('abcdef' AS STRING)"
    with flink_sql.session.execute_sql(plan).collect() as rows:
        assert "CAST('abc' AS VARCHAR(3))" in next(rows)[0]
    flink_sql.insert("INSERT INTO short SELECT 1, CAST('abcdef' AS STRING);")
    assert flink_sql.rows("SELECT v FROM short") == [("abc",)]
