"""A random life on a disk that lies, stopped anywhere, several times in a row.

After each stop the folder is opened on what survived. What was acknowledged must be there, the step
that was cut must be there whole or not at all, LSNs must rise, and changelog, look-ups and scans
must tell the same story. A crash point is a chosen effect that was reached: a stop, a failed sync
or a full disk there. `SLUICEWAY_CRASH_POINTS` says how many to try, `SLUICEWAY_CRASH_SEED` which; a
failure names seed, life and step, and the same numbers repeat it. `make quick` runs chunk 0 alone.
"""

import os
from pathlib import Path

import pytest

from kit.disk import Fault, LyingDisk
from kit.lives import Life, check, live, opened
from kit.workload import Workload

POINTS = int(os.environ.get("SLUICEWAY_CRASH_POINTS", "2000"))
SEED = int(os.environ.get("SLUICEWAY_CRASH_SEED", "1"))
CHUNK_POINTS = 240
CHUNKS = [
    pytest.param(chunk, marks=[pytest.mark.slow] if chunk else [])
    for chunk in range(-(-POINTS // CHUNK_POINTS))
]
LIVES = 3
STEPS = 14


def live_through(seed: int, run: Path, life: Life) -> int:
    """Live, crash and start again, some times over; returns how many crash points that were."""
    workload, points = Workload(seed), 0
    chance = workload.random
    disk = LyingDisk(seed, stop_at=chance.randrange(1, 60), fault=chance.choice(list(Fault)))
    for _ in range(LIVES):
        live(disk, run, life, workload, STEPS)
        points += disk.struck
        chosen = {"stop_at": chance.randrange(1, 90), "fault": chance.choice(list(Fault))}
        if chance.random() < 0.5:
            disk = disk.after_kill(**chosen)
        else:
            disk = disk.after_power_loss(**chosen)
    sound = disk.after_kill()
    for _ in range(2):
        warehouse = opened(sound, run, life)
        check(warehouse, life)
        warehouse.close()
        sound = sound.after_power_loss()
    return points


@pytest.mark.parametrize("chunk", CHUNKS)
def test_nothing_acknowledged_is_lost_and_nothing_is_half_there(
    chunk: int, run_folder: Path
) -> None:
    left = min(CHUNK_POINTS, POINTS - chunk * CHUNK_POINTS)
    seed = 1_000_003 * SEED + chunk * CHUNK_POINTS
    while left > 0:
        life = Life()
        try:
            left -= live_through(seed, run_folder, life)
        except BaseException as error:
            where = f"life {life.starts}, step {life.steps} ({life.step})"
            error.add_note(f"SLUICEWAY_CRASH_SEED={SEED}, chunk {chunk}, seed {seed}, {where}")
            raise
        seed += 1
