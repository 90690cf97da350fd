"""A stage for figures through Flink: jobs with their time by Flink's clock and everybody's CPU.

Invariants:
* A job's time is the `duration` of Flink's REST interface: deployment and the last commit included.
* CPU is user and system time of the store's and the TaskManager's processes, from /proc.
"""

import json
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import psutil
import pyarrow as pa
from rich.console import Console

from kit.benchrows import COLUMNS, batches
from sluiceway.catalog import CreateDatabase, DropTable
from sluiceway.jobs import places
from sluiceway.jobs.processes import find
from sluiceway.jobs.session import rows as rows_of
from sluiceway.jobs.stage import Stage
from sluiceway.jobs.waiting import wait_for
from sluiceway.warehouse.client import Client

DATABASE = "bench"
_JOB_S = 300.0
_POLL_S = 0.05


class WrongResult(Exception):
    """A benchmark came to another result than it must: its figure is worth nothing."""


@dataclass(frozen=True)
class JobTime:
    """What one job took."""

    wall_s: float
    store_cpu_s: float
    task_cpu_s: float


class FlinkBench:
    """A store, a session cluster, MySQL and a SQL session whose current database is `bench`."""

    def __init__(self, folder: Path, rows: int) -> None:
        self.folder = folder
        self.rows = rows
        self.keys = rows // 2
        self._made: set[str] = set()
        self.stage = Stage(folder / "stage", Console(quiet=True))
        self.stage.cluster.settings["metrics.fetcher.update-interval"] = "100"
        self.client: Client

    def __enter__(self) -> Self:
        self.stage.__enter__()
        try:
            self.client = self.stage.store.client()
            self.client.ddl(CreateDatabase(DATABASE))
            options = [("dbname", DATABASE)]
            self.run(places.catalog_ddl(DATABASE, self.stage.store.endpoint, options))
            self.run(f"USE CATALOG {DATABASE}")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: Any) -> None:
        self.stage.__exit__(None, None, None)

    # Tables

    def need(self, *names: str) -> None:
        """Make those tables that are not there yet: `feed`, `orders` and the sink `nowhere`.

        `feed` holds every row, and all rows of a key in one shard, in order; `orders` has taken
        the same rows, each key twice.
        """
        for name in (name for name in names if name not in self._made):
            if name == "nowhere":
                columns = ", ".join(f"{c} {kind}" for c, kind in COLUMNS.items())
                connector = "WITH ('connector'='blackhole')"
                self.run(f"CREATE TEMPORARY TABLE nowhere ({columns}) {connector}")
            elif name == "feed":
                self.create(name, "order_id, seq", shards=2)
                self._load(name)
            else:
                self.create(name, "order_id")
                self._load(name)
            self._made.add(name)

    def create(self, name: str, key: str, *, shards: int = 1) -> None:
        """Create a table of the 14 columns, with shards by `order_id`, a part of the key."""
        columns = ", ".join(
            f"{c} {kind}" + (" NOT NULL" if c in key.split(", ") else "")
            for c, kind in COLUMNS.items()
        )
        properties = f"'table_property.shard_count'='{shards}'"
        properties += ", 'table_property.distribution_key'='order_id'"
        body = f"{columns}, PRIMARY KEY ({key}) NOT ENFORCED"
        self.run(f"CREATE TABLE {name} ({body}) WITH ({properties})")

    def drop(self, name: str) -> None:
        """Drop a table, and its memory."""
        self.client.ddl(DropTable(DATABASE, name))

    # Jobs

    def run(self, script: str) -> list[str]:
        """Run a script; return the ids of the jobs that it submitted."""
        return self.stage.runner.run(script)

    def answer(self, query: str) -> tuple[Any, ...]:
        """Return the one row of a batch query that Flink computes."""
        self.run("SET 'execution.runtime-mode' = 'batch'")
        try:
            [row] = rows_of(self.stage.runner.session.execute_sql(query))
            return row
        finally:
            self.run("SET 'execution.runtime-mode' = 'streaming'")

    def timed(self, insert: str, *, parallelism: int = 1, mode: str = "streaming") -> JobTime:
        """Run a job that ends by itself and return what it took."""
        rest = self.stage.cluster.rest
        self.run(f"SET 'execution.runtime-mode' = '{mode}'")
        self.run(f"SET 'parallelism.default' = '{parallelism}'")
        before = self.cpu_s()
        try:
            [job] = self.run(insert)
            ended = rest.wait_ended(job, deadline_s=_JOB_S)
        finally:
            self.run("SET 'execution.runtime-mode' = 'streaming'; RESET 'parallelism.default'")
        after = self.cpu_s()
        if ended.state != "FINISHED":
            raise WrongResult(f"{insert}: {ended.state}, {rest.failure(job)}")
        wall_s = self._rest(f"/jobs/{job}")["duration"] / 1000
        return JobTime(wall_s, after[0] - before[0], after[1] - before[1])

    def followed(self, insert: str, events: int) -> JobTime:
        """Run a job that never ends until its source has emitted so many events.

        The time is from the first moment at which all tasks ran; it is exact to a tenth of a
        second, the interval of Flink's metrics.
        """
        before = self.cpu_s()
        [job] = self.run(insert)
        try:
            self.stage.cluster.rest.wait_running(job)
            started_s = time.monotonic()
            wait_for(
                f"{events} events",
                lambda: self.emitted(job) >= events or None,
                deadline_s=_JOB_S,
                interval_s=_POLL_S,
                hint=lambda: f"{self.emitted(job)} so far",
            )
            wall_s = time.monotonic() - started_s
            after = self.cpu_s()
            time.sleep(1.0)  # what comes now was too much
            if (found := self.emitted(job)) != events:
                raise WrongResult(f"{insert}: {found} events instead of {events}")
        finally:
            self.stage.cluster.rest.cancel(job)
        return JobTime(wall_s, after[0] - before[0], after[1] - before[1])

    @contextmanager
    def running(self, insert: str) -> Iterator[None]:
        """Let a job run while the block does."""
        rest = self.stage.cluster.rest
        [job] = self.run(insert)
        try:
            rest.wait_running(job)
            yield
        finally:
            rest.cancel(job)

    def emitted(self, job: str) -> int:
        """Return how many records the first source of a job has emitted."""
        vertex = self._rest(f"/jobs/{job}")["vertices"][0]["id"]
        path = f"/jobs/{job}/vertices/{vertex}/subtasks/metrics"
        names = [metric["id"] for metric in self._rest(path)]
        wanted = [n for n in names if n.startswith("Source__") and n.endswith(".numRecordsOut")]
        if not wanted:
            return 0
        [found] = self._rest(f"{path}?get={urllib.parse.quote(wanted[0])}&agg=sum")
        return int(found["sum"])

    def cpu_s(self) -> tuple[float, float]:
        """Return the processor time that the store and the TaskManager have used so far."""
        saved = json.loads((self.stage.cluster.folder / "cluster.json").read_text())
        task = find(saved["processes"]["taskmanager"])
        assert task is not None
        spent = [process.cpu_times() for process in (psutil.Process(self.stage.store.pid), task)]
        return spent[0].user + spent[0].system, spent[1].user + spent[1].system

    def _load(self, table: str) -> None:
        """Write all rows by the Python client."""
        rows = pa.Table.from_batches([*batches(self.rows, self.keys)])
        self.client.write(DATABASE, table, rows)

    def _rest(self, path: str) -> Any:
        url = f"http://{self.stage.cluster.address}{path}"
        with urllib.request.urlopen(url, timeout=10) as response:
            return json.loads(response.read())
