"""A replica beside a writing process that is killed with SIGKILL and started again meanwhile.

`SLUICEWAY_KILLS` says how often, `SLUICEWAY_CRASH_SEED` when.
"""

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kit.killed import rows_of_step
from kit.model import by_content, scanned
from kit.server import wait_for
from kit.store import DATABASE
from sluiceway.catalog import UnavailableError, UserError
from sluiceway.warehouse.replica import Replica

KILLS = int(os.environ.get("SLUICEWAY_KILLS", "3"))
SEED = int(os.environ.get("SLUICEWAY_CRASH_SEED", "1"))
STEPS_MAX = 25


@contextmanager
def writing(folder: Path, step: int) -> Iterator[subprocess.Popen[str]]:
    """A process that prints each acknowledged `step LSN`; the end of the block kills it."""
    with subprocess.Popen(
        [sys.executable, "-m", "kit.killed", str(folder), str(step)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def attached(folder: Path) -> Replica | None:
    """A replica, once the writing process has opened the folder."""
    try:
        return Replica.open(folder)
    except (UnavailableError, UserError):
        return None


def expected(last_step: int) -> list[dict[str, object]]:
    """The rows after a step, in the order of `scanned`."""
    rows: dict[object, dict[str, object]] = {}
    for step in range(last_step + 1):
        rows |= {row["id"]: row for row in rows_of_step(step)}
    return sorted(rows.values(), key=by_content)


def rows_at(replica: Replica, lsn: int) -> list[dict[str, object]]:
    """All rows at an LSN."""
    snapshot = replica.snapshot(lsn)
    return scanned(snapshot, snapshot.table(DATABASE, "orders"))


@pytest.mark.slow
def test_a_replica_lives_through_kills_of_the_writer(tmp_path: Path) -> None:
    folder, step, chance = tmp_path / "data", 0, random.Random(SEED)
    replica: Replica | None = None
    try:
        for kill in range(1, KILLS + 1):
            with writing(folder, step) as process:
                assert process.stdout is not None
                for _ in range(chance.randrange(1, STEPS_MAX)):
                    step, lsn = map(int, process.stdout.readline().split())
                    replica = replica or wait_for("a replica", lambda: attached(folder))
                    assert replica.published >= lsn
                    assert rows_at(replica, lsn) == expected(step)
                process.kill()
                for line in process.stdout:
                    step, lsn = map(int, line.split())
            assert replica is not None
            published = replica.published
            assert replica.identity.incarnation == kill and published >= lsn
            step += published > lsn
            assert rows_at(replica, published) == expected(step)
            step += 1
    finally:
        if replica is not None:
            replica.close()
