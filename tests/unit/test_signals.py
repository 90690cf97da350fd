"""Who is woken by what, and that nobody sleeps through a commit."""

import threading
from collections.abc import Iterator

import pytest

from sluiceway.warehouse.signals import Signals

MINE, OTHER = (1, 0), (1, 1)
LONG_S = 30.0


class Sleeper(threading.Thread):
    """Waits for one shard in a thread of its own."""

    def __init__(self, signals: Signals, lsn: int) -> None:
        super().__init__()
        self._signals, self._lsn = signals, lsn
        self.woken: bool | None = None
        self.start()

    def run(self) -> None:
        self.woken = self._signals.wait(MINE, self._lsn, LONG_S)


@pytest.fixture
def signals() -> Iterator[Signals]:
    made = Signals()
    yield made
    made.close()


def test_a_commit_wakes_the_readers_of_its_shards(signals: Signals) -> None:
    sleepers = [Sleeper(signals, 10) for _ in range(3)]
    signals.touch([OTHER, MINE], 11)
    for sleeper in sleepers:
        sleeper.join(LONG_S)
        assert sleeper.woken is True


def test_a_change_of_the_catalog_wakes_everybody(signals: Signals) -> None:
    sleeper = Sleeper(signals, 10)
    signals.touch_all(11)
    sleeper.join(LONG_S)
    assert sleeper.woken is True


def test_a_commit_before_the_sleep_is_not_slept_through(signals: Signals) -> None:
    signals.touch([MINE], 11)
    assert signals.wait(MINE, 10, LONG_S)


def test_what_was_seen_or_is_not_mine_wakes_nobody(signals: Signals) -> None:
    signals.touch([MINE], 11)
    signals.touch([OTHER], 12)
    assert not signals.wait(MINE, 11, 0.01)


def test_close_wakes_for_good(signals: Signals) -> None:
    sleeper = Sleeper(signals, 10)
    signals.close()
    sleeper.join(LONG_S)
    assert sleeper.woken is False
    assert not signals.wait(MINE, 10, LONG_S)
