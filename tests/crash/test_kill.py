"""A real process on a real disk, killed with SIGKILL at a random moment while it writes.

`SLUICEWAY_KILLS` says how often, `SLUICEWAY_CRASH_SEED` when.
"""

import os
import random
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from kit.killed import rows_of_step
from kit.model import all_rows, replayed
from kit.store import DATABASE
from sluiceway.warehouse import Warehouse

KILLS = int(os.environ.get("SLUICEWAY_KILLS", "3"))
SEED = int(os.environ.get("SLUICEWAY_CRASH_SEED", "1"))
STEPS_MAX = 30
PAUSE_MAX_S = 0.05


def write_and_kill(folder: Path, step: int, chance: random.Random) -> tuple[int, int]:
    """Let a process write from `step` on and kill it; returns its last step and LSN."""
    steps = chance.randrange(1, STEPS_MAX)
    with subprocess.Popen(
        [sys.executable, "-m", "kit.killed", str(folder), str(step)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as process:
        assert process.stdout is not None
        try:
            lines = [process.stdout.readline() for _ in range(steps)]
            with suppress(subprocess.TimeoutExpired):
                process.wait(chance.random() * PAUSE_MAX_S)
        finally:
            process.kill()
        lines += process.stdout.read().splitlines(keepends=True)
    last = [line for line in lines if line.endswith("\n")][-1]
    acked, lsn = last.split()
    return int(acked), int(lsn)


def expected_rows(last_step: int) -> list[dict[str, object]]:
    rows: dict[object, dict[str, object]] = {}
    for step in range(last_step + 1):
        rows |= {row["id"]: row for row in rows_of_step(step)}
    return list(rows.values())


@pytest.mark.slow
def test_what_a_killed_process_acknowledged_is_there(tmp_path: Path) -> None:
    folder, step, chance = tmp_path / "data", 0, random.Random(SEED)
    for _ in range(KILLS):
        acked, lsn = write_and_kill(folder, step, chance)
        warehouse = Warehouse.open(folder)
        try:
            shown = {row["id"]: row for row in all_rows(warehouse, DATABASE)["orders"]}
            table = warehouse.catalog.table(DATABASE, "orders")
            assert warehouse.published >= lsn
            done = acked + 1 if warehouse.published > lsn else acked
            assert shown == {row["id"]: row for row in expected_rows(done)}
            assert {row["id"]: row for row in replayed(warehouse, table)} == shown
        finally:
            warehouse.close()
        step = done + 1
