"""Flink reads tables: snapshots, changes from the first or from a time, exactly once."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest

from kit.flink import FlinkSql
from sluiceway.catalog import UnavailableError
from sluiceway.jobs.waiting import wait_until

TABLES = """
CREATE TABLE orders (
  id BIGINT NOT NULL, kind INT, amount BIGINT, PRIMARY KEY (id) NOT ENFORCED
) WITH ('table_property.shard_count' = '2');
CREATE TABLE copied (
  id BIGINT NOT NULL, kind INT, amount BIGINT, PRIMARY KEY (id) NOT ENFORCED
);
CREATE TABLE sums (
  kind INT NOT NULL, orders BIGINT, amount BIGINT, PRIMARY KEY (kind) NOT ENFORCED
);
CREATE TABLE events (
  lsn BIGINT NOT NULL, event BIGINT, micros BIGINT, shard INT, origin STRING, id BIGINT,
  amount BIGINT, PRIMARY KEY (lsn) NOT ENFORCED
);
"""
SUMS = "SELECT kind, count(*), sum(amount) FROM orders GROUP BY kind ORDER BY kind"
# A query that takes Flink about a tenth of a millisecond a row, so that a snapshot can be stopped.
SLOW_SUMS = """
INSERT INTO sums
SELECT kind, COUNT(*), SUM(amount + CHAR_LENGTH(SHA512(REPEAT(CAST(id AS STRING), 2000))) - 128)
FROM orders /*+ OPTIONS('source.scan.fetch-size' = '500') */ GROUP BY kind;
"""


def orders(ids: list[int], amount: int = 1, kinds: int = 3, op: int = 0) -> pa.RecordBatch:
    """Rows of `orders` under one operation."""
    return pa.RecordBatch.from_pydict(
        {
            "_op": pa.array([op] * len(ids), pa.int8()),
            "id": pa.array(ids, pa.int64()),
            "kind": pa.array([i % kinds for i in ids], pa.int32()),
            "amount": pa.array([amount] * len(ids), pa.int64()),
        }
    )


def write(flink_sql: FlinkSql, *batches: pa.RecordBatch) -> None:
    for batch in batches:
        flink_sql.client.write("order_dw", "orders", batch)


def with_metadata(flink_sql: FlinkSql, options: str) -> str:
    """A temporary table over `orders` with the columns of its log."""
    return f"""
    CREATE TEMPORARY TABLE log (
      id BIGINT, amount BIGINT,
      hg_binlog_lsn BIGINT METADATA VIRTUAL, hg_binlog_event_type BIGINT METADATA VIRTUAL,
      hg_binlog_timestamp_us BIGINT METADATA VIRTUAL, hg_shard_id INT METADATA VIRTUAL,
      db_name STRING METADATA VIRTUAL, table_name STRING METADATA VIRTUAL
    ) WITH (
      'connector' = 'sluiceway', 'endpoint' = '{flink_sql.store.endpoint}',
      'dbname' = 'order_dw', 'tablename' = 'orders',
      'source.binlog.change-log-mode' = 'ALL_AS_APPEND_ONLY', {options}
    );
    INSERT INTO events SELECT hg_binlog_lsn, hg_binlog_event_type, hg_binlog_timestamp_us,
      hg_shard_id, db_name || '.' || table_name, id, amount FROM log;
    """


def restart_store(flink_sql: FlinkSql) -> None:
    """Kill the store and start it again; the client's old channel fails once before it renews."""
    flink_sql.store.kill()
    flink_sql.store.start()
    wait_until("the store answering again", lambda: answers(flink_sql), deadline_s=60)


def answers(flink_sql: FlinkSql) -> bool:
    try:
        flink_sql.client.hello()
    except UnavailableError:
        return False
    return True


@pytest.mark.parametrize("mode", ["batch", "streaming"])
def test_a_snapshot_ends(flink_sql: FlinkSql, mode: str) -> None:
    flink_sql.run(TABLES)
    write(flink_sql, orders(list(range(20_000))), orders([3], op=3), orders([4], amount=40))

    flink_sql.insert(
        f"SET 'execution.runtime-mode' = '{mode}';"
        "INSERT INTO copied SELECT * FROM orders /*+ OPTIONS('binlog' = 'false') */;"
    )

    assert flink_sql.rows("SELECT count(*), sum(amount) FROM copied") == [(19_999, 20_038)]
    no_holds(flink_sql)


