"""A random life on a disk that lies, stopped anywhere, several times in a row.

After each stop the folder is opened on what survived. What was acknowledged must be there, the step
that was cut must be there whole or not at all, LSNs must rise, and changelog, look-ups and scans
must tell the same story. `SLUICEWAY_CRASH_POINTS` and `SLUICEWAY_CRASH_SEED` choose at how many
points to stop and which.
"""

import os
from pathlib import Path

import pytest

from kit.disk import Fault, LyingDisk
from kit.lives import Life, check, live, opened
from kit.workload import Workload

POINTS = int(os.environ.get("SLUICEWAY_CRASH_POINTS", "240"))
SEED = int(os.environ.get("SLUICEWAY_CRASH_SEED", "1"))
CHUNKS = 8
LIVES = 3
STEPS = 14


def one_point(seed: int, run: Path) -> None:
    workload, life = Workload(seed), Life()
    chance = workload.random
    disk = LyingDisk(seed, stop_at=chance.randrange(1, 60), fault=chance.choice(list(Fault)))
    for _ in range(LIVES):
        live(disk, run, life, workload, STEPS)
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


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_nothing_acknowledged_is_lost_and_nothing_is_half_there(chunk: int, tmp_path: Path) -> None:
    for point in range(chunk, POINTS // LIVES, CHUNKS):
        seed = 1_000_003 * SEED + point
        try:
            one_point(seed, tmp_path / "run")
        except BaseException as error:
            error.add_note(f"SLUICEWAY_CRASH_SEED={SEED}, point {point}, seed {seed}")
            raise
