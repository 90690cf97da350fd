"""The commands that outlive themselves: a cluster that is left running, a sync that is started."""

import subprocess
import sys
from pathlib import Path

import pytest

from kit.flink import FlinkSql
from sluiceway.jobs import mysql, places
from sluiceway.jobs.cluster import SessionCluster
from sluiceway.jobs.mysql import MySQL

pytestmark = [pytest.mark.flink, pytest.mark.slow]

COMMAND_S = 180


def sluiceway(*arguments: str, code: int = 0) -> str:
    """Run the command line in a process of its own; return what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "sluiceway.jobs.cli", *arguments],
        capture_output=True,
        text=True,
        timeout=COMMAND_S,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.timeout(300)
def test_a_cluster_is_started_used_and_stopped(tmp_path: Path) -> None:
    data = ["--data", str(tmp_path / "warehouse")]
    assert "sluiceway flink start" in sluiceway("flink", "jobs", *data, code=7)
    try:
        address = sluiceway("flink", "start", *data).splitlines()[0]
        assert sluiceway("flink", "start", *data).splitlines()[0] == address
        assert "0 rows" in sluiceway("flink", "jobs", *data)
        assert "no job with id 'abc'" in sluiceway("flink", "cancel", *data, "abc", code=3)
    finally:
        stopped = sluiceway("flink", "stop", *data)
    assert "stopped" in stopped
    assert not SessionCluster(places.flink_folder(tmp_path / "warehouse")).runs()
    assert "no cluster was running" in sluiceway("flink", "stop", *data)


@pytest.mark.mysql
@pytest.mark.timeout(300)
def test_a_sync_outlives_the_command_that_started_it(
    flink_sql: FlinkSql, mysql_server: MySQL, mysql_database: str
) -> None:
    mysql_server.run("CREATE TABLE t (a INT PRIMARY KEY); INSERT INTO t VALUES (1)", mysql_database)
    told = sluiceway(
        "sync-database",
        *("--endpoint", flink_sql.store.endpoint, "--target", flink_sql.cluster.address),
        *("--hostname", mysql.HOST, "--port", str(mysql_server.port)),
        *("--username", mysql.USER, "--password", mysql.PASSWORD),
        *("--database", mysql_database, "--target-database", "copy"),
    )
    assert "loaded" in told
    assert flink_sql.rows("SELECT a FROM copy.t") == [(1,)]
    job = flink_sql.cluster.rest.jobs()[0]
    assert job.state == "RUNNING"
    mysql_server.run("INSERT INTO t VALUES (2)", mysql_database)
    flink_sql.wait_rows("SELECT a FROM copy.t ORDER BY a", [(1,), (2,)])
