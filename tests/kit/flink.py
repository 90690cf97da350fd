"""A Flink session cluster for tests, and a session whose jobs run on it with a store of its own."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from sluiceway.catalog import CreateDatabase
from sluiceway.jobs import places
from sluiceway.jobs.cluster import SessionCluster
from sluiceway.jobs.flinkrest import ENDED
from sluiceway.jobs.runner import Runner
from sluiceway.jobs.script import cluster_session
from sluiceway.jobs.session import Session
from sluiceway.jobs.store import StoreProcess
from sluiceway.jobs.waiting import wait_until
from sluiceway.warehouse.client import Client

DATABASE = "order_dw"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of tests/flink; let PyFlink use there what it has itself deprecated."""
    for item in items:
        if "flink" in item.path.parts:
            item.add_marker(pytest.mark.flink)
            item.add_marker(pytest.mark.filterwarnings("ignore::DeprecationWarning"))


@pytest.fixture(scope="session")
def flink_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SessionCluster]:
    """One JobManager and one TaskManager for the whole session."""
    cluster = SessionCluster(tmp_path_factory.mktemp("flink"), tied=True)
    cluster.start()
    yield cluster
    cluster.stop()


@dataclass
class FlinkSql:
    """A session on the cluster with a store's catalog `dw`, and the store itself."""

    session: Session
    runner: Runner
    cluster: SessionCluster
    store: StoreProcess
    client: Client

    def run(self, script: str) -> list[str]:
        """Run a script; return the ids of the jobs that it submitted."""
        return self.runner.run(script)

    def insert(self, script: str, *, deadline_s: float = 60.0) -> None:
        """Run a script and wait until its jobs have finished."""
        for job in self.run(script):
            ended = self.cluster.rest.wait_ended(job, deadline_s=deadline_s)
            assert ended.state == "FINISHED", self.cluster.rest.failure(job)

    def rows(self, query: str) -> list[tuple[object, ...]]:
        """Return the store's answer."""
        table = self.client.sql(query, DATABASE)
        return list(zip(*(column.to_pylist() for column in table.columns), strict=True))

    def wait_rows(
        self, query: str, wanted: list[tuple[object, ...]], *, deadline_s: float = 60.0
    ) -> None:
        """Wait until the store answers so."""
        wait_until(
            f"{query} answering {wanted}",
            lambda: self.rows(query) == wanted,
            deadline_s=deadline_s,
            hint=lambda: f"it answers {self.rows(query)}; {self._failures()}",
        )

    def _failures(self) -> str:
        rest = self.cluster.rest
        failures = [rest.failure(job.id) for job in rest.jobs() if job.state not in ENDED]
        return " | ".join(filter(None, failures))


@pytest.fixture
def flink_store(tmp_path: Path) -> Iterator[StoreProcess]:
    """A store as a process of its own: it can be killed and started again on its port."""
    with StoreProcess(tmp_path / "warehouse") as store:
        yield store


@pytest.fixture
def flink_sql(flink_cluster: SessionCluster, flink_store: StoreProcess) -> Iterator[FlinkSql]:
    """A session with the catalog `dw` in use; its jobs are cancelled after the test."""
    session = Session(cluster_session(flink_cluster.folder, flink_cluster.address))
    with flink_store.client() as client:
        client.ddl(CreateDatabase(DATABASE, if_not_exists=True))
        ddl = places.catalog_ddl("dw", flink_store.endpoint, [("dbname", DATABASE)])
        session.execute_sql(ddl)
        session.execute_sql("USE CATALOG dw")
        yield FlinkSql(session, Runner(session), flink_cluster, flink_store, client)
        for job in flink_cluster.rest.jobs():
            if job.state not in ENDED:
                flink_cluster.rest.cancel(job.id)
