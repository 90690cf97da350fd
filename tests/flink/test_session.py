"""Session and cluster without a store: modes, settings, statement sets, errors with their lines."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from sluiceway.catalog import UserError
from sluiceway.jobs.cluster import SessionCluster, job_defaults
from sluiceway.jobs.runner import Runner
from sluiceway.jobs.session import Session, SessionOptions, rows
from sluiceway.jobs.waiting import wait_until

pytestmark = [pytest.mark.flink, pytest.mark.slow]

TABLES = """
CREATE TEMPORARY TABLE numbers (n INT, text STRING) WITH (
  'connector' = 'datagen', 'number-of-rows' = '10', 'fields.n.kind' = 'sequence',
  'fields.n.start' = '1', 'fields.n.end' = '10', 'fields.text.length' = '5');
CREATE TEMPORARY TABLE nowhere (n INT, text STRING) WITH ('connector' = 'blackhole');
"""


@pytest.fixture
def said() -> list[str]:
    """What the runner told."""
    return []


@pytest.fixture
def runner(flink_cluster: SessionCluster, said: list[str]) -> Iterator[Runner]:
    """A runner on the session cluster, with a source and a sink of Flink's own."""
    options = SessionOptions(
        target=flink_cluster.address, settings=job_defaults(flink_cluster.folder / "checkpoints")
    )
    made = Runner(Session(options), say=said.append)
    made.run(TABLES)
    said.clear()
    yield made


def test_a_statement_set_is_one_detached_job(
    runner: Runner, said: list[str], flink_cluster: SessionCluster
) -> None:
    script = (
        "\nBEGIN STATEMENT SET;\n" + "INSERT INTO nowhere SELECT * FROM numbers;\n" * 2 + "END;"
    )
    (job,) = runner.run(f"SET 'pipeline.name' = 'two inserts';{script}")
    assert said[-1] == f"line 2: statement set of 2 INSERTs: job {job}"
    ended = flink_cluster.rest.wait_ended(job)
    assert (ended.name, ended.state) == ("two inserts", "FINISHED")


def test_both_modes_share_what_is_of_the_session(runner: Runner) -> None:
    session = runner.session
    query = "SELECT SUM(n), COUNT(*) FROM numbers"
    session.execute_sql("SET 'execution.runtime-mode' = 'batch'")
    assert rows(session.execute_sql(query)) == [(55, 10)]
    session.execute_sql("CREATE TEMPORARY VIEW odd AS SELECT n FROM numbers WHERE MOD(n, 2) = 1")
    session.execute_sql("RESET 'execution.runtime-mode'")
    assert session.mode == "streaming"
    found = rows(session.execute_sql("SELECT n FROM odd"))
    assert sorted(found) == [(1,), (3,), (5,), (7,), (9,)]


def test_changes_are_told_with_their_kind(runner: Runner, said: list[str]) -> None:
    runner.run("SELECT COUNT(*) AS c FROM (SELECT n FROM numbers LIMIT 2)")
    assert said == ["+I[1]", "-U[1]", "+U[2]"]


def test_settings_are_set_listed_and_reset(runner: Runner, said: list[str]) -> None:
    session = runner.session
    runner.run("SET 'parallelism.default' = '2'; SET 'table.exec.mini-batch.size' = '7';")
    assert session.environment.get_config().get("parallelism.default", "") == "2"
    runner.run("SET;")
    assert "table.exec.mini-batch.size" in said[-1]
    runner.run("RESET;")
    assert session.environment.get_config().get("parallelism.default", "") == "1"
    assert "table.exec.mini-batch.size" not in session.settings
    with pytest.raises(UserError, match="'streaming' or 'batch', not 'fast'"):
        runner.run("SET 'execution.runtime-mode' = 'fast'")


