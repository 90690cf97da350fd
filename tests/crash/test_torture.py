"""Reading processes beside a writing one, all killed and started again: no tear, exact totals.

A minute as it is; `SLUICEWAY_SOAK_SECONDS` repeats it with other seeds for that long.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

SEED = int(os.environ.get("SLUICEWAY_CRASH_SEED", "1"))
SOAK_S = float(os.environ.get("SLUICEWAY_SOAK_SECONDS", "0"))
ROUND_S, LIFE_S, READERS = 60.0, 15.0, 2
CHECKS = {"look_up", "scan", "filter", "past", "look_back", "ask", "big", "caught up"}


def started(module: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", module, *map(str, arguments)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )


def torture(folder: Path, seed: int) -> None:
    """One writer after the other is killed, and one reader; two readers live through all of it."""
    processes: list[subprocess.Popen[str]] = []

    def start(module: str, *arguments: object) -> subprocess.Popen[str]:
        processes.append(started(module, folder, seed + len(processes), *arguments))
        return processes[-1]

    def write() -> subprocess.Popen[str]:
        writer = start("kit.bank")
        assert writer.stdout is not None
        assert writer.stdout.readline(), "the bank did not open"
        return writer

    try:
        writer = write()
        readers = [start("kit.bankreader", ROUND_S) for _ in range(READERS)]
        mortal = start("kit.bankreader", ROUND_S)
        while all(reader.poll() is None for reader in readers):
            assert writer.poll() is None, "the writing process died by itself"
            assert mortal.poll() in (None, 0), "a reading process died by itself"
            try:
                readers[0].wait(LIFE_S)
            except subprocess.TimeoutExpired:
                for process in (mortal, writer):
                    process.kill()
                    process.wait()
                writer, mortal = write(), start("kit.bankreader", ROUND_S)
        for reader in readers:
            said, _ = reader.communicate(timeout=ROUND_S)
            assert reader.returncode == 0, f"SLUICEWAY_CRASH_SEED={seed}"
            counts = json.loads(said)
            assert counts.keys() >= CHECKS, counts
            assert counts["incarnation"] > 1, counts
            print(f"seed {seed}: {counts}")
    finally:
        for process in processes:
            process.kill()
            process.communicate()


@pytest.mark.slow
def test_reading_processes_beside_a_writing_one(tmp_path: Path) -> None:
    end, seed = time.monotonic() + SOAK_S, SEED
    while seed == SEED or time.monotonic() < end:
        torture(tmp_path / str(seed), seed)
        shutil.rmtree(tmp_path / str(seed))  # a gigabyte each; what fails stays
        seed += 1
