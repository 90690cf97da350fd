"""A source database in a real MariaDB, and its sync into a warehouse of the same name."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from kit.flink import FlinkSql
from sluiceway.catalog import SluicewayError
from sluiceway.jobs.flinkrest import ENDED
from sluiceway.jobs.mysql import HOST, PASSWORD, USER, MySQL
from sluiceway.jobs.session import rows
from sluiceway.jobs.waiting import wait_until


@dataclass
class Sync:
    """One source database, synced into one of the same name."""

    sql: FlinkSql
    mysql: MySQL
    database: str

    def start(self, **arguments: object) -> str:
        """Start the sync and return its job."""
        (answer,) = self.call(**arguments)
        return str(answer[0])

    def call(self, **arguments: object) -> list[tuple[Any, ...]]:
        """CALL sync_database with the arguments of this database and more."""
        given = {
            "hostname": HOST,
            "port": self.mysql.port,
            "username": USER,
            "password": PASSWORD,
            "database": self.database,
        } | arguments
        body = ", ".join(f"`{name}` => {_literal(value)}" for name, value in given.items())
        return rows(self.sql.session.execute_sql(f"CALL dw.sys.sync_database({body})"))

    def source(self, script: str) -> None:
        """Change the source database."""
        self.mysql.run(script, self.database)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Ask the warehouse."""
        table = self.sql.client.sql(query, self.database)
        return list(zip(*(column.to_pylist() for column in table.columns), strict=True))

    def wait_rows(self, query: str, wanted: list[tuple[Any, ...]]) -> None:
        """Wait until the warehouse answers so; a table or column may still be on its way."""
        answer: list[object] = []

        def holds() -> bool:
            try:
                answer[:] = self.rows(query)
            except SluicewayError as error:
                answer[:] = [error]
            return answer == wanted

        wait_until(query, holds, deadline_s=60.0, hint=lambda: f"{answer}; {self.failures()}")

    def wait_same(self, query: str) -> None:
        """Wait until both sides answer a query alike."""

        def same() -> bool:
            return self.rows(query) == self.mysql.query(query, self.database)

        wait_until(f"both sides agree on {query}", same, deadline_s=90.0, hint=self.failures)

    def wait_failure(self, job: str) -> str:
        """Wait until a job has failed for good, and return why."""
        assert self.sql.cluster.rest.wait_ended(job).state == "FAILED"
        return self.sql.cluster.rest.failure(job)

    def failures(self) -> str:
        """What the jobs have failed of."""
        rest = self.sql.cluster.rest
        return " | ".join(filter(None, (rest.failure(job.id) for job in rest.jobs())))


def _literal(value: object) -> str:
    if isinstance(value, bool):
        return str(value).upper()
    return str(value) if isinstance(value, int) else "'" + str(value).replace("'", "''") + "'"


@pytest.fixture
def sync(flink_sql: FlinkSql, mysql_server: MySQL, mysql_database: str) -> Iterator[Sync]:
    """A sync that is not started yet; its jobs end before the source database is dropped."""
    made = Sync(flink_sql, mysql_server, mysql_database)
    yield made
    for job in flink_sql.cluster.rest.jobs():
        if job.state not in ENDED:
            flink_sql.cluster.rest.cancel(job.id)
