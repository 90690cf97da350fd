"""Event time: each shard has a watermark, and a reader without a shard has none to wait for."""

from collections.abc import Iterable

import pyarrow as pa

from kit.flink import DATABASE, FlinkSql

START_US = 1_767_225_600_000_000  # 2026-01-01
TABLES = """
CREATE TABLE {name} (id BIGINT, ts TIMESTAMP(3), PRIMARY KEY (id) NOT ENFORCED)
  WITH ('table_property.shard_count' = '{shards}');
"""
WATERMARK = """
CREATE TEMPORARY TABLE timed_{name} (
  lsn BIGINT METADATA FROM 'hg_binlog_lsn' VIRTUAL, WATERMARK FOR ts AS ts
) LIKE {name};
"""
TARGET = """
CREATE TABLE windows (
  job STRING, begun TIMESTAMP(3), n BIGINT, PRIMARY KEY (job, begun) NOT ENFORCED
);
"""
JOB = """
SET 'parallelism.default' = '{parallelism}';
SET 'table.exec.source.idle-timeout' = '{idle}';
INSERT INTO windows SELECT '{job}', window_start, COUNT(*) FROM TABLE(
  TUMBLE((SELECT ts FROM {table}), DESCRIPTOR(ts), INTERVAL '10' SECOND)
) GROUP BY window_start, window_end;
"""
COUNTED = "SELECT job, count(*), CAST(sum(n) AS BIGINT) FROM windows GROUP BY job ORDER BY job"


def write(flink_sql: FlinkSql, table: str, ids: Iterable[int]) -> None:
    """Rows whose time is as many seconds after the start as their id says."""
    ids = list(ids)
    times = pa.array([START_US + i * 1_000_000 for i in ids], pa.int64())
    rows = pa.table({"id": pa.array(ids, pa.int64()), "ts": times.cast(pa.timestamp("us"))})
    flink_sql.client.write(DATABASE, table, rows)


def tables(flink_sql: FlinkSql, **shards: int) -> None:
    flink_sql.run(TARGET)
    for name, count in shards.items():
        flink_sql.run(TABLES.format(name=name, shards=count) + WATERMARK.format(name=name))


def start(
    flink_sql: FlinkSql, job: str, table: str, parallelism: int, idle: str = "0 s", before: str = ""
) -> str:
    script = JOB.format(job=job, table=f"timed_{table}", parallelism=parallelism, idle=idle)
    [id_] = flink_sql.run(before + script)
    return id_


def test_no_row_is_late_and_no_window_waits(flink_sql: FlinkSql) -> None:
    tables(flink_sql, single=1, four=4)
    for table in ("single", "four"):
        write(flink_sql, table, range(200))
    cases = [
        ("single", 2, "0 s"),
        ("single", 2, "1 s"),
        ("four", 1, "0 s"),
        ("four", 2, "0 s"),
        ("four", 5, "0 s"),
    ]
    jobs = [f"{table} {parallelism} {idle}" for table, parallelism, idle in cases]
    for job, (table, parallelism, idle) in zip(jobs, cases, strict=True):
        start(flink_sql, job, table, parallelism, idle)

    flink_sql.wait_rows(COUNTED, [(job, 19, 190) for job in sorted(jobs)], deadline_s=120)

    # The last window is open still, also where all readers are idle: no row of it is late.
    for table in ("single", "four"):
        write(flink_sql, table, range(200, 205))
        write(flink_sql, table, range(190, 200))
        write(flink_sql, table, range(205, 400))
    flink_sql.wait_rows(COUNTED, [(job, 39, 390) for job in sorted(jobs)], deadline_s=120)
    flink_sql.wait_rows("SELECT DISTINCT n FROM windows", [(10,)])


def test_a_job_goes_on_with_fewer_and_with_more_readers(flink_sql: FlinkSql) -> None:
    tables(flink_sql, four=4)
    job, seen = "job", 0
    savepoint = ""
    for parallelism in (2, 6):
        write(flink_sql, "four", range(seen, seen + 100))
        seen += 100
        path = f"SET 'execution.state-recovery.path' = '{savepoint}';" if savepoint else ""
        id_ = start(flink_sql, job, "four", parallelism, before=path)
        flink_sql.wait_rows(COUNTED, [(job, seen // 10 - 1, seen - 10)], deadline_s=120)
        savepoint = flink_sql.cluster.rest.savepoint(id_, None, stop=True)
    # A stop with a savepoint that does not drain leaves the last window to the next job.
    flink_sql.wait_rows("SELECT DISTINCT n FROM windows", [(10,)])
