"""FOR SYSTEM_TIME AS OF in Flink: the rows, the columns and the name of then."""

import time
from datetime import datetime
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest

from kit.flink import DATABASE, FlinkSql
from sluiceway.catalog import UserError
from sluiceway.jobs.waiting import wait_until

ZONE = "Asia/Shanghai"
TABLES = """
CREATE TABLE orders (id BIGINT NOT NULL, amount BIGINT, PRIMARY KEY (id) NOT ENFORCED)
  WITH ('table_property.shard_count' = '2');
CREATE TABLE copied (id BIGINT NOT NULL, amount BIGINT, PRIMARY KEY (id) NOT ENFORCED);
"""
SUM = "SELECT count(*), sum(amount) FROM copied"


def write(flink_sql: FlinkSql, table: str, ids: range, amount: int) -> int:
    """Write rows; returns their LSN."""
    rows = pa.table({"id": pa.array(ids, pa.int64()), "amount": [amount] * len(ids)})
    return flink_sql.client.write(DATABASE, table, rows)[-1].lsn


def moment_now() -> str:
    """A millisecond that has passed, as Flink's session in ZONE writes it."""
    now_ms = time.time_ns() // 1_000_000
    wait_until("the next ms", lambda: time.time_ns() // 1_000_000 > now_ms, deadline_s=5)
    return str(datetime.fromtimestamp(now_ms / 1000, ZoneInfo(ZONE)).replace(tzinfo=None))


@pytest.mark.parametrize("mode", ["batch", "streaming"])
def test_a_table_is_read_as_it_was(flink_sql: FlinkSql, mode: str) -> None:
    flink_sql.run(TABLES)
    write(flink_sql, "orders", range(1_000), 1)
    moment = moment_now()
    lsn = write(flink_sql, "orders", range(500, 1_500), 10)
    flink_sql.run("ALTER TABLE orders ADD note STRING; ALTER TABLE orders RENAME TO sales;")

    flink_sql.insert(
        f"SET 'execution.runtime-mode' = '{mode}'; SET 'table.local-time-zone' = '{ZONE}';"
        f"INSERT INTO copied SELECT * FROM orders FOR SYSTEM_TIME AS OF TIMESTAMP '{moment}';"
    )
    assert flink_sql.rows(SUM) == [(1_000, 1_000)]

    hint = f"/*+ OPTIONS('source.snapshot-lsn' = '{lsn}') */"
    write(flink_sql, "sales", range(1_500), 0)
    flink_sql.insert(
        "CREATE TEMPORARY TABLE past (id BIGINT, amount BIGINT) WITH ('connector' = 'sluiceway',"
        f" 'endpoint' = '{flink_sql.store.endpoint}', 'dbname' = '{DATABASE}',"
        " 'tablename' = 'orders');"
        f"INSERT INTO copied SELECT id, amount FROM past {hint};"
    )
    assert flink_sql.rows(SUM) == [(1_500, 500 + 10_000)]
    wait_until(
        "the snapshots' leases end",
        lambda: flink_sql.client.status()["holds"] == [],
        deadline_s=60,
    )


@pytest.mark.parametrize("mode", ["batch", "streaming"])
def test_an_alias_and_the_table_of_now_beside_its_past(flink_sql: FlinkSql, mode: str) -> None:
    flink_sql.run(TABLES)
    lsn = write(flink_sql, "orders", range(10), 1)
    first = moment_now()
    write(flink_sql, "orders", range(10), 10)
    second = moment_now()
    write(flink_sql, "orders", range(10), 100)
    session = (
        f"SET 'execution.runtime-mode' = '{mode}'; SET 'table.local-time-zone' = '{ZONE}';"
        "INSERT INTO copied "
    )
    past = "orders FOR SYSTEM_TIME AS OF TIMESTAMP"
    now = "orders /*+ OPTIONS('binlog' = 'false') */"

    flink_sql.insert(session + f"SELECT d.id, d.amount FROM {past} '{first}' AS d;")
    assert flink_sql.rows(SUM) == [(10, 10)]
    flink_sql.insert(
        session + f"SELECT n.id, n.amount + d.amount FROM {now} AS n JOIN {past} '{first}' AS d "
        "ON n.id = d.id;"
    )
    assert flink_sql.rows(SUM) == [(10, 1_010)]
    flink_sql.insert(
        session + f"SELECT d.id, o.amount + d.amount FROM {past} '{second}' AS d JOIN "
        f"orders /*+ OPTIONS('source.snapshot-lsn' = '{lsn}') */ AS o ON o.id = d.id;"
    )
    assert flink_sql.rows(SUM) == [(10, 110)]
    with pytest.raises(UserError, match=r"orders is read at two times.*snapshot-lsn"):
        flink_sql.run(
            session + f"SELECT a.id, a.amount FROM {past} '{first}' AS a JOIN {past} '{second}' "
            "AS b ON a.id = b.id;"
        )
