"""The jar alone: `flink run` of a plain PyFlink program, which knows nothing of our Python."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kit.flink import DATABASE, FlinkSql
from sluiceway.connector import jar_path
from sluiceway.jobs.cluster import flink_home

pytestmark = [pytest.mark.flink, pytest.mark.slow]

RUN_S = 180
PROGRAM = f"""
import sys
from pyflink.table import EnvironmentSettings, TableEnvironment

t_env = TableEnvironment.create(EnvironmentSettings.in_streaming_mode())
t_env.execute_sql(
    "CREATE CATALOG dw WITH ('type'='hologres', 'endpoint'='" + sys.argv[1] + "',"
    " 'dbname'='{DATABASE}')")
t_env.execute_sql(
    "CREATE TABLE dw.{DATABASE}.here (id INT NOT NULL, name STRING,"
    " PRIMARY KEY (id) NOT ENFORCED)")
t_env.execute_sql(
    "INSERT INTO dw.{DATABASE}.here SELECT id, name"
    " FROM dw.{DATABASE}.there /*+ OPTIONS('binlog' = 'false') */").wait()
"""


@pytest.mark.timeout(RUN_S + 120)
def test_flink_run_with_the_jar(flink_sql: FlinkSql, tmp_path: Path) -> None:
    flink_sql.insert(
        f"CREATE TABLE {DATABASE}.there (id INT NOT NULL, name STRING,"
        " PRIMARY KEY (id) NOT ENFORCED);"
        f"INSERT INTO {DATABASE}.there VALUES (1, 'one'), (2, 'two')"
    )
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    command = [str(flink_home() / "bin" / "flink"), "run", "-m", flink_sql.cluster.address]
    command += ["-pyexec", sys.executable, "-pyclientexec", sys.executable]
    command += ["--jarfile", str(jar_path()), "-py", str(program), flink_sql.store.endpoint]
    conf = {"FLINK_CONF_DIR": str(flink_sql.cluster.conf), "FLINK_LOG_DIR": str(tmp_path)}
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=RUN_S, env={**os.environ, **conf}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert flink_sql.rows("SELECT * FROM here ORDER BY id") == [(1, "one"), (2, "two")]
