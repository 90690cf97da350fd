"""A random life on a disk that lies, stopped anywhere, several times in a row.

After each stop the folder is opened on what survived. What was acknowledged must be there, the step
that was cut must be there whole or not at all, LSNs must rise, and changelog, look-ups and scans
must tell the same story. `SLUICEWAY_CRASH_POINTS` and `SLUICEWAY_CRASH_SEED` choose at how many
points to stop and which.
"""

import os
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from kit.disk import Crash, Fault, HandClock, LyingDisk
from kit.model import Model, all_rows, looked_up, replayed
from kit.workload import DATABASE, Step, Workload
from sluiceway.catalog import DiskFullError, UnavailableError, UserError
from sluiceway.warehouse import ServerOptions, Warehouse

POINTS = int(os.environ.get("SLUICEWAY_CRASH_POINTS", "240"))
SEED = int(os.environ.get("SLUICEWAY_CRASH_SEED", "1"))
CHUNKS = 8
LIVES = 3
STEPS = 14
ROOT = Path("/warehouse")


@dataclass
class Life:
    """What is known to be durable, and what may be."""

    model: Model = field(default_factory=Model)
    pending: Model | None = None
    acked_lsn: int = 0
    clock: HandClock = field(default_factory=HandClock)


def options(run: Path) -> ServerOptions:
    return ServerOptions(
        data=ROOT, run_dir=run, checkpoint_log_bytes=0, log_file_bytes=4_000, tail_cache_bytes=4_000
    )


def opened(disk: LyingDisk, run: Path, life: Life) -> Warehouse:
    return Warehouse.open(ROOT, options=options(run), disk=disk, clock=life.clock)


def live(disk: LyingDisk, run: Path, life: Life, workload: Workload, steps: int) -> None:
    """Run steps until the disk stops the process, or all were done."""
    try:
        warehouse = opened(disk, run, life)
    except (Crash, UnavailableError, DiskFullError):
        return
    try:
        check(warehouse, life)
        for _ in range(steps):
            life.clock.us += workload.random.randrange(-10, 1_000)
            take(workload.step(life.model), warehouse, life)
    except (Crash, UnavailableError):
        assert disk.dead
    finally:
        with suppress(Crash):
            warehouse.close()


def take(step: Step, warehouse: Warehouse, life: Life) -> None:
    life.pending = life.model.copy()
    step.expect(life.pending)
    try:
        step.run(warehouse)
    except (UnavailableError, DiskFullError) as error:
        if step.name != "checkpoint" or "the log still has everything" not in str(error):
            raise
    except UserError as error:
        assert error.sqlstate == "23502", error
        life.pending = life.model
    life.model, life.pending = life.pending, None
    assert warehouse.published >= life.acked_lsn
    life.acked_lsn = warehouse.published


def check(warehouse: Warehouse, life: Life) -> None:
    """What is shown is what was acknowledged, perhaps with the step that was cut."""
    assert warehouse.published >= life.acked_lsn
    shown = all_rows(warehouse, DATABASE) if warehouse.catalog.databases else {}
    if life.pending is not None and shown != life.model.rows():
        life.model = life.pending
    life.pending = None
    assert shown == life.model.rows()
    for table in warehouse.catalog.tables.values():
        assert replayed(warehouse, table) == shown[table.name]
        if table.primary_key:
            expected = life.model.tables[table.name].keyed
            assert looked_up(warehouse, table, list(expected)) == expected
    life.acked_lsn = warehouse.published


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
def test_nothing_acknowledged_is_lost_and_nothing_is_half_there(
    chunk: int, tmp_path: Path
) -> None:
    for point in range(chunk, POINTS // LIVES, CHUNKS):
        seed = 1_000_003 * SEED + point
        try:
            one_point(seed, tmp_path / "run")
        except BaseException as error:
            error.add_note(f"SLUICEWAY_CRASH_SEED={SEED}, point {point}, seed {seed}")
            raise
