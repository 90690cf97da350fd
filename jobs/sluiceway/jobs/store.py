"""The store as a child process, and the endpoint of a store that runs already.

Invariants:
* A store that was killed comes back on its port: the clients' address stays true.
* The endpoint of a data folder is what its LOCK says while the process in it lives.
"""

import json
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from sluiceway.catalog import UnavailableError
from sluiceway.jobs.processes import Child
from sluiceway.jobs.waiting import wait_for
from sluiceway.warehouse.client import Client

_START_S = 300.0  # the first start on a machine compiles kernels


class StoreProcess:
    """`sluiceway serve` on a data folder, as a child."""

    def __init__(self, data: Path, *, port: int | None = None, log: Path | None = None) -> None:
        self.data = data.absolute()
        self.port = port
        self.log = log or self.data.with_name(self.data.name + ".log")
        self._child: Child | None = None
        self._endpoint = ""

    @property
    def endpoint(self) -> str:
        """Return `host:port` of the store that runs."""
        if not self._endpoint:
            raise UnavailableError(f"the store of {self.data} is not running")
        return self._endpoint

    @property
    def pid(self) -> int:
        """Return the process id of the store that runs."""
        assert self._child is not None
        return self._child.pid

    def start(self, *, deadline_s: float = _START_S) -> Self:
        """Start the store and wait until it says where it listens."""
        command = [sys.executable, "-m", "sluiceway.warehouse.server", "--data", str(self.data)]
        if self.port is not None:
            command += ["--port", str(self.port)]
        child = Child("the store", command, log=self.log)
        self._child = child
        try:
            self._endpoint = wait_for(
                "the store being ready",
                lambda: _announced(child),
                deadline_s=deadline_s,
                hint=child.last_words,
            )
        except BaseException:
            self.stop()
            raise
        self.port = int(self._endpoint.rpartition(":")[2])
        return self

    def kill(self) -> None:
        """SIGKILL: what was acknowledged is on disk, nothing else is."""
        assert self._child is not None
        self._child.kill()

    def stop(self) -> None:
        """End the store; it writes a checkpoint first."""
        if self._child is not None:
            self._child.stop(grace_s=30.0)
            self._child = None

    def client(self) -> Client:
        """Return a new client of the store."""
        return Client(self.endpoint)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def _announced(child: Child) -> str | None:
    """Return the endpoint from the line of JSON that a store prints when it is ready."""
    child.check()
    for line in child.output().splitlines():
        if line.startswith("{") and '"endpoint"' in line:
            return plain(str(json.loads(line)["endpoint"]))
    return None


def plain(endpoint: str) -> str:
    """Return `host:port` of an endpoint that may be written `grpc://host:port`."""
    return endpoint.rpartition("//")[2].rstrip("/")
