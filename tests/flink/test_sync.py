"""CALL sys.sync_database against a real MariaDB: the warehouse must end up with the same rows."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

import pytest

from kit.sync import Sync
from sluiceway.catalog import CreateDatabase, SluicewayError
from sluiceway.jobs.flinkrest import ENDED
from sluiceway.jobs.mysql import MySQL
from sluiceway.jobs.session import rows
from sluiceway.jobs.waiting import wait_until

pytestmark = [pytest.mark.flink, pytest.mark.mysql, pytest.mark.slow]

ALL_TYPES = """
CREATE TABLE t (
  id INT UNSIGNED PRIMARY KEY, d DECIMAL(20,4), du DECIMAL(10,2) UNSIGNED, d50 DECIMAL(50,1),
  dt DATETIME, dt3 DATETIME(3), dt6 DATETIME(6), ts TIMESTAMP(6) NULL, tm TIME, tm6 TIME(6),
  y YEAR, da DATE, e ENUM('a','b,c','é'), st SET('x','y','z'), j JSON, b1 BIT(1), b9 BIT(9),
  t8 TINYINT, u8 TINYINT UNSIGNED, u16 SMALLINT UNSIGNED, m MEDIUMINT, i INT, u64 BIGINT UNSIGNED,
  bl BLOB, bn BINARY(4), f FLOAT, dbl DOUBLE, bo BOOLEAN, c CHAR(5),
  l1 VARCHAR(10) CHARACTER SET latin1, lt LONGTEXT, z INT(5) ZEROFILL,
  g INT GENERATED ALWAYS AS (m + 1) STORED);
INSERT INTO t (id, d, du, d50, dt, dt3, dt6, ts, tm, tm6, y, da, e, st, j, b1, b9, t8, u8, u16, m,
  i, u64, bl, bn, f, dbl, bo, c, l1, lt, z) VALUES (
  1, '-1234567890123456.7891', 12.34, '1234567890123456789012345678901234567890.5',
  '2026-01-02 03:04:05', '1969-12-31 23:59:59.678', '2026-01-02 03:04:05.678901',
  '2026-01-02 03:04:05.678901', '23:59:59', '12:13:14.123456', 2026, '1000-01-01', 'b,c', 'x,z',
  '{"k":[1,2.50,"é"]}', 1, b'101010101', -128, 255, 65535, -8388608, -2147483648,
  18446744073709551615, x'00ff10', x'0102', 16777217.5, 1.1, true, 'ab', 'é', 'long', 42);
INSERT INTO t (id) VALUES (2);
"""
COPIED = """
INSERT INTO t (id, d, du, d50, dt, dt3, dt6, ts, tm, tm6, y, da, e, st, j, b1, b9, t8, u8, u16, m,
  i, u64, bl, bn, f, dbl, bo, c, l1, lt, z)
SELECT id + 10, d, du, d50, dt, dt3, dt6, ts, tm, tm6, y, da, e, st, j, b1, b9, t8, u8, u16, m,
  i, u64, bl, bn, f, dbl, bo, c, l1, lt, z FROM t;
"""
ORDERS = """
CREATE TABLE orders (id BIGINT PRIMARY KEY, name VARCHAR(50) NOT NULL,
  made TIMESTAMP NOT NULL DEFAULT NOW());
