"""Statements of the source that change nothing, or that nobody can follow; choosing tables."""

import pytest

from kit.sync import Sync
from sluiceway.catalog import SluicewayError
from sluiceway.jobs.mysql import HOST, PASSWORD, USER
from sluiceway.jobs.waiting import wait_until

pytestmark = [pytest.mark.flink, pytest.mark.mysql, pytest.mark.slow]

NOTHING = (
    "DROP TABLE IF EXISTS import_buffer",
    "ALTER TABLE t ADD COLUMN IF NOT EXISTS note INT",
    "ALTER TABLE t ADD COLUMN IF NOT EXISTS NOTE BLOB, ADD COLUMN more INT",
    "ALTER TABLE t MODIFY COLUMN IF EXISTS nothing INT, DROP COLUMN IF EXISTS neither",
    "CREATE SEQUENCE later_ids",
    "INSERT INTO t (id, note) VALUES (NEXTVAL(later_ids) + 10, 'by a sequence')",
    "CREATE TABLE IF NOT EXISTS t (id INT PRIMARY KEY, other INT)",
)
DEFAULTS = (
    ("valid_from DATE NOT NULL DEFAULT '1970-01-01'", "valid_from", "1970-01-01"),
    ("seen DATETIME NOT NULL DEFAULT '1970-01-01 00:00:01'", "seen", "1970-01-01 00:00:01"),
    ("opens TIME NOT NULL DEFAULT '08:30:00'", "opens", "08:30:00"),
    ("e VARCHAR(9) NOT NULL DEFAULT '' COMMENT 'the default (none) is empty'", "e", ""),
    ("q VARCHAR(9) DEFAULT 'it''s'", "q", "it's"),
    (r"b VARCHAR(9) DEFAULT 'x\\y'", "b", "x\\y"),
    ("k ENUM('driver''s','other') NOT NULL", "k", "driver's"),
)


def test_what_changes_nothing_is_passed_over(sync: Sync) -> None:
    sync.mysql.transaction(
        ["CREATE SEQUENCE ids", "CREATE TABLE t (id INT PRIMARY KEY, note TEXT)"], sync.database
    )
    job = sync.start(wait="loaded")
    sync.mysql.transaction(
        ["INSERT INTO t VALUES (NEXTVAL(ids), 'a')", *NOTHING, "INSERT INTO t VALUES (99, 'z', 7)"],
        sync.database,
    )
    sync.wait_rows(
        "SELECT id, note, more FROM t ORDER BY id",
        [(1, "a", None), (11, "by a sequence", None), (99, "z", 7)],
    )
    assert sync.sql.cluster.rest.job(job).state == "RUNNING"


def test_constant_defaults_reach_old_rows(sync: Sync) -> None:
    sync.mysql.transaction(
        ["CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1)"], sync.database
    )
    sync.start(wait="loaded")
    clauses = ", ".join(f"ADD COLUMN {clause}" for clause, _, _ in DEFAULTS)
    sync.mysql.transaction([f"ALTER TABLE t {clauses}"], sync.database)
    names = ", ".join(f"CAST({name} AS VARCHAR)" for _, name, _ in DEFAULTS)
    sync.wait_rows(f"SELECT {names} FROM t", [tuple(value for _, _, value in DEFAULTS)])


def test_names_are_compared_as_the_server_does(sync: Sync) -> None:
    sync.mysql.transaction(
        [
            "CREATE TABLE TMP_ORDERS (id INT PRIMARY KEY)",
            "CREATE TABLE tmp_left (id INT PRIMARY KEY)",
            "CREATE TABLE orders (id INT PRIMARY KEY)",
            "CREATE TABLE Orders (id INT PRIMARY KEY)",
        ],
        sync.database,
    )
    job = sync.start(wait="loaded", including_tables="TMP_.*, orders", excluding_tables="tmp_.*")
    sync.mysql.transaction(
        [f"INSERT INTO {t} VALUES (1)" for t in ("Orders", "tmp_left", "TMP_ORDERS", "orders")],
        sync.database,
    )
    sync.wait_rows("SELECT id FROM orders", [(1,)])
    assert sync.rows('SELECT id FROM "TMP_ORDERS"') == [(1,)]
    assert sorted(t.name for t in sync.sql.client.tables(sync.database)) == ["TMP_ORDERS", "orders"]
    assert sync.sql.cluster.rest.job(job).state == "RUNNING"


