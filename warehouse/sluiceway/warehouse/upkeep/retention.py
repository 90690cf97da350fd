"""How much of the log is kept: by time (`binlog.ttl` of each table), by bytes, and by holds.

Files are the unit, and they go from the oldest: a file goes once nothing in it is wanted, so the
table with the longest `binlog.ttl` in it decides for the others. Changes of the catalog stay as
long as those of any table. `log_keep_bytes` bounds them all.

Invariants: a file goes in two steps. First a manifest says that it can do without (its `base`
carries the catalog at the cut); the file goes when both kept manifests say so. What a hold needs,
and the file with the newest record, stays.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from sluiceway.catalog import Catalog
from sluiceway.warehouse.checkpoint import HistoryBase
from sluiceway.warehouse.clock import SECOND_US
from sluiceway.warehouse.horizon import promised
from sluiceway.warehouse.log import LogFile, LogFiles, LogIndex
from sluiceway.warehouse.state import CatalogHistory, State
from sluiceway.warehouse.table import Control


@dataclass(frozen=True)
class RetentionStats:
    """Where the log begins, and what this process removed of it."""

    oldest: int
    removed_files: int
    removed_bytes: int


class Retention:
    """Decides what of the log may go, and removes it."""

    def __init__(
        self,
        files: LogFiles,
        index: LogIndex,
        history: CatalogHistory,
        control: Control,
        keep_bytes: int,
    ) -> None:
        self._files = files
        self._index = index
        self._history = history
        self._control = control
        self._keep_bytes = keep_bytes
        self._removed_files = 0

    def base(self, state: State, now_us: int) -> HistoryBase:
        """Where the log may begin for a checkpoint of `state`, and the catalog there."""
        cut = self.cut(state, now_us)
        return HistoryBase(cut, self._history.at(cut))

    def cut(self, state: State, now_us: int) -> int:
        """The LSN before which nothing of the log is wanted."""
        wanted = first_wanted(
            self._index.files(),
            _ttls_us(state.catalog),
            promised(state.lsn, state.holds, now_us),
            now_us,
            self._keep_bytes,
        )
        return max(wanted, self._index.oldest, self._history.oldest)

    def remove(self, cut: int) -> None:
        """Remove the files that end before `cut`."""
        gone = [file.last_lsn < cut for file in self._index.files()].count(True)
        if gone:
            first = self._index.files()[gone].number
            self._index.forget(first)
            self._control.forget(first)
            self._files.remove_before(first)
            self._removed_files += gone

    def stats(self) -> RetentionStats:
        """What was removed."""
        removed_bytes = self._files.removed_bytes
        return RetentionStats(self._index.oldest, self._removed_files, removed_bytes)


def first_wanted(
    files: Sequence[LogFile],
    ttls_us: Mapping[int, int],
    horizon_lsn: int,
    now_us: int,
    keep_bytes: int,
) -> int:
    """The number of the first file that must stay; 0 if none may go."""
    cut, bytes_left = 0, sum(file.size_bytes for file in files)
    for file, following in pairwise(files):
        if following.number > horizon_lsn:
            break
        crowded = 0 < keep_bytes < bytes_left
        if not crowded and _is_wanted(file, ttls_us, now_us):
            break
        cut = following.number
        bytes_left -= file.size_bytes
    return cut


def _is_wanted(file: LogFile, ttls_us: Mapping[int, int], now_us: int) -> bool:
    """Whether a table that is still there has younger changes in it than it may lose."""
    return any(
        newest_us + ttls_us[table] > now_us
        for table, newest_us in file.newest_us.items()
        if table in ttls_us
    )


def _ttls_us(catalog: Catalog) -> dict[int, int]:
    """How long each table wants its changes; DDL (table 0) stays as long as any changes do."""
    tables = catalog.tables.values()
    ttls_us = {table.id: table.properties.binlog_ttl_s * SECOND_US for table in tables}
    return ttls_us | {0: max(ttls_us.values(), default=0)}
