"""Which of the past can be read, and which LSN a time means.

Invariants: every LSN from `oldest` to the published one shows what it showed when it was newest;
a time means the last commit at or before it, and once a time was answered it means the same for
ever: no later commit gets a time at or before it.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sluiceway.catalog import Catalog, GoneError, UserError
from sluiceway.warehouse.clock import Clock
from sluiceway.warehouse.log import LogIndex
from sluiceway.warehouse.state import CatalogHistory, View

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Past:
    """The LSNs behind the published one."""

    def __init__(
        self,
        clock: Clock,
        index: LogIndex,
        history: CatalogHistory,
        horizon: Callable[[], int],
        state: Callable[[], View],
        settle: Callable[[int], int],
    ) -> None:
        self._clock = clock
        self._index = index
        self._history = history
        self._horizon = horizon
        self._state = state
        self._settle = settle

    @property
    def oldest(self) -> int:
        """The oldest LSN that can be read.

        From there on the log knows catalogs and times, and compaction dropped nothing.
        """
        begin = self._index.oldest
        return max(self._history.oldest, self._horizon(), begin if begin > 1 else 0)

    def catalog(self, lsn: int, published: int) -> Catalog:
        """The catalog at an LSN; GoneError if it is not kept, UserError if it is still to come."""
        if lsn > published:
            raise UserError(f"LSN {lsn} is not published yet; published is {published}")
        if lsn < self.oldest:
            raise GoneError(f"LSN {lsn} is not kept; {self._oldest_text()}")
        return self._history.at(lsn)

    def lsn_at(self, time_us: int) -> int:
        """The LSN that was published at a time."""
        now_us = self._clock.now_us()
        if time_us > now_us:
            raise UserError(
                f"{time_text(time_us)} is in the future: it is {time_text(now_us)} here; a time "
                "without zone is UTC"
            )
        published = self._state()
        lsn = published.lsn
        if time_us >= published.time_us:
            # A commit on its way to the disk has its time already: let it pass, and none follow.
            lsn = self._settle(time_us)
        after = self._index.at_time(time_us + 1)
        if after is not None:
            lsn = after - 1
        if lsn < max(self.oldest, self._index.oldest):
            raise GoneError(
                f"{time_text(time_us)} is before all that is kept; {self._oldest_text()}"
            )
        return lsn

    def _oldest_text(self) -> str:
        oldest = max(self.oldest, self._index.oldest)
        return f"the oldest is LSN {oldest} of {time_text(self._index.time_of(oldest))}"


def time_text(time_us: int) -> str:
    """A time for people: ISO 8601, UTC."""
    try:
        return str(_EPOCH + timedelta(microseconds=time_us))
    except OverflowError:
        return f"{time_us} µs since 1970"
