"""The budget of memory: who waits, what is done for them, when they are refused."""

import json
import os
import subprocess
import sys
import threading
import uuid
from dataclasses import dataclass
from pathlib import Path

import pytest

from kit.disk import HandClock
from kit.server import wait_for
from kit.store import Shop, orders
from sluiceway.catalog import UnavailableError
from sluiceway.warehouse.budget import MEASURE_BYTES, WAIT_S, Budget
from sluiceway.warehouse.disk import run_path
from sluiceway.warehouse.resident import Resident, given_bytes, resident, trim_heap

LIMIT = 1 << 30


@dataclass
class Process:
    """A process as a budget sees it: what it holds, and what was asked of it."""

    holds_bytes: int
    clock: HandClock
    gives_bytes: int = 0
    pressed: int = 0
    relieved: int = 0

    def measure(self) -> Resident:
        return Resident(self.holds_bytes, 0)

    def press(self) -> None:
        self.pressed += 1

    def relieve(self) -> None:
        """Give back what there is; ten seconds pass."""
        self.relieved += 1
        self.holds_bytes -= self.gives_bytes
        self.clock.us += 10_000_000

    def budget(self) -> Budget:
        return Budget(LIMIT, self.measure, self.press, self.relieve, self.clock)


def test_nobody_waits_while_there_is_room() -> None:
    process = Process(LIMIT // 2, HandClock())
    budget = process.budget()
    for _ in range(3):
        budget.enter(MEASURE_BYTES)
        budget.leave(MEASURE_BYTES)
    assert (process.pressed, process.relieved) == (0, 0)
    assert budget.stats().line_bytes == budget.stats().waits == 0


def test_a_checkpoint_is_asked_for_before_anybody_waits() -> None:
    process = Process(LIMIT * 13 // 16, HandClock())
    process.budget().enter(MEASURE_BYTES)
    assert (process.pressed, process.relieved) == (1, 0)


def test_a_write_makes_room_and_goes_on() -> None:
    process = Process(LIMIT, HandClock(), gives_bytes=LIMIT // 16)
    budget = process.budget()
    budget.enter(1)
    assert process.relieved == 2
    stats = budget.stats()
    assert (stats.waits, stats.refused, stats.line_bytes) == (1, 0, 1)


def test_a_write_is_refused_after_a_long_wait_and_the_next_one_goes_on() -> None:
    process = Process(LIMIT, HandClock())
    budget = process.budget()
    with pytest.raises(UnavailableError, match=f"for {WAIT_S:.0f} s: repeat the write") as caught:
        budget.enter(1)
    assert caught.value.retry
    assert (budget.stats().refused, budget.stats().line_bytes) == (1, 0)
    process.holds_bytes = 0
    budget.enter(1)
    assert budget.stats().line_bytes == 1


def test_the_line_is_bounded_but_for_a_single_write() -> None:
    budget = Process(0, HandClock()).budget()
    budget.enter(LIMIT)
    entered = threading.Event()

    def second() -> None:
        budget.enter(1)
        entered.set()

    thread = threading.Thread(target=second)
    thread.start()
    assert not entered.is_set()
    budget.leave(LIMIT)
    thread.join()
    assert entered.is_set()
    assert budget.stats().line_bytes == 1


def test_a_process_is_measured_without_its_page_cache(tmp_path: Path) -> None:
    trim_heap()
    before = resident()
    block = bytearray(64 << 20)
    block[:: 1 << 12] = b"x" * (len(block) >> 12)
    assert resident().heap_bytes >= before.heap_bytes + (48 << 20)
    assert given_bytes() > resident().total_bytes > 0
    del block


def test_the_run_folder_leaves_a_tmpfs_that_is_too_small(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sluiceway.warehouse.disk._SHARED_MEMORY", tmp_path)
    data, me = tmp_path / "data", uuid.UUID(int=7)
    assert run_path(data, me, None, 1).parent == tmp_path
    assert run_path(data, me, None, 1 << 60) == data / "run"


def test_a_store_over_its_budget_refuses_writes_and_answers(tmp_path: Path) -> None:
    """No process of ours fits into a budget so small; reads, and what makes room, go on."""
    shop = Shop(tmp_path / "data", checkpoint_log_bytes=0)
    try:
        shop.create(orders())
        shop.put((1, "one", 1))
        budget = shop.warehouse._opened.budget
        budget._limit_bytes = 1 << 20
        budget._seen = resident()
        refused: list[UnavailableError] = []

        def write() -> None:
            try:
                shop.put((2, "two", 2))
            except UnavailableError as error:
                refused.append(error)

        thread = threading.Thread(target=write)
        thread.start()
        wait_for("a write waits", lambda: shop.warehouse.stats().memory["budget"]["waits"] == 1)
        assert shop.warehouse.stats().tables[0].rows == 1
        shop.clock.us += int(WAIT_S * 1e6)
        thread.join()
        assert len(refused) == 1
        budget._limit_bytes = 1 << 40
        shop.put((2, "two", 2))
        assert shop.warehouse.stats().tables[0].rows == 2
    finally:
        shop.warehouse.close()


@pytest.mark.slow
def test_more_data_than_memory_loads_changes_restarts_and_answers(tmp_path: Path) -> None:
    """The benchmark fails by itself on a wrong answer, or when it held more than its budget."""
    memory_bytes = 640 * 10**6
    bench = Path(__file__).parents[1] / "bench" / "bench_memory.py"
    options = ["--rows", "3000000", "--memory", str(memory_bytes), "--folder", str(tmp_path)]
    subprocess.run(
        [sys.executable, bench, *options],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=True,
    )
    lines = (tmp_path / "bench.jsonl").read_text().splitlines()
    figures = {figure["name"]: figure["value"] for figure in map(json.loads, lines)}
    held, disk = (figures[f"memory.3m_rows.{name}"] * 1e6 for name in ("peak", "disk"))
    assert held < memory_bytes < disk
