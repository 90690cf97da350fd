"""Reading processes beside a writing one: started, watched, and started again when they die.

Invariants: a child lives no longer than this process, for it ends when its stdin does; one that
cannot be started or watched is ended and tried again (`background.py`); an endpoint
is told only while its process answers there; one that dies costs nobody but its own clients.
"""

import json
import logging
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass, replace

from sluiceway.warehouse.background import Background, TaskStats
from sluiceway.warehouse.options import ServerOptions

log = logging.getLogger(__name__)

RESTART_S = 1.0
STOP_S = 10.0

# The writing process and what computes beside it, such as Flink, have use for a core each; a
# reading process takes some 200 MB.
CORES_OF_OTHERS, READERS_MOST = 2, 4


def spare_readers(cores: int) -> int:
    """Return how many reading processes so many cores are enough for."""
    return min(max(cores - CORES_OF_OTHERS, 0), READERS_MOST)


@dataclass(frozen=True)
class ReadingStats:
    """How many processes there should be, which answer, and how often one was started."""

    wanted: int
    endpoints: tuple[str, ...]
    started: int


class ReadingProcesses:
    """`--read-only` servers of one folder as children, each kept alive by a thread."""

    def __init__(self, options: ServerOptions, count: int) -> None:
        self._command = [
            sys.executable, "-m", "sluiceway.warehouse.server", "--read-only", "--with-parent",
            *replace(options, port=0).arguments("readers"),
        ]  # fmt: skip
        self._lock = threading.Lock()
        self._children: dict[int, subprocess.Popen[str]] = {}
        self._endpoints: dict[int, str] = {}
        self._started = 0
        self._closing = False
        self._threads = [self._keeper(number) for number in range(count)]

    def _keeper(self, number: int) -> Background:
        return Background(f"reading-{number}", lambda: self._keep(number))

    def start(self) -> None:
        """Start all of them; each is told by `endpoints` once it answers."""
        for thread in self._threads:
            thread.start()

    def endpoints(self) -> tuple[str, ...]:
        """Where they answer now."""
        with self._lock:
            return tuple(self._endpoints[number] for number in sorted(self._endpoints))

    def close(self) -> None:
        """End all of them."""
        with self._lock:
            self._closing = True
            for child in self._children.values():
                assert child.stdin is not None
                child.stdin.close()
        for thread in self._threads:
            thread.close(timeout_s=STOP_S)
        for child in self._children.values():
            child.kill()

    def stats(self) -> ReadingStats:
        """What runs."""
        return ReadingStats(len(self._threads), self.endpoints(), self._started)

    def background(self) -> list[TaskStats]:
        """How the threads do that keep them."""
        return [thread.stats() for thread in self._threads]

    def _keep(self, number: int) -> None:
        """Have one process, from its start to a while after its end."""
        child = self._start(number)
        if child is not None:
            code = self._watch(number, child)
            if not self._closing:
                log.warning(
                    "reading process %d (pid %d) ended %s; another one starts",
                    number, child.pid, _how(code),
                )  # fmt: skip
        self._threads[number].rest(RESTART_S)

    def _start(self, number: int) -> subprocess.Popen[str] | None:
        with self._lock:
            if self._closing:
                return None
            child = subprocess.Popen(
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
            self._children[number] = child
            self._started += 1
            return child

    def _watch(self, number: int, child: subprocess.Popen[str]) -> int:
        """Tell where a child answers until it ends; return its exit code."""
        assert child.stdout is not None
        try:
            line = child.stdout.readline()
            if line:
                with self._lock:
                    self._endpoints[number] = json.loads(line)["endpoint"]
            return child.wait()
        finally:
            with self._lock:
                self._endpoints.pop(number, None)
            child.kill()  # nothing, but for one that could not be watched
            child.stdout.close()


def _how(code: int) -> str:
    """Say how a process ended."""
    return f"with code {code}" if code >= 0 else f"by {signal.Signals(-code).name}"
