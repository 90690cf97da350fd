"""Figures of benchmarks: printed for people, appended to `bench.jsonl` for machines."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

BENCH_FILE = Path("bench.jsonl")


@dataclass(frozen=True)
class Timing:
    """How long something took: by the clock on the wall and in processor time."""

    wall_s: float
    cpu_s: float


def timed(work: Callable[[], None]) -> Timing:
    """Run `work` once and return what it took."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return Timing(time.perf_counter() - wall, time.process_time() - cpu)


def record(name: str, value: float, unit: str) -> None:
    """Print a figure and append it to `bench.jsonl` in the working directory."""
    print(f"{name:<48} {value:>14,.2f} {unit}", flush=True)
    with BENCH_FILE.open("a") as file:
        file.write(json.dumps({"name": name, "value": value, "unit": unit}) + "\n")


def record_rows(name: str, rows: int, timing: Timing) -> None:
    """Record rows a second and processor time a row."""
    record(f"{name}.rows_per_s", rows / timing.wall_s, "rows/s")
    record(f"{name}.cpu_us_per_row", timing.cpu_s / rows * 1e6, "us")
