"""Aborts staged writes that nobody went on with, so that the log need not keep them.

Invariant: a stage to which something was added meanwhile is left alone; the committer looks again.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sluiceway.warehouse.clock import Clock
from sluiceway.warehouse.requests import AbortWork
from sluiceway.warehouse.stages import expired
from sluiceway.warehouse.state import State


@dataclass(frozen=True)
class StageStats:
    """What waits for its commit, and what this process gave up."""

    open: int
    batches: int
    rows: int
    expired: int


class StageExpiry:
    """Finds stages that are too old and submits their end."""

    def __init__(
        self, clock: Clock, state: Callable[[], State], submit: Callable[[AbortWork], None]
    ) -> None:
        self._clock = clock
        self._state = state
        self._submit = submit
        self._expired = 0

    def run(self) -> int:
        """Abort what is too old now; returns how many stages were found."""
        now_us = self._clock.now_us()
        names = expired(self._state().stages, now_us)
        if names:
            work = AbortWork(names, now_us)
            self._submit(work)
            work.future.result()
            self._expired += len(names)
        return len(names)

    def stats(self) -> StageStats:
        """What waits and what was given up."""
        stages = [stage for stage in self._state().stages.values() if stage.end is None]
        return StageStats(
            len(stages),
            sum(len(stage.batches) for stage in stages),
            sum(batch.rows for stage in stages for batch in stage.batches),
            self._expired,
        )
