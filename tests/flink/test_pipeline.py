"""The tutorial's pipeline: the demo as a user runs it, and what its plan must not contain."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from kit.flink import FlinkSql
from sluiceway.jobs.rewrite import SqlSet
from sluiceway.jobs.statements import StatementSet, split
from sluiceway.jobs.tutorial import script
from sluiceway.jobs.waiting import wait_until

pytestmark = [pytest.mark.flink, pytest.mark.mysql, pytest.mark.slow]

DEMO = [sys.executable, "-m", "sluiceway.jobs.cli", "demo"]
DEMO_S = 300


@pytest.mark.timeout(DEMO_S + 60)
def test_the_demo_is_right_in_every_layer(tmp_path: Path) -> None:
    done = subprocess.run(
        [*DEMO, "--folder", str(tmp_path)], capture_output=True, text=True, timeout=DEMO_S
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for told in ("ms from MySQL's commit to dws_users", "All answers are right."):
        assert told in done.stdout


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Let children take SIGINT even where the tests run in the background, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_leaves_nothing_behind(tmp_path: Path) -> None:
    log = tmp_path / "out"
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [*DEMO, "--folder", str(tmp_path / "demo")], stdout=output, stderr=subprocess.STDOUT
        ) as demo,
    ):
        wait_until("the store", lambda: "the store listens" in log.read_text(), deadline_s=120)
        children = psutil.Process(demo.pid).children(recursive=True)
        assert len(children) >= 4  # two JVMs of Flink, MySQL, the store
        os.kill(demo.pid, signal.SIGINT)
        assert demo.wait(timeout=60) == 130, log.read_text()
    wait_until("the end of all", lambda: not any(c.is_running() for c in children), deadline_s=10)


def test_the_plan_keeps_no_state_of_the_sources(flink_sql: FlinkSql) -> None:
    """Neither a materializer before the partial INSERTs nor a normalizer behind the changelog."""
    tables = (
        "CREATE TABLE dw.order_dw.orders (order_id BIGINT NOT NULL, user_id STRING, shop_id BIGINT,"
        " product_id BIGINT, buy_fee NUMERIC(20, 2), create_time TIMESTAMP_LTZ,"
        " update_time TIMESTAMP_LTZ, state INT, PRIMARY KEY (order_id) NOT ENFORCED);"
        "CREATE TABLE dw.order_dw.orders_pay (pay_id BIGINT NOT NULL, order_id BIGINT,"
        " pay_platform INT, create_time TIMESTAMP_LTZ, PRIMARY KEY (pay_id) NOT ENFORCED);"
        "CREATE TABLE dw.order_dw.product_catalog (product_id BIGINT NOT NULL,"
        " catalog_name STRING, PRIMARY KEY (product_id) NOT ENFORCED);"
    )
    catalog = split(script("0_catalogs.sql").replace("${endpoint}", flink_sql.store.endpoint))[0]
    session = flink_sql.session
    session.execute_sql("USE CATALOG default_catalog")
    session.execute_sql("DROP CATALOG dw")
    session.execute(catalog)
    flink_sql.run(tables)
    for name in ("3_dwd.sql", "4_dws.sql"):
        for unit in split(script(name)):
            if not isinstance(unit, StatementSet):
                session.execute(unit)
                continue
            command = session.command(unit)
            assert isinstance(command, SqlSet)
            statement_set = session.environment.create_statement_set()
            for insert in command.inserts:
                statement_set.add_insert_sql(insert.text)
            plan = str(statement_set.explain())
            assert "SinkMaterialize" not in plan and "upsertMaterialize" not in plan
            assert "ChangelogNormalize" not in plan
            assert name != "3_dwd.sql" or "LookupJoin" in plan
