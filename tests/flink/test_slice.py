"""From SQL text to an answer, through every part once: the command line, Flink, the store."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from kit.flink import FlinkSql
from sluiceway.catalog import NotFoundError, SluicewayError, UserError
from sluiceway.jobs import connect
from sluiceway.jobs.cli import main
from sluiceway.jobs.flinkrest import FlinkRest
from sluiceway.jobs.processes import free_port
from sluiceway.jobs.session import rows

pytestmark = [pytest.mark.flink, pytest.mark.slow]

TABLE = """
CREATE TABLE order_dw.t (
  id BIGINT NOT NULL, name STRING, fee NUMERIC(20, 2), placed TIMESTAMP,
  PRIMARY KEY (id) NOT ENFORCED);
"""
VALUES = """
INSERT INTO order_dw.t VALUES
  (1, 'one; -- not a comment', 1.10, TIMESTAMP '2023-02-15 16:40:56'),
  (2, CAST(NULL AS STRING), 2.20, CAST(NULL AS TIMESTAMP));
"""


def sluiceway(*arguments: str) -> str:
    """Run the command line and return what it printed."""
    result = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_what_flink_wrote_is_what_sql_answers(flink_sql: FlinkSql) -> None:
    flink_sql.insert(TABLE + VALUES)
    data = str(flink_sql.store.data)
    query = "SELECT * FROM order_dw.t ORDER BY id"
    wanted = "id,name,fee,placed\n1,one; -- not a comment,1.10,2023-02-15 16:40:56\n2,,2.20,\n"
    assert sluiceway("sql", "--data", data, "--format", "csv", query) == wanted
    assert '"rows": 2' in sluiceway("status", "--data", data, "--format", "json")
    flink_sql.store.stop()
    assert sluiceway("sql", "--data", data, "--format", "csv", query) == wanted


def test_a_file_is_run_by_the_command_line(flink_sql: FlinkSql, tmp_path: Path) -> None:
    file = tmp_path / "pipeline.sql"
    file.write_text("SET 'pipeline.name' = '${name}';" + TABLE + VALUES + "SHOW TABLES IN order_dw")
    where = ["--endpoint", flink_sql.store.endpoint, "--target", flink_sql.cluster.address]
    define = ["-D", "name=from a file", "--attach", "--catalog", "own"]
    script = file.read_text().replace("order_dw.t", "own.order_dw.t").replace("IN ", "IN own.")
    file.write_text(script)
    printed = sluiceway("run", *where, *define, str(file))
    job = flink_sql.cluster.rest.jobs()[0]
    assert (job.name, job.state) == ("from a file", "FINISHED")
    assert f"job {job.id}" in printed and "│ t " in printed
    assert flink_sql.rows("SELECT COUNT(*) FROM t") == [(2,)]


def test_a_program_brings_its_own_store(tmp_path: Path) -> None:
    with connect(tmp_path / "warehouse", database="d") as t_env:
        t_env.execute_sql("CREATE TABLE dw.d.t (id INT NOT NULL, PRIMARY KEY (id) NOT ENFORCED)")
        t_env.execute_sql("INSERT INTO dw.d.t VALUES (1), (2)").wait(60_000)
        found = t_env.execute_sql("SELECT * FROM dw.d.t /*+ OPTIONS('binlog' = 'false') */")
        assert sorted(rows(found)) == [(1,), (2,)]
        with connect(tmp_path / "warehouse", catalog="again", database="d") as second:
            assert second.endpoint == t_env.endpoint
            assert second.list_catalogs() == ["again", "default_catalog"]
    assert "2" in sluiceway(
        "sql", "--data", str(tmp_path / "warehouse"), "SELECT COUNT(*) AS n FROM d.t"
    )


@pytest.mark.parametrize(
    ("statement", "error", "message"),
    [
        ("SELECT * FROM order_dw.nope", UserError, "Object 'nope' not found"),
        ("INSERT INTO order_dw.t (nope) SELECT 1", UserError, "nope"),
        ("CREATE TABLE order_dw.u (a MULTISET<INT>)", SluicewayError, "MULTISET"),
        (
            "CREATE TABLE order_dw.u (a INT) WITH ('table_property.binlog.tll' = '1')",
            UserError,
            "table_property.binlog.ttl",
        ),
        (
            "CREATE CATALOG c WITH ('type'='hologres', 'endpoint'='${endpoint}', 'dbname'='nope')",
            NotFoundError,
            'database "nope" does not exist',
        ),
        (
            "CREATE CATALOG c WITH ('type'='hologres', 'endpoint'='${endpoint}', 'bilnog'='true')",
            SluicewayError,
            "binlog",
        ),
    ],
)
def test_bad_input_is_named(
    flink_sql: FlinkSql, statement: str, error: type[SluicewayError], message: str
) -> None:
    flink_sql.run(TABLE)
    with pytest.raises(error, match=message):
        flink_sql.runner.run(statement, variables={"endpoint": flink_sql.store.endpoint})
    assert flink_sql.rows("SELECT COUNT(*) FROM t") == [(0,)]


def test_an_endpoint_where_nothing_listens(flink_sql: FlinkSql) -> None:
    where = f"127.0.0.1:{free_port()}"
    with pytest.raises(SluicewayError, match=where):
        flink_sql.run(f"CREATE CATALOG c WITH ('type' = 'sluiceway', 'endpoint' = '{where}')")


def test_a_cluster_is_sent_no_jar_that_it_has(flink_sql: FlinkSql) -> None:
    with connect(flink_sql.store.endpoint, target=flink_sql.cluster.address) as t_env:
        assert t_env.session.options.jars == ()
        t_env.execute_sql("CREATE TABLE dw.`default`.sent (id INT PRIMARY KEY NOT ENFORCED)")
        t_env.execute_sql("INSERT INTO dw.`default`.sent VALUES (1)").wait()
        assert flink_sql.client.read("default", "sent").to_pylist() == [{"id": 1}]
    assert FlinkRest(f"127.0.0.1:{free_port()}").class_path() == frozenset()