def test_reset_undoes_set_after_jobs_too(runner: Runner, flink_cluster: SessionCluster) -> None:
    session, chance = runner.session, random.Random(10)
    keys = {  # the values of each, and the value without a SET
        "pipeline.name": (["one", "two"], ""),
        "parallelism.default": (["1", "2"], "1"),
        "execution.checkpointing.interval": (["7 s", "9 s"], None),
        "execution.state-recovery.path": (["file:///none"], ""),
        "table.exec.mini-batch.size": (["3", "4"], ""),
        "made.up": (["x"], ""),
    }
    reading = session.environment.get_config().get
    base = {key: reading(key, "") if base is None else base for key, (_, base) in keys.items()}
    model, names = dict(base), list[str]()
    for step in range(40):
        key = chance.choice(list(keys))
        if chance.random() < 0.5:
            model[key] = chance.choice(keys[key][0])
            session.execute_sql(f"SET '{key}' = '{model[key]}'")
        elif chance.random() < 0.9:
            model[key] = base[key]
            session.execute_sql(f"RESET '{key}'")
        else:
            model = dict(base)
            session.execute_sql("RESET")
        if step % 10 == 9:
            session.execute_sql("RESET 'execution.state-recovery.path'")
            model["execution.state-recovery.path"] = ""
            if len(names) % 2:
                model["pipeline.name"] = "odd"
                session.execute_sql("SET 'pipeline.name' = 'odd'")
            names.append(model["pipeline.name"] or "insert-into_default_catalog.default_database")
            [job] = runner.run("INSERT INTO nowhere SELECT * FROM numbers;")[-1:]
            ended = flink_cluster.rest.wait_ended(job)
            assert ended.state == "FINISHED" and ended.name.startswith(names[-1])
        session.mode = chance.choice(["streaming", "batch"])
        for mode in session._environments:
            found = session._environments[mode].get_config().get
            assert {key: found(key, "") for key in keys} == model, (step, mode)
    assert len(set(names)) > 1


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("SELECT 1;\n\nSELECT\n  nope FROM numbers;", r"f\.sql, line 4, column 3: Column 'nope'"),
        ("\nSELECT * FROM nope", r"f\.sql, line 2, column 15: Object 'nope' not found"),
        ("\n\nINSERT INTO nowhere SELECT 1", r"f\.sql, line 3: Column types of query result"),
        (
            "BEGIN STATEMENT SET;\nINSERT INTO nowhere SELECT * FROM numbers;\n"
            "INSERT INTO nowhere SELECT 1;\nEND",
            r"f\.sql, line 3: Column types",
        ),
        ("CREATE TABLE t (\n a INT,\n at INT)", r"line 3, column 2: Encountered \"at\"\.$"),
        ("SELECT 1;\nSELECT 'open", "line 2 is not closed"),
        ("CREATE CATALOG x WITH ('type' = 'nonsense')", "line 1: Could not find any factory"),
    ],
)
def test_a_bad_statement_is_named_with_its_line(runner: Runner, script: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        runner.run(script, origin="f.sql")
    assert runner.jobs == []


def test_plain_pyflink_refuses_what_the_rewriter_takes(runner: Runner) -> None:
    plain = runner.session.environment
    query = "SELECT * FROM numbers AS o JOIN numbers FOR SYSTEM_TIME AS OF PROCTIME() AS d ON TRUE"
    with pytest.raises(Exception, match="can not be reduced to a constant"):
        plain.execute_sql(query)
    with pytest.raises(Exception, match="Unsupported SQL query"):
        plain.execute_sql("BEGIN STATEMENT SET")


def test_a_killed_task_manager_is_started_again(
    runner: Runner, flink_cluster: SessionCluster
) -> None:
    runner.run(
        "CREATE TEMPORARY TABLE ticks (n INT) WITH ('connector' = 'datagen', "
        "'rows-per-second' = '10'); "
        "CREATE TEMPORARY TABLE sink (n INT) WITH ('connector' = 'blackhole')"
    )
    (job,) = runner.run("INSERT INTO sink SELECT * FROM ticks")
    flink_cluster.rest.wait_running(job)
    flink_cluster.kill_task_manager()
    address = flink_cluster.address
    assert flink_cluster.start() == address
    rest = flink_cluster.rest
    wait_until("the loss being noticed", lambda: rest.failure(job) != "", deadline_s=60)
    rest.wait_running(job)
    assert flink_cluster.stats().task_managers >= 1
    path = flink_cluster.rest.savepoint(job[:8], None)
    assert Path(path.removeprefix("file:")).is_dir()
    assert flink_cluster.rest.cancel(job).state == "CANCELED"