def test_rows_then_changes(flink_sql: FlinkSql) -> None:
    flink_sql.run(TABLES)
    write(flink_sql, orders(list(range(1_000))))
    flink_sql.run("INSERT INTO copied SELECT * FROM orders;")
    flink_sql.run("INSERT INTO sums SELECT kind, COUNT(*), SUM(amount) FROM orders GROUP BY kind;")
    flink_sql.wait_rows("SELECT count(*) FROM copied", [(1_000,)])

    write(
        flink_sql,
        orders([5, 6], amount=100),
        orders([7, 8], op=3),
        orders([2_000, 2_001], amount=9),
        orders([9], kinds=100),
    )

    flink_sql.wait_rows(
        "SELECT * FROM copied ORDER BY id", flink_sql.rows("SELECT * FROM orders ORDER BY id")
    )
    flink_sql.wait_rows("SELECT kind, orders, amount FROM sums ORDER BY kind", flink_sql.rows(SUMS))
    wait_until(
        "the snapshots' leases end",
        lambda: flink_sql.client.status()["holds"] == [],
        deadline_s=60,
    )


def test_a_table_without_a_key_is_a_stream_of_inserts(flink_sql: FlinkSql) -> None:
    flink_sql.run(
        f"{TABLES} CREATE TABLE clicks (id BIGINT NOT NULL, kind INT, amount BIGINT);"
        "INSERT INTO copied SELECT * FROM clicks;"
    )
    flink_sql.client.write("order_dw", "clicks", orders(list(range(10))))
    flink_sql.wait_rows("SELECT count(*) FROM copied", [(10,)])

    assert flink_sql.client.truncate("order_dw", "clicks").rows == 10
    flink_sql.client.write("order_dw", "clicks", orders([10, 11]))

    flink_sql.wait_rows("SELECT count(*), max(id) FROM copied", [(12, 11)])
    assert flink_sql.rows("SELECT count(*) FROM clicks") == [(2,)]


def test_a_query_of_no_columns_counts_rows(flink_sql: FlinkSql) -> None:
    flink_sql.run(TABLES)
    write(flink_sql, orders(list(range(100))))
    flink_sql.insert(
        "SET 'execution.runtime-mode' = 'batch';"
        "INSERT INTO sums SELECT 0, COUNT(*), CAST(NULL AS BIGINT) FROM orders;"
    )
    assert flink_sql.rows("SELECT orders FROM sums") == [(100,)]


def test_every_event_with_its_columns_of_the_log(flink_sql: FlinkSql) -> None:
    flink_sql.run(TABLES)
    write(flink_sql, orders([1], amount=10), orders([1], amount=11), orders([1], op=3))

    flink_sql.run(with_metadata(flink_sql, "'source.binlog.startup-mode' = 'EARLIEST_OFFSET'"))

    flink_sql.wait_rows(
        "SELECT event, origin, id, amount FROM events ORDER BY lsn",
        [
            (5, "order_dw.orders", 1, 10),
            (3, "order_dw.orders", 1, 10),
            (7, "order_dw.orders", 1, 11),
            (2, "order_dw.orders", 1, 11),
        ],
    )
    [(shards, times)] = flink_sql.rows("SELECT count(DISTINCT shard), count(micros) FROM events")
    assert (shards, times) == (1, 4)


def test_start_time_is_of_the_sessions_zone(flink_sql: FlinkSql) -> None:
    flink_sql.run(TABLES)
    write(flink_sql, orders([1]))
    in_an_hour = datetime.now(UTC) + timedelta(hours=1)
    in_shanghai = in_an_hour.astimezone(ZoneInfo("Asia/Shanghai"))
    utc, shanghai = (f"{time:%Y-%m-%d %H:%M:%S}" for time in (in_an_hour, in_shanghai))

    # Nothing is committed from then on: what comes before is left out by the one and by the other.
    flink_sql.run(with_metadata(flink_sql, f"'startTime' = '{utc}'"))
    flink_sql.run("DROP TEMPORARY TABLE log;")
    start = "INSERT INTO copied SELECT * FROM orders /*+ OPTIONS('startTime' = '{}') */;"
    flink_sql.run(start.format(f"{in_an_hour - timedelta(hours=2):%Y-%m-%d %H:%M:%S}"))
    flink_sql.run(
        "SET 'table.local-time-zone' = 'Asia/Shanghai';"
        + start.format(shanghai).replace("copied SELECT *", "sums SELECT CAST(id AS INT), 1, 1")
    )

    flink_sql.wait_rows("SELECT id FROM copied", [(1,)])
    write(flink_sql, orders([2]))
    flink_sql.wait_rows("SELECT id FROM copied ORDER BY id", [(1,), (2,)])
    readers = flink_sql.client.status()["readers"]
    wait_until(
        "all readers at the newest event",
        lambda: all(each["lag"] == 0 for each in flink_sql.client.status()["readers"]),
        deadline_s=60,
        hint=lambda: str(readers),
    )
    assert flink_sql.rows("SELECT id FROM events") == []
    assert flink_sql.rows("SELECT kind FROM sums") == []


