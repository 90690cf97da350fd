"""What upkeep takes of the committer is measured; what writers ask for is not upkeep."""

from kit.disk import HandClock
from sluiceway.warehouse.requests import ReleaseWork, StepWork, Work, WriteWork
from sluiceway.warehouse.upkeep.pauses import Pauses, PauseStats


def test_steps_of_upkeep_add_up() -> None:
    clock = HandClock(0)
    pauses = Pauses(clock)
    steps: list[tuple[Work, int]] = [
        (ReleaseWork(1, None), 250_000),
        (WriteWork(()), 3_000_000),
        (StepWork(lambda state: None), 500_000),
        (ReleaseWork(1, 0), 250_000),
    ]
    for work, took_us in steps:
        with pauses.during(work):
            clock.us += took_us
    assert pauses.stats() == PauseStats(steps=3, seconds=1.0, longest_s=0.5)
