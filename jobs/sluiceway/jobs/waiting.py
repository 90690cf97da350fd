"""Waiting with a deadline: every wait of the jobs goes through here and says what it waits for."""

import time
from collections.abc import Callable
from typing import TypeVar

from sluiceway.catalog import UnavailableError

T = TypeVar("T")


def wait_for(
    what: str,
    probe: Callable[[], T | None],
    *,
    deadline_s: float,
    interval_s: float = 0.1,
    hint: Callable[[], str] = lambda: "",
) -> T:
    """Call the probe until it returns something; past the deadline say what was missing.

    `hint` is asked only then: what was seen instead, or where to look.
    """
    end = time.monotonic() + deadline_s
    while True:
        found = probe()
        if found is not None:
            return found
        if time.monotonic() >= end:
            more = hint()
            raise UnavailableError(
                f"{what}: not within {deadline_s:.0f} s" + (f" ({more})" if more else "")
            )
        time.sleep(interval_s)


def wait_until(
    what: str,
    probe: Callable[[], bool],
    *,
    deadline_s: float,
    interval_s: float = 0.1,
    hint: Callable[[], str] = lambda: "",
) -> None:
    """Call the probe until it is true; past the deadline say what was missing."""
    wait_for(
        what,
        lambda: probe() or None,
        deadline_s=deadline_s,
        interval_s=interval_s,
        hint=hint,
    )