INSERT INTO orders VALUES (1, 'a', '2023-02-15 10:00:00'), (2, 'b', '2023-02-15 11:00:00');
"""


def test_chunk_and_binlog_give_the_same_values(sync: Sync) -> None:
    sync.source(ALL_TYPES)
    sync.start(wait="loaded")
    sync.source(COPIED)
    sync.wait_rows("SELECT id FROM t ORDER BY id", [(1,), (2,), (11,), (12,)])
    loaded, empty, followed, followed_empty = sync.rows("SELECT * FROM t ORDER BY id")
    assert loaded[1:] == followed[1:]
    assert empty[1:] == followed_empty[1:] == (None,) * (len(empty) - 1)
    assert sync.rows("SELECT d, d50, e, b9, f, g, l1, u64 FROM t WHERE id = 11") == [
        (
            Decimal("-1234567890123456.7891"),
            "1234567890123456789012345678901234567890.5",
            "b,c",
            b"\x01\x55",
            16777218.0,
            -8388607,
            "é",
            Decimal("18446744073709551615"),
        )
    ]


def test_updates_deletes_and_key_changes_arrive(sync: Sync) -> None:
    sync.source(ORDERS)
    sync.sql.session.execute_sql("USE CATALOG default_catalog")
    sync.start(wait="loaded")
    sync.source(
        "INSERT INTO orders (id, name) VALUES (3, 'c'); UPDATE orders SET name = 'B' WHERE id = 2;"
        "DELETE FROM orders WHERE id = 1; UPDATE orders SET id = 4 WHERE id = 3;"
    )
    sync.wait_rows("SELECT id, name FROM orders ORDER BY id", [(2, "B"), (4, "c")])


def test_added_columns_and_tables_are_followed(sync: Sync) -> None:
    sync.source(ORDERS)
    job = sync.start(wait="loaded")
    sync.source(
        "ALTER TABLE orders ADD COLUMN n INT NOT NULL DEFAULT 7 COMMENT 'how many' AFTER name;"
        "INSERT INTO orders (id, name, n) VALUES (3, 'c', 8);"
        "ALTER TABLE orders ADD COLUMN p DECIMAL(10,2) DEFAULT 1.5 FIRST, ADD COLUMN q TEXT,"
        " COMMENT 'all of them';"
        "UPDATE orders SET q = 'x' WHERE id = 1;"
        "CREATE TABLE later (a INT PRIMARY KEY, b VARCHAR(9) CHARACTER SET latin1);"
        "INSERT INTO later VALUES (1, 'é');"
    )
    sync.wait_rows("SELECT * FROM later", [(1, "é")])
    assert sync.rows("SELECT p, id, name, n, q FROM orders ORDER BY id") == [
        (Decimal("1.50"), 1, "a", 7, "x"),
        (Decimal("1.50"), 2, "b", 7, None),
        (Decimal("1.50"), 3, "c", 8, None),
    ]
    table = sync.sql.client.table(sync.database, "orders")
    assert [column.name for column in table.columns] == ["p", "id", "name", "n", "made", "q"]
    assert (table.comment, table.column("n").comment) == ("all of them", "how many")
    assert sync.sql.cluster.rest.job(job).state == "RUNNING"


def test_statements_that_concern_no_followed_table_are_stepped_over(sync: Sync) -> None:
    sync.source(ORDERS + "CREATE TABLE left_out (a INT);")
    job = sync.start(wait="loaded", excluding_tables="left_.*")
    other = f"{sync.database}_other"
    sync.mysql.run(f"CREATE DATABASE {other}")
    sync.mysql.run("CREATE TABLE x (a INET6); CREATE SEQUENCE s; DROP TABLE x;", other)
    sync.mysql.run(f"DROP DATABASE {other}")
    sync.source(
        "CREATE INDEX ix ON orders (name); CREATE VIEW v AS SELECT * FROM orders;"
        "ALTER TABLE orders MODIFY name VARCHAR(300) NOT NULL; ANALYZE TABLE orders;"
        "ALTER TABLE left_out ADD COLUMN b INT; INSERT INTO left_out VALUES (1, 2);"
        "TRUNCATE TABLE left_out; DROP TABLE left_out; UPDATE orders SET name = 'z' WHERE id = 1;"
    )
    sync.wait_rows("SELECT name FROM orders WHERE id = 1", [("z",)])
    assert sync.sql.cluster.rest.job(job).state == "RUNNING"


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("ALTER TABLE orders DROP COLUMN name", "column name is dropped or renamed"),
        ("ALTER TABLE orders MODIFY name VARBINARY(50) NOT NULL", "column name changes from"),
        ("ALTER TABLE orders RENAME TO orders2", "renamed"),
        ("DROP TABLE orders", "the table is dropped"),
        ("TRUNCATE TABLE orders", "TRUNCATE TABLE orders"),
        ("CREATE TABLE no_key (a INT)", "table no_key has no primary key"),
    ],
)
def test_a_change_that_cannot_be_followed_stops_the_job(
    sync: Sync, statement: str, reason: str
) -> None:
    sync.source(ORDERS)
    job = sync.start(wait="loaded")
    sync.source(statement)
    failure = sync.wait_failure(job)
    assert reason in failure
    assert "sync_database" in failure


def test_all_problems_are_named_at_once(sync: Sync) -> None:
    sync.source(
        ORDERS + "CREATE TABLE no_key (a INT);"
        "CREATE TABLE odd (a INT PRIMARY KEY, g GEOMETRY, p POINT);"
    )
    sync.sql.client.ddl(CreateDatabase(sync.database))
    sync.sql.session.execute_sql(
        f"CREATE TABLE dw.`{sync.database}`.orders (id INT NOT NULL, PRIMARY KEY (id) NOT ENFORCED)"
    )
    with pytest.raises(SluicewayError) as refused:
        sync.start()
    said = str(refused.value)
    assert "table no_key has no primary key" in said
    assert "column odd.g" in said
    assert "column odd.p" in said
    assert "orders exists already with 0 rows" in said
    assert all(job.state in ENDED for job in sync.sql.cluster.rest.jobs())


def test_a_server_without_row_binlog_is_refused(sync: Sync, mysql_without_binlog: MySQL) -> None:
    mysql_without_binlog.run(f"CREATE DATABASE {sync.database}")
    mysql_without_binlog.run(ORDERS, sync.database)
    with pytest.raises(SluicewayError, match="binlog_format is STATEMENT: set it to ROW"):
        sync.start(port=mysql_without_binlog.port)


def test_a_user_without_privileges_is_told_which(sync: Sync) -> None:
    sync.source(ORDERS)
    user = f"{sync.database}_u"
    sync.mysql.run(f"CREATE USER {user}@'%' IDENTIFIED BY 'pw'")
    sync.mysql.run(f"GRANT SELECT ON {sync.database}.* TO {user}@'%'")
    with pytest.raises(SluicewayError) as refused:
        sync.start(username=user, password="pw")
    for privilege in ("RELOAD", "REPLICATION SLAVE", "REPLICATION CLIENT"):
        assert f"lacks {privilege}: GRANT {privilege} ON *.* TO" in str(refused.value)
    sync.mysql.run(f"DROP USER {user}@'%'")


def test_timestamps_insert_into_columns_without_a_zone(sync: Sync) -> None:
    sync.source(ORDERS)
    sync.start(wait="loaded")
    sync.sql.session.execute_sql(f"USE dw.`{sync.database}`")
    sync.sql.insert(
        "SET 'table.local-time-zone' = 'UTC';"
        "CREATE TABLE dwd (id BIGINT NOT NULL, name STRING, made TIMESTAMP,"
        " PRIMARY KEY (id) NOT ENFORCED);"
        "INSERT INTO dwd SELECT * FROM orders /*+ OPTIONS('binlog'='false') */;"
    )
    sync.wait_rows(
        "SELECT id, CAST(made AS VARCHAR) FROM dwd ORDER BY id",
        [(1, "2023-02-15 10:00:00"), (2, "2023-02-15 11:00:00")],
    )


def test_time_zone_turns_timestamps_into_local_times(sync: Sync) -> None:
    sync.source(ORDERS)
    sync.start(wait="loaded", time_zone="Asia/Shanghai")
    sync.source("INSERT INTO orders VALUES (3, 'c', '2023-02-15 12:00:00')")
    sync.wait_rows(
        "SELECT id, CAST(made AS VARCHAR) FROM orders ORDER BY id",
        [
            (1, "2023-02-15 18:00:00"),
            (2, "2023-02-15 19:00:00"),
            (3, "2023-02-15 20:00:00"),
        ],
    )


BIG = """
CREATE TABLE big (id BIGINT PRIMARY KEY, name VARCHAR(50) NOT NULL, n INT NOT NULL);
CREATE TABLE pairs (a VARCHAR(20) NOT NULL, b INT NOT NULL, v INT, PRIMARY KEY (a, b));
INSERT INTO big SELECT seq, CONCAT('name_', seq % 100), 1 FROM seq_1_to_100000;
INSERT INTO pairs SELECT CONCAT('k', seq % 500), seq, seq FROM seq_1_to_50000;
"""
BIG_SUMS = "SELECT count(*), sum(id), sum(n), count(DISTINCT name) FROM big"
PAIR_SUMS = "SELECT count(*), sum(b), sum(v), count(DISTINCT a) FROM pairs"


@contextmanager
def writing(sync: Sync) -> Iterator[None]:
    """Change the big tables all the time, one change a commit."""
    stop = threading.Event()

    def write() -> None:
        at = 0
        while not stop.wait(0.005):
            at = (at + 7919) % 100_000
            sync.source(
                f"UPDATE big SET n = n + 1 WHERE id > {at} LIMIT 3;"
                f"DELETE FROM big WHERE id = {at};"
                f"INSERT INTO big VALUES ({200_000 + at}, 'new', {at})"
                " ON DUPLICATE KEY UPDATE n = n + 1;"
                f"UPDATE pairs SET b = b + 1000000 WHERE a = 'k{at % 500}' AND b < 1000000 LIMIT 1;"
            )

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def test_changes_during_the_load_win(sync: Sync) -> None:
    sync.source(BIG)
    with writing(sync):
        sync.start(wait="loaded", parallelism=2)
    sync.wait_same(BIG_SUMS)
    sync.wait_same(PAIR_SUMS)


def test_the_store_may_die_at_any_time(sync: Sync) -> None:
    sync.source(BIG)
    with writing(sync):
        sync.start()
        wait_until(
            "rows arriving",
            lambda: sync.rows("SELECT count(*) FROM big")[0][0] > 0,
            deadline_s=60.0,
        )
        sync.sql.store.kill()
        sync.sql.store.start()
        sync.wait_rows(f'SELECT count(*) FROM sync."{sync.database}"', [(2,)])
        sync.sql.store.kill()
        sync.sql.store.start()
    sync.wait_same(BIG_SUMS)
    sync.wait_same(PAIR_SUMS)


def test_a_savepoint_resumes_over_changes_of_tables(sync: Sync) -> None:
    sync.source(ORDERS)
    job = sync.start(wait="loaded")
    folder = str(sync.sql.cluster.folder / "savepoints")
    savepoint = sync.sql.cluster.rest.savepoint(job, folder, stop=True)
    sync.source(
        "INSERT INTO orders (id, name) VALUES (3, 'c');"
        "ALTER TABLE orders ADD COLUMN n INT DEFAULT 5;"
        "UPDATE orders SET n = 6 WHERE id = 1; DELETE FROM orders WHERE id = 2;"
        "CREATE TABLE meanwhile (id INT PRIMARY KEY); INSERT INTO meanwhile VALUES (9);"
    )
    sync.start(savepoint=savepoint)
    sync.wait_rows("SELECT id FROM meanwhile", [(9,)])
    wanted = [(1, "a", 6), (3, "c", 5)]
    assert sync.rows("SELECT id, name, n FROM orders ORDER BY id") == wanted


def test_status_says_what_is_loaded(sync: Sync) -> None:
    sync.source(ORDERS)
    job = sync.start(wait="loaded")
    status = rows(sync.sql.session.execute_sql(f"CALL dw.sys.sync_status(job_id => '{job}')"))
    assert [(row[0], row[1]) for row in status] == [(job, "RUNNING")]
    assert "1 tables to load, 1 loaded" in status[0][2]
