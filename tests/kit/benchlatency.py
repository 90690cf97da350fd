"""How long a row takes to be seen: rows written at a steady rate, and when they arrive.

Every time is µs since the epoch by this machine's clock, in an array with one slot a row.
"""

import threading
import time
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sluiceway.warehouse.client import Client

Times = np.ndarray[tuple[int], np.dtype[np.int64]]
WARM_PART = 0.2  # of the rows come first and are not counted
_LATE_S = 60.0


def now_us() -> int:
    """Return the time in µs since the epoch."""
    return time.time_ns() // 1000


class Arrivals:
    """Notes when the changelog of a table shows each row, by the number in one of its columns."""

    def __init__(self, client: Client, database: str, table: str, column: str, rows: int) -> None:
        self.seen_us: Times = np.zeros(rows, np.int64)
        self.committed_us: Times = np.zeros(rows, np.int64)
        self._what = f"{database}.{table}"
        start = int(client.shards(database, table)["shards"][0]["next"])
        self._changes = client.changelog(database, table, start=start, columns=[column])
        self._column = column
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def wait(self) -> None:
        """Wait until every row was seen; a row that does not come is an error."""
        self._thread.join(_LATE_S)
        if self._error is not None:
            raise self._error
        missing = int(np.count_nonzero(self.seen_us == 0))
        self._changes.close()
        if missing:
            raise AssertionError(
                f"{missing} of {len(self.seen_us)} rows never came to {self._what}"
            )

    def _run(self) -> None:
        try:
            self._follow()
        except Exception as error:  # belongs to who waits
            self._error = error

    def _follow(self) -> None:
        left = len(self.seen_us)
        for change in self._changes.changes():
            seen_us = now_us()
            if change.batch.num_rows == 0:
                continue
            at = _numbers(change.batch.column(self._column))
            self.seen_us[at] = seen_us
            self.committed_us[at] = change.batch.column("_time").to_numpy()
            left -= len(at)
            if left <= 0:
                return


def _numbers(column: pa.Array) -> Times:
    """Return the row numbers of a column, which may be written as text."""
    numbers: Times = pc.cast(column, pa.int64()).to_numpy()
    return numbers


def paced(rows: int, rate: int, batch: int, send: Callable[[int, int], None]) -> Times:
    """Call `send(first, count)` for batches at a rate; return when each row was due.

    A batch that is sent late counts from when it was due: waiting in a line is latency too.
    """
    due_us: Times = np.zeros(rows, np.int64)
    started_us = now_us()
    for first in range(0, rows, batch):
        due = started_us + first * 1_000_000 // rate
        count = min(batch, rows - first)
        due_us[first : first + count] = due
        if (left_us := due - now_us()) > 0:
            time.sleep(left_us / 1e6)
        send(first, count)
    return due_us


def percentiles_ms(from_us: Times, to_us: Times) -> tuple[float, float]:
    """Return p50 and p99 in ms, without the first rows."""
    taken = (to_us - from_us)[int(len(from_us) * WARM_PART) :] / 1000
    return float(np.percentile(taken, 50)), float(np.percentile(taken, 99))
