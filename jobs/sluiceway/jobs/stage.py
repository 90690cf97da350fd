"""What the demo plays on: MySQL, a store, a Flink cluster and a session, up and down together.

Invariants:
* Whatever was started is stopped when the stage is left: by success, failure, Ctrl-C or SIGTERM.
  If this process is killed outright the kernel ends the children.
* Children are started by the main thread, which lives as long as they may (processes.py).
* Everything is in one folder; a folder of the stage's own making is removed at the end.
"""

import shutil
import signal
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Self

from rich.console import Console

from sluiceway.catalog import CreateDatabase
from sluiceway.jobs import mysql, places
from sluiceway.jobs.cluster import SessionCluster
from sluiceway.jobs.mysql import MySQL
from sluiceway.jobs.runner import Runner
from sluiceway.jobs.script import cluster_session
from sluiceway.jobs.session import Session
from sluiceway.jobs.store import StoreProcess
from sluiceway.jobs.tutorial import script

DATABASE = "order_dw"


class Stage:
    """The four parts of the pipeline, started together."""

    def __init__(self, folder: Path | None, console: Console, *, apt: bool = False) -> None:
        self._own = folder is None
        self.folder = (folder or Path(tempfile.mkdtemp(prefix="sluiceway-demo-"))).absolute()
        self.console = console
        data = self.folder / "warehouse"
        self.store = StoreProcess(data)
        self.cluster = SessionCluster(places.flink_folder(data), tied=True)
        self.mysql = MySQL(self.folder / "mysql", apt=apt)
        self.started_s = time.monotonic()
        self._stack = ExitStack()
        self._runner: Runner | None = None

    @property
    def runner(self) -> Runner:
        """Return the SQL runner; its first use starts PyFlink's JVM."""
        if self._runner is None:
            folder = self.cluster.folder
            session = Session(cluster_session(folder, self.cluster.address))
            self._runner = Runner(session, say=self.quiet)
        return self._runner

    def say(self, text: str) -> None:
        """Print a line with the time since the start before it."""
        elapsed = f"[dim]{time.monotonic() - self.started_s:6.1f} s[/]"
        self.console.print(f"{elapsed}  {text}", soft_wrap=True)

    def quiet(self, text: str) -> None:
        """Print what a statement did, indented and dim."""
        for line in text.splitlines():
            self.console.print(f"          {line}", style="dim", markup=False, soft_wrap=True)

    def run(self, name: str) -> list[str]:
        """Run one of the demo's SQL files; return the ids of the jobs that it submitted."""
        variables = {
            "endpoint": self.store.endpoint,
            "mysql_host": mysql.HOST,
            "mysql_port": str(self.mysql.port),
            "mysql_user": mysql.USER,
            "mysql_password": mysql.PASSWORD,
        }
        return self.runner.run(script(name), origin=name, variables=variables)

    def __enter__(self) -> Self:
        before = signal.signal(signal.SIGTERM, _interrupt)
        self._stack.callback(signal.signal, signal.SIGTERM, before)
        self._stack.callback(self._clean)
        try:
            self._start()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def _start(self) -> None:
        """Start Flink first, since it takes longest, and wait for it last."""
        self._stack.callback(self.store.stop)
        self._stack.callback(self.mysql.stop)
        self._stack.callback(self.cluster.stop)
        self.cluster.launch()
        self.mysql.start()
        self.say(f"MySQL answers on port {self.mysql.port}, with a row binlog")
        self.store.start()
        with self.store.client() as client:  # as in Hologres' console: Flink's catalog needs it
            client.ddl(CreateDatabase(DATABASE, if_not_exists=True))
        self.say(f"the store listens on {self.store.endpoint}")
        address = self.cluster.wait_ready()
        self.say(f"Flink is ready: http://{address}")

    def _clean(self) -> None:
        if self._own:
            shutil.rmtree(self.folder, ignore_errors=True)


def _interrupt(number: int, frame: FrameType | None) -> Any:
    raise KeyboardInterrupt
