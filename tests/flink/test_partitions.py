"""Partitioned tables from Flink SQL: DDL, static and dynamic writes, a stream through them."""

from datetime import date

import pytest

from kit.flink import FlinkSql
from sluiceway.catalog import SluicewayError
from sluiceway.jobs.session import rows

pytestmark = [pytest.mark.slow]

SALES = """
CREATE TABLE {name} (
  ds DATE NOT NULL, id BIGINT NOT NULL, qty INT, note STRING,
  PRIMARY KEY (ds, id) NOT ENFORCED
) PARTITIONED BY (ds) WITH ('table_property.shard_count' = '2');
"""
FIRST, SECOND, THIRD = date(2024, 1, 1), date(2024, 1, 2), date(2024, 1, 3)


def listed(flink_sql: FlinkSql, table: str) -> list[str]:
    return [name for (name,) in rows(flink_sql.session.execute_sql(f"SHOW PARTITIONS {table}"))]


def test_partitions_are_added_listed_and_dropped(flink_sql: FlinkSql) -> None:
    flink_sql.run(SALES.format(name="sales"))
    execute = flink_sql.session.execute_sql
    assert "PARTITIONED BY (`ds`)" in rows(execute("SHOW CREATE TABLE sales"))[0][0]
    execute("ALTER TABLE sales ADD PARTITION (ds = '2024-01-01') PARTITION (ds = '2024-01-02')")
    assert listed(flink_sql, "sales") == ["ds=2024-01-01", "ds=2024-01-02"]
    with pytest.raises(SluicewayError, match="2024-01-01"):
        execute("ALTER TABLE sales ADD PARTITION (ds = '2024-01-01')")
    execute("ALTER TABLE sales ADD IF NOT EXISTS PARTITION (ds = '2024-01-01')")
    execute("ALTER TABLE sales DROP PARTITION (ds = '2024-01-01')")
    execute("ALTER TABLE sales DROP IF EXISTS PARTITION (ds = '2024-01-01')")
    assert listed(flink_sql, "sales") == ["ds=2024-01-02"]
    flink_sql.run("CREATE TABLE plain (id BIGINT NOT NULL, PRIMARY KEY (id) NOT ENFORCED);")
    with pytest.raises(SluicewayError, match="not partitioned"):
        execute("SHOW PARTITIONS plain")


def test_rows_are_written_to_named_partitions_and_to_those_they_name(flink_sql: FlinkSql) -> None:
    flink_sql.insert(
        SALES.format(name="sales")
        + "INSERT INTO sales PARTITION (ds = '2024-01-01') VALUES (1, 10, 'a'), (2, 20, 'b');"
        "INSERT INTO sales VALUES (DATE '2024-01-02', 1, 30, 'c');"
    )
    flink_sql.insert("INSERT INTO sales PARTITION (ds = '2024-01-01') (id, qty) VALUES (1, 11);")
    assert flink_sql.rows("SELECT ds, id, qty, note FROM sales ORDER BY 1, 2") == [
        (FIRST, 1, 11, "a"),
        (FIRST, 2, 20, "b"),
        (SECOND, 1, 30, "c"),
    ]
    assert sorted(listed(flink_sql, "sales")) == ["ds=2024-01-01", "ds=2024-01-02"]


def test_a_stream_goes_on_through_new_and_dropped_partitions(flink_sql: FlinkSql) -> None:
    flink_sql.insert(
        SALES.format(name="sales") + SALES.format(name="copied") + "INSERT INTO sales VALUES"
        " (DATE '2024-01-01', 1, 10, 'a'), (DATE '2024-01-02', 2, 20, 'b');"
    )
    flink_sql.run("INSERT INTO copied SELECT * FROM sales;")
    query = "SELECT ds, id, qty FROM copied ORDER BY 1, 2"
    flink_sql.wait_rows(query, [(FIRST, 1, 10), (SECOND, 2, 20)])
    flink_sql.insert("INSERT INTO sales VALUES (DATE '2024-01-03', 3, 30, 'c');")
    flink_sql.wait_rows(query, [(FIRST, 1, 10), (SECOND, 2, 20), (THIRD, 3, 30)])
    flink_sql.session.execute_sql("ALTER TABLE sales DROP PARTITION (ds = '2024-01-01')")
    flink_sql.wait_rows(query, [(SECOND, 2, 20), (THIRD, 3, 30)])


@pytest.mark.parametrize(
    ("where", "wanted"),
    [
        ("ds = DATE '2024-01-02'", [2]),
        ("ds IN (DATE '2024-01-01', DATE '2024-01-03') AND qty > 10", [3]),
        ("ds > DATE '2024-01-01' AND ds < DATE '2024-02-01'", [2, 3]),
        ("ds = DATE '2024-01-09'", []),
    ],
)
def test_a_snapshot_is_read_by_partitions(
    flink_sql: FlinkSql, where: str, wanted: list[int]
) -> None:
    flink_sql.insert(
        SALES.format(name="sales")
        + SALES.format(name="copied")
        + "INSERT INTO sales VALUES (DATE '2024-01-01', 1, 10, 'a'),"
        " (DATE '2024-01-02', 2, 20, 'b'), (DATE '2024-01-03', 3, 30, 'c');"
    )
    bounded = "sales /*+ OPTIONS('binlog' = 'false') */"
    flink_sql.insert(f"INSERT INTO copied SELECT * FROM {bounded} WHERE {where};")
    assert [row[0] for row in flink_sql.rows("SELECT id FROM copied ORDER BY 1")] == wanted
