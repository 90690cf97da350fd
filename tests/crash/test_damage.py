"""One bit is damaged somewhere in a closed warehouse: it is named, or it does no harm."""

import os
import random
from pathlib import Path

import pytest

from kit.disk import LyingDisk
from kit.lives import Life, live, opened
from kit.model import all_rows, check_changelog
from kit.workload import DATABASE, Workload
from sluiceway.catalog import CorruptionError, UserError

SEED = int(os.environ.get("SLUICEWAY_CRASH_SEED", "1"))
FLIPS = int(os.environ.get("SLUICEWAY_DAMAGE_POINTS", "64"))
CHUNKS = 4


def closed_warehouse(seed: int, run: Path) -> tuple[LyingDisk, Life]:
    disk, life, workload = LyingDisk(seed), Life(), Workload(seed)
    for _ in range(2):
        live(disk, run, life, workload, 12)
    return disk, life


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_a_flipped_bit_is_named_or_harmless(chunk: int, run_folder: Path) -> None:
    chance = random.Random(SEED + chunk)
    disk, life = closed_warehouse(SEED + chunk, run_folder)
    expected = life.model.rows()
    named = 0
    for _ in range(FLIPS // CHUNKS):
        copy = disk.after_power_loss()
        path, size = chance.choice(list(copy.files().items()))
        at, bit = chance.randrange(size), chance.randrange(8)
        copy.flip(path, at, bit)
        try:
            warehouse = opened(copy, run_folder, life)
        except (CorruptionError, UserError) as error:
            named += 1
            assert error.sqlstate in ("XX001", "0A000"), (path, at, bit)
            continue
        try:
            assert all_rows(warehouse, DATABASE) == expected, (path, at, bit)
            for table in warehouse.catalog.tables.values():
                check_changelog(warehouse, table, expected[table.name])
        except CorruptionError as error:
            named += 1
            assert path.name in str(error), (path, at, bit)
        finally:
            warehouse.close()
    assert named > 0


def test_the_manifest_before_serves_when_the_newest_is_damaged(run_folder: Path) -> None:
    disk, life = closed_warehouse(SEED + 99, run_folder)
    newest = max(path for path in disk.files() if path.suffix == ".manifest")
    disk.flip(newest, 200, 1)
    warehouse = opened(disk.after_kill(), run_folder, life)
    try:
        assert all_rows(warehouse, DATABASE) == life.model.rows()
    finally:
        warehouse.close()
    warehouse = opened(disk.after_kill(), run_folder, life)
    warehouse.close()
