"""What readers in other processes rely on is not dropped, and dead ones keep nothing."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sluiceway.catalog import GoneError
from sluiceway.warehouse.horizon import Horizon, Pin
from sluiceway.warehouse.mapped import Memory
from sluiceway.warehouse.pins import SLOTS, ForeignPins, ReaderPins
from sluiceway.warehouse.table import Control, ControlView


class Both:
    """The writing side and a way to attach reading ones."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.memory = Memory(folder)
        self.control = Control(self.memory)
        self.foreign = ForeignPins(self.memory)
        self.horizon = Horizon(0, self.control.compact, self.foreign.lsns)

    def reader(self) -> ReaderPins:
        return ReaderPins(self.folder, ControlView.attach(self.folder).horizon)


@pytest.fixture
def both(tmp_path: Path) -> Iterator[Both]:
    made = Both(tmp_path / "run")
    yield made
    made.foreign.close()
    made.memory.close()


def test_the_horizon_passes_no_pin_of_another_process(both: Both) -> None:
    reader, other = both.reader(), both.reader()
    pin, later = reader.keep(10), other.keep(20)
    assert both.foreign.lsns() == [10, 20]
    assert not both.horizon.rise(11)
    assert both.horizon.rise(10)
    del pin
    assert not both.horizon.rise(20), "the reader did not tell yet"
    reader.settle()
    assert both.horizon.rise(20)
    other.close()
    assert both.horizon.rise(30) and later.lsn == 20
    reader.close()


def test_one_word_stands_for_all_pins_of_a_process(both: Both) -> None:
    reader = both.reader()
    pins = [reader.keep(lsn) for lsn in (50, 60, 40, 55)]
    assert both.foreign.lsns() == [40]
    pins.pop(2)
    reader.settle()
    assert both.foreign.lsns() == [50]
    pins.clear()
    reader.settle()
    assert both.foreign.lsns() == []
    reader.close()


def test_an_lsn_that_the_horizon_has_passed_is_not_kept(both: Both) -> None:
    reader = both.reader()
    assert both.horizon.rise(30)
    with pytest.raises(GoneError, match="the oldest is LSN 30"):
        reader.keep(29)
    reader.settle()
    assert both.foreign.lsns() == []
    assert reader.keep(30).lsn == 30
    reader.close()


def test_a_pin_that_came_between_looks_wins(both: Both) -> None:
    """The reader stores its pin after the writer's first look, and before it sees the horizon."""
    seen: list[list[int]] = [[], [7]]
    horizon = Horizon(5, both.control.compact, lambda: seen.pop(0))
    assert not horizon.rise(9)
    assert horizon.lsn == 5 and both.control.horizon() == 5


def test_a_pin_of_this_process_that_came_between_looks_wins() -> None:
    """It is made during the first look, then one comes too late."""
    pins: list[Pin] = []
    told: list[int] = []

    def look() -> list[int]:
        if pins:
            with pytest.raises(GoneError, match="the oldest is LSN 9"):
                horizon.pin(7)
        else:
            pins.append(horizon.pin(7))
        return []

    horizon = Horizon(5, told.append, look)
    assert not horizon.rise(9)
    assert horizon.lsn == 5 and told == [9, 5]


def test_slots_are_used_again(both: Both) -> None:
    for _ in range(SLOTS + 1):
        reader = both.reader()
        pin = reader.keep(3)
        assert both.foreign.lsns() == [pin.lsn]
        reader.close()


@pytest.mark.slow
def test_a_killed_process_keeps_nothing(both: Both) -> None:
    script = (
        "import sys, time; from pathlib import Path\n"
        "from sluiceway.warehouse.pins import ReaderPins\n"
        "pins = ReaderPins(Path(sys.argv[1]), lambda: 0); pin = pins.keep(4)\n"
        "print('pinned', flush=True); time.sleep(600)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(both.folder)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "pinned\n"
            assert both.foreign.lsns() == [4]
            assert not both.horizon.rise(5)
        finally:
            process.kill()
    assert both.foreign.lsns() == []
    assert both.horizon.rise(5)
