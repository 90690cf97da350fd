"""The pipeline at scale, with a store and a TaskManager killed in the middle: exact at the end."""

from pathlib import Path

import pytest
from rich.console import Console

from sluiceway.jobs.demo_scale import Scale
from sluiceway.jobs.stage import Stage

pytestmark = [pytest.mark.flink, pytest.mark.mysql, pytest.mark.slow]
ORDERS = 20_000


@pytest.mark.timeout(480)
@pytest.mark.parametrize("victim", ["store", "task manager"])
def test_the_sums_are_exact_after_a_kill(tmp_path: Path, victim: str) -> None:
    with Stage(tmp_path, Console()) as stage:
        scale = Scale(stage, ORDERS)
        kill = scale.kill_store if victim == "store" else scale.kill_task_manager
        scale.play(in_the_middle=kill)
        jobs = stage.cluster.rest.jobs()
        assert [job.state for job in jobs] == ["RUNNING"] * 3


@pytest.mark.timeout(480)
@pytest.mark.parametrize("victim", ["store", "task manager"])
def test_the_sums_are_exact_after_a_kill_in_a_snapshot(tmp_path: Path, victim: str) -> None:
    """The kill comes right after the jobs start: they read the snapshot of what the sync loaded."""
    with Stage(tmp_path, Console()) as stage:
        scale = Scale(stage, ORDERS)
        kill = scale.kill_store if victim == "store" else scale.kill_task_manager
        scale.play(in_the_snapshot=kill)