def test_tables_are_chosen_as_hologres_users_write_it(sync: Sync) -> None:
    sync.mysql.transaction(
        [f"CREATE TABLE {t} (id INT PRIMARY KEY)" for t in ("a", "b", "c")], sync.database
    )
    sync.sql.run(
        f"CREATE CATALOG shop WITH ('type' = 'mysql', 'hostname' = '{HOST}',"
        f" 'port' = '{sync.mysql.port}', 'username' = '{USER}', 'password' = '{PASSWORD}');"
        f"CREATE DATABASE IF NOT EXISTS dw.chosen AS DATABASE shop.{sync.database}"
        " INCLUDING TABLE 'a', 'b' EXCLUDING TABLE 'b';"
    )
    assert [t.name for t in sync.sql.client.tables("chosen")] == ["a"]


@pytest.mark.parametrize(
    ("before", "statement", "reason"),
    [
        (
            "CREATE TABLE t (id INT PRIMARY KEY) PARTITION BY HASH(id) PARTITIONS 2",
            "ALTER TABLE t ADD PARTITION PARTITIONS 1",
            "cannot be read",
        ),
        (
            "CREATE TABLE t (id INT PRIMARY KEY)",
            "CREATE TABLE hosts (id INT PRIMARY KEY, ip INET6)",
            "cannot be read",
        ),
    ],
)
def test_a_statement_that_cannot_be_read_stops_the_job_and_its_cure_works(
    sync: Sync, before: str, statement: str, reason: str
) -> None:
    sync.mysql.transaction([before], sync.database)
    job = sync.start(wait="loaded")
    sync.mysql.transaction([statement, "INSERT INTO t VALUES (1)"], sync.database)
    failure = sync.wait_failure(job)
    assert reason in failure and statement in failure and "replace => true" in failure
    sync.start(wait="loaded", replace=True, excluding_tables="hosts")
    assert sync.rows("SELECT id FROM t") == [(1,)]


def test_a_purged_binlog_stops_the_job(sync: Sync) -> None:
    sync.mysql.transaction(["CREATE TABLE t (id INT PRIMARY KEY)"], sync.database)
    job = sync.start(wait="loaded")
    folder = str(sync.sql.cluster.folder / "savepoints")
    savepoint = sync.sql.cluster.rest.savepoint(job, folder, stop=True)
    sync.mysql.transaction(["INSERT INTO t VALUES (2)", "FLUSH BINARY LOGS"], sync.database)
    [(newest, *_)] = sync.mysql.query("SHOW MASTER STATUS")

    def purged() -> bool:  # the server keeps what the stopped job's connection still reads
        sync.mysql.query(f"PURGE BINARY LOGS TO '{newest}'")
        return len(sync.mysql.query("SHOW BINARY LOGS")) == 1

    wait_until("the old binlogs being purged", purged, deadline_s=60.0)
    failure = sync.wait_failure(sync.start(savepoint=savepoint))
    assert "is no longer on the server" in failure and "replace => true" in failure


@pytest.mark.parametrize(
    ("create", "said"),
    [
        ("CREATE TABLE hosts (id INT PRIMARY KEY, ip INET6)", "table hosts cannot be read"),
        (
            "CREATE TABLE hosts (id INT PRIMARY KEY) WITH SYSTEM VERSIONING",
            "table hosts is system-versioned",
        ),
    ],
)
def test_a_table_that_cannot_be_synced_is_named_before_anything_is_made(
    sync: Sync, create: str, said: str
) -> None:
    sync.mysql.transaction(["CREATE TABLE a (id INT PRIMARY KEY)", create], sync.database)
    with pytest.raises(SluicewayError) as refused:
        sync.start(wait="loaded")
    assert said in str(refused.value)
    assert sync.database not in [found.name for found in sync.sql.client.databases()]
    sync.start(wait="loaded", excluding_tables="hosts")
    assert [t.name for t in sync.sql.client.tables(sync.database)] == ["a"]