@pytest.mark.parametrize("checkpoints", ["1 d", "500 ms"])
def test_a_snapshot_that_was_left_is_let_go(flink_sql: FlinkSql, checkpoints: str) -> None:
    flink_sql.run(TABLES)
    write(flink_sql, orders(list(range(100))))
    set_interval = f"SET 'execution.checkpointing.interval' = '{checkpoints}';"
    flink_sql.run(set_interval + "INSERT INTO copied SELECT * FROM orders;")
    flink_sql.wait_rows("SELECT count(*) FROM copied", [(100,)])
    no_holds(flink_sql)


def test_a_job_without_checkpoints_lets_its_snapshot_go_when_it_is_cancelled(
    flink_sql: FlinkSql,
) -> None:
    flink_sql.run(TABLES)
    write(flink_sql, orders(list(range(20_000))))
    [job] = flink_sql.run("SET 'execution.checkpointing.interval' = '1 d';" + SLOW_SUMS)
    seen = "SELECT coalesce(sum(orders), 0) FROM sums"
    wait_until("the snapshot has begun", lambda: flink_sql.rows(seen) != [(0,)], deadline_s=60)
    assert len(flink_sql.client.status()["holds"]) == 1

    flink_sql.cluster.rest.cancel(job)

    no_holds(flink_sql)


def no_holds(flink_sql: FlinkSql) -> None:
    wait_until(
        "the snapshots' leases end",
        lambda: flink_sql.client.status()["holds"] == [],
        deadline_s=60,
    )


def test_a_snapshot_resumes_exactly_where_a_savepoint_cut_it(flink_sql: FlinkSql) -> None:
    total = 60_000
    flink_sql.run(TABLES)
    write(flink_sql, orders(list(range(total)), amount=3))
    [job] = flink_sql.run(SLOW_SUMS)
    seen = "SELECT coalesce(sum(orders), 0) FROM sums"
    wait_until("the snapshot has begun", lambda: flink_sql.rows(seen) != [(0,)], deadline_s=60)

    savepoint = flink_sql.cluster.rest.savepoint(job, None, stop=True)

    [(counted,)] = flink_sql.rows(seen)
    assert isinstance(counted, Decimal)  # DuckDB sums BIGINT as one
    assert 0 < counted < total, "the job was not stopped in mid-snapshot"
    write(
        flink_sql,
        orders(list(range(0, total, 7)), amount=5),
        orders(list(range(0, total, 11)), op=3),
        orders(list(range(total, total + 10)), amount=1),
    )
    restart_store(flink_sql)
    flink_sql.run(f"SET 'execution.state-recovery.path' = '{savepoint}';" + SLOW_SUMS)

    flink_sql.wait_rows(
        "SELECT kind, orders, amount FROM sums ORDER BY kind", flink_sql.rows(SUMS), deadline_s=120
    )


def test_a_restart_of_the_store_is_waited_for(flink_sql: FlinkSql) -> None:
    flink_sql.run(TABLES)
    [job] = flink_sql.run("INSERT INTO copied SELECT * FROM orders;")
    write(flink_sql, orders([1]))
    flink_sql.wait_rows("SELECT id FROM copied", [(1,)])

    restart_store(flink_sql)

    write(flink_sql, orders([2]))
    flink_sql.wait_rows("SELECT id FROM copied ORDER BY id", [(1,), (2,)])
    assert flink_sql.cluster.rest.job(job).state == "RUNNING"


def test_another_table_behind_the_name_is_not_read(flink_sql: FlinkSql) -> None:
    [job] = flink_sql.run(
        TABLES + "SET 'restart-strategy.type' = 'none'; INSERT INTO copied SELECT * FROM orders;"
    )
    write(flink_sql, orders([1]))
    flink_sql.wait_rows("SELECT id FROM copied", [(1,)])

    flink_sql.run(
        "DROP TABLE orders;" + TABLES.replace("CREATE TABLE", "CREATE TABLE IF NOT EXISTS")
    )

    assert flink_sql.cluster.rest.wait_ended(job).state == "FAILED"
    assert flink_sql.rows("SELECT id FROM copied") == [(1,)]


def test_a_new_column_ends_no_job(flink_sql: FlinkSql) -> None:
    flink_sql.run(TABLES + "INSERT INTO copied SELECT * FROM orders;")
    write(flink_sql, orders([1]))
    flink_sql.wait_rows("SELECT id FROM copied", [(1,)])

    flink_sql.run("ALTER TABLE orders ADD note STRING;")
    write(flink_sql, orders([2]))

    flink_sql.wait_rows("SELECT id FROM copied ORDER BY id", [(1,), (2,)])
