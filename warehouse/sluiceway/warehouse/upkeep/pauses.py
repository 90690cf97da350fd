"""How long upkeep keeps the committer: the time that a write may wait for it.

Invariant: one thread measures, the committer's; a step counts with its record in the log, if it has
one.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sluiceway.warehouse.clock import Clock
from sluiceway.warehouse.requests import ExpireWork, MoveWork, ReleaseWork, StepWork, Work


@dataclass(frozen=True)
class PauseStats:
    """Steps of upkeep between commits: how many, seconds of all and of the longest."""

    steps: int
    seconds: float
    longest_s: float


class Pauses:
    """Adds up what steps of upkeep take."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._steps = 0
        self._seconds = self._longest_s = 0.0

    @contextmanager
    def during(self, work: Work) -> Iterator[None]:
        """Measure what is done meanwhile, if the work is upkeep."""
        start = self._clock.monotonic()
        yield
        if isinstance(work, ExpireWork | MoveWork | ReleaseWork | StepWork):
            took_s = self._clock.monotonic() - start
            self._steps += 1
            self._seconds += took_s
            self._longest_s = max(self._longest_s, took_s)

    def stats(self) -> PauseStats:
        """What upkeep took so far."""
        return PauseStats(self._steps, self._seconds, self._longest_s)
