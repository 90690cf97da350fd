"""What a cluster's folder holds before any JVM runs, and how Flink's errors are read."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sluiceway.catalog import UnavailableError
from sluiceway.jobs import processes
from sluiceway.jobs.cluster import SessionCluster, open_flags
from sluiceway.jobs.flinkrest import FlinkRest, root_line
from sluiceway.jobs.processes import Child, free_port
from sluiceway.jobs.waiting import wait_for, wait_until


def test_a_cluster_that_never_started_says_how_to_start_one(tmp_path: Path) -> None:
    cluster = SessionCluster(tmp_path)
    with pytest.raises(UnavailableError, match="sluiceway flink start"):
        cluster.address  # noqa: B018
    assert not cluster.runs()
    assert not cluster.stop()


def test_an_address_where_nothing_answers_is_named() -> None:
    rest = FlinkRest(f"http://127.0.0.1:{free_port()}/")
    assert not rest.answers()
    with pytest.raises(UnavailableError, match=rest.address):
        rest.jobs()


def test_pyflinks_own_flags_are_used() -> None:
    assert "--add-opens=java.base/java.nio=ALL-UNNAMED" in open_flags()


@pytest.mark.parametrize(
    ("trace", "line"),
    [
        (
            "org.apache.flink.ValidationException: SQL validation failed.\n\tat a.b(C.java:1)\n"
            "Caused by: org.x.CalciteException: Column 'nope' not found\n\tat d.e(F.java:2)\n",
            "Column 'nope' not found",
        ),
        (
            "a.B: outer\nCaused by: a.C: types differ.\n\nQuery: [a]\nSink: [b]\n\t... 5 more",
            "types differ. Query: [a] Sink: [b]",
        ),
        ("a.b.NullPointerException", "a.b.NullPointerException"),
        ("no class: but a sentence", "no class: but a sentence"),
        ("", "unknown cause"),
    ],
)
def test_the_innermost_cause_is_what_counts(trace: str, line: str) -> None:
    assert root_line(trace) == line


def test_a_wait_that_ends_in_vain_says_what_for() -> None:
    with pytest.raises(UnavailableError, match=r"a miracle: not within 0 s \(seen: nothing\)"):
        wait_until("a miracle", lambda: False, deadline_s=0, hint=lambda: "seen: nothing")
    assert wait_for("a value", lambda: 5, deadline_s=0) == 5


def test_a_child_that_ends_at_once_is_reported_with_its_last_words(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import sys; print('out of luck'); sys.exit(3)"]
    with Child("the child", command, log=tmp_path / "log") as child:
        child.process.wait(timeout=30)
        with pytest.raises(UnavailableError, match="ended with code 3: out of luck"):
            child.check()


def test_a_child_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True)"
    command = [sys.executable, "-c", f"{code}; time.sleep(600)"]
    child = Child("the child", command, log=tmp_path / "log")
    wait_until("the child", lambda: "up" in child.output(), deadline_s=30)
    child.stop(grace_s=0.2)
    assert child.process.poll() == -9


def test_a_tied_child_dies_with_its_parent(tmp_path: Path) -> None:
    parent = (
        "import sys, pathlib; from sluiceway.jobs.processes import Child; "
        f"child = Child('c', ['sleep', '600'], log=pathlib.Path({str(tmp_path / 'log')!r})); "
        "print(child.pid, flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", parent], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        saved = processes.identity(int(process.stdout.readline()))
        assert processes.find(saved) is not None
        process.kill()
    wait_until("the end of the child", lambda: processes.find(saved) is None, deadline_s=30)


def test_a_stranger_with_the_same_pid_is_not_ours() -> None:
    saved = processes.identity(os.getpid())
    assert processes.find(saved) is not None
    assert processes.find({**saved, "started": saved["started"] - 100}) is None
    assert processes.find(None) is None
