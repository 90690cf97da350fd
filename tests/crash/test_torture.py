"""Reading processes beside a writing one that is killed and started again: no tear, exact totals.

A minute as it is; `SLUICEWAY_SOAK_SECONDS` repeats it with other seeds for that long.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

SEED = int(os.environ.get("SLUICEWAY_CRASH_SEED", "1"))
SOAK_S = float(os.environ.get("SLUICEWAY_SOAK_SECONDS", "0"))
ROUND_S, LIFE_S, READERS = 60.0, 15.0, 2
CHECKS = {"look_up", "scan", "filter", "look_back", "ask", "big", "caught up"}


def started(*arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "kit.bank", *map(str, arguments)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )


def torture(folder: Path, seed: int) -> None:
    """One writer after the other is killed; two readers live through all of them."""
    processes: list[subprocess.Popen[str]] = []
    try:
        writer = started("write", folder, seed)
        readers = [started("read", folder, seed + n, ROUND_S) for n in range(READERS)]
        processes = [writer, *readers]
        while all(reader.poll() is None for reader in readers):
            assert writer.poll() is None, "the writing process died by itself"
            try:
                readers[0].wait(LIFE_S)
            except subprocess.TimeoutExpired:
                writer.kill()
                writer.wait()
                writer = started("write", folder, seed + len(processes))
                processes.append(writer)
        for reader in readers:
            said, _ = reader.communicate(timeout=ROUND_S)
            assert reader.returncode == 0, f"SLUICEWAY_CRASH_SEED={seed}"
            counts = json.loads(said)
            assert counts.keys() >= CHECKS, counts
            assert counts["incarnation"] > 1, counts
    finally:
        for process in processes:
            process.kill()
            process.communicate()


@pytest.mark.slow
def test_reading_processes_beside_a_writing_one(tmp_path: Path) -> None:
    end, seed = time.monotonic() + SOAK_S, SEED
    while seed == SEED or time.monotonic() < end:
        torture(tmp_path / str(seed), seed)
        seed += 1
