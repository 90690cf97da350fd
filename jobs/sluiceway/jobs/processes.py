"""Child processes: each with a log file, watched while it starts, ended whatever happens.

Invariants:
* A *tied* child dies with this process, even by SIGKILL (the kernel's parent-death signal).
* A process is named by pid and start time, so a stale pid file never ends a stranger.
* `end` returns only when the process is gone: SIGTERM, then SIGKILL after the grace.
"""

import os
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil

from sluiceway.catalog import UnavailableError

# Run in a process of its own, since code between fork and exec may wait for ever for a lock that
# another thread of this process held: asks the kernel for SIGKILL (9) at the parent's death
# (PR_SET_PDEATHSIG, 1) and becomes the command, unless the parent died meanwhile.
_TIE = (
    "import ctypes, os, sys; ctypes.CDLL(None).prctl(1, 9); "
    "os.getppid() == int(sys.argv[1]) or sys.exit(9); os.execvp(sys.argv[2], sys.argv[2:])"
)
GRACE_S = 10.0


def free_port(host: str = "127.0.0.1") -> int:
    """Return a TCP port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def port_answers(host: str, port: int, timeout_s: float = 1.0) -> bool:
    """Tell whether something accepts connections on a port."""
    try:
        with socket.create_connection((host, port), timeout=timeout_s):
            return True
    except OSError:
        return False


class Child:
    """One child process and the file that its output goes to."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        tied: bool = True,
    ) -> None:
        self.name = name
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        self._start_offset = log.stat().st_size if log.exists() else 0
        if tied:
            command = [sys.executable, "-I", "-S", "-c", _TIE, str(os.getpid()), *command]
        with log.open("ab") as output:
            self.process = psutil.Popen(
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=None if env is None else {**os.environ, **env},
                start_new_session=True,  # Ctrl-C is ours to pass on, in our order
            )

    @property
    def pid(self) -> int:
        """Return the process id."""
        return int(self.process.pid)

    def check(self) -> None:
        """Raise if the process has ended, with the last lines that it wrote."""
        code = self.process.poll()
        if code is not None:
            raise UnavailableError(f"{self.name} ended with code {code}: {self.last_words()}")

    def output(self) -> str:
        """Return what this process has written so far."""
        with self.log.open("rb") as log:
            log.seek(self._start_offset)
            return log.read().decode(errors="replace")

    def last_words(self, lines: int = 5) -> str:
        """Return the end of the log, for error messages."""
        tail = [line for line in self.output().splitlines() if line.strip()][-lines:]
        return " / ".join(tail) or f"no output, see {self.log}"

    def kill(self) -> None:
        """SIGKILL, and wait until the process is gone."""
        self.process.kill()
        self.process.wait(timeout=GRACE_S)

    def stop(self, grace_s: float = GRACE_S) -> None:
        """End the process, gently first."""
        end(self.process, grace_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def end(process: Any, grace_s: float = GRACE_S) -> None:
    """SIGTERM, then SIGKILL after the grace; a process that is gone already is fine."""
    try:
        process.terminate()
        process.wait(timeout=grace_s)
    except psutil.NoSuchProcess:
        return
    except (psutil.TimeoutExpired, subprocess.TimeoutExpired):
        process.kill()
        process.wait(timeout=grace_s)


def identity(pid: int) -> dict[str, float]:
    """Return what names a running process for good: its pid and its start time."""
    return {"pid": pid, "started": psutil.Process(pid).create_time()}


def find(saved: Mapping[str, float] | None) -> Any | None:
    """Return the running process of a saved identity, None if it is gone."""
    if saved is None:
        return None
    try:
        process = psutil.Process(int(saved["pid"]))
        same = abs(process.create_time() - saved["started"]) < 1.0
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.NoSuchProcess:
        return None
