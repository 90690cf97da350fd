"""Servers for tests: one inside the test's process, one in its own that can be killed.

Both listen on 127.0.0.1 at a port of the system's choice, keep their data under the test's tmp_path
and are gone when the test is, whether it passed or not.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest

from sluiceway.warehouse.client import Client
from sluiceway.warehouse.server import FlightServer
from sluiceway.warehouse.store import Warehouse

STOP_S = 30.0


@dataclass(frozen=True)
class Served:
    """A warehouse, the server before it in this process, and a client of it."""

    warehouse: Warehouse
    server: FlightServer
    client: Client


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """An empty warehouse, served by this process."""
    warehouse = Warehouse.open(tmp_path / "data")
    try:
        server = FlightServer(warehouse)
        try:
            with Client(server.endpoint) as client:
                yield Served(warehouse, server, client)
        finally:
            server.close()
    finally:
        warehouse.close()


class ServerProcess:
    """A server in a process of its own, which remembers its port across restarts."""

    def __init__(self, data: Path, *arguments: str) -> None:
        self.data = data
        self._arguments = arguments
        self.port = 0
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start the process and wait for its ready line."""
        assert self._process is None
        command = [sys.executable, "-m", "sluiceway.warehouse.server"]
        command += ["--data", str(self.data), "--port", str(self.port), *self._arguments]
        with open(self.data.with_suffix(".err"), "a") as err:
            self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=err, text=True)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the server did not start: {self.errors()}")
        self.endpoint: str = json.loads(line)["endpoint"]
        self.port = int(self.endpoint.rpartition(":")[2])

    def errors(self) -> str:
        """What all runs of the process wrote to stderr."""
        return self.data.with_suffix(".err").read_text()

    def kill(self) -> None:
        """End the process as a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """Ask the process to end; return its exit code."""
        return self._end(signal.SIGTERM)

    def client(self) -> Client:
        """A client of the server as it runs now."""
        return Client(self.endpoint)

    def _end(self, number: signal.Signals) -> int:
        os.kill(self.pid, number)
        return self.wait()

    @property
    def pid(self) -> int:
        """The process id while it runs."""
        assert self._process is not None
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether a process was started and has not been ended by us."""
        return self._process is not None

    def wait(self) -> int:
        """Wait for the process to end by itself; return its exit code."""
        process, self._process = self._process, None
        assert process is not None
        try:
            return process.wait(STOP_S)
        except subprocess.TimeoutExpired as error:
            process.send_signal(signal.SIGABRT)  # stderr says where each thread is
            process.wait()
            error.add_note(self.errors())
            raise
        finally:
            process.kill()
            process.wait()
            assert process.stdout is not None
            process.stdout.close()


@pytest.fixture
def server_process(tmp_path: Path) -> Iterator[ServerProcess]:
    """A running server of an empty warehouse, in its own process."""
    process = ServerProcess(tmp_path / "data")
    process.start()
    try:
        yield process
    finally:
        if process.running:
            process.kill()


T = TypeVar("T")


def wait_for(what: str, ask: Callable[[], T | None], deadline_s: float = 30.0) -> T:
    """Ask until the answer is not None or False; fail by name at the deadline."""
    end = time.monotonic() + deadline_s
    while time.monotonic() < end:
        answer = ask()
        if answer is not None and answer is not False:
            return answer
        time.sleep(0.01)
    raise AssertionError(f"not within {deadline_s} s: {what}")
