"""How much of the log is kept: by time (`binlog.ttl` of each table), by bytes, and by holds.

Files go from the oldest, each once nothing in it is wanted. From files that stay for another
table's sake, the changes of a table go as soon as all that it has in them is older than its
`binlog.ttl`: their room is given back in place, and its streams begin behind. Changes of the
catalog stay as long as those of any table. `log_keep_bytes` bounds them all.

Invariants: a file goes in two steps. First a manifest says that it can do without (its `base`
carries the catalog at the cut); the file goes when both kept manifests say so, and so does a
table's part of it (`forgotten`). What a hold or an open stage needs, and the file with the newest
record, stays.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from sluiceway.catalog import Catalog
from sluiceway.warehouse.checkpoint import HistoryBase, Manifest
from sluiceway.warehouse.clock import SECOND_US
from sluiceway.warehouse.horizon import promised
from sluiceway.warehouse.log import LogFile, LogFiles, LogIndex, Range
from sluiceway.warehouse.stages import oldest_staged
from sluiceway.warehouse.state import CatalogHistory, State
from sluiceway.warehouse.table import Control


@dataclass(frozen=True)
class RetentionStats:
    """Where the log begins, and what this process removed of it."""

    oldest: int
    removed_files: int
    removed_bytes: int
    punched_bytes: int


class Retention:
    """Decides what of the log may go, and removes it."""

    def __init__(
        self,
        files: LogFiles,
        index: LogIndex,
        history: CatalogHistory,
        control: Control,
        keep_bytes: int,
        tell: Callable[[Mapping[str, Any]], None],
    ) -> None:
        self._files = files
        self._index = index
        self._history = history
        self._control = control
        self._keep_bytes = keep_bytes
        self._tell = tell
        self._unwanted: list[Range] = []
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
            oldest_staged(state.stages, promised(state.lsn, state.holds, now_us)),
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

    def forgotten(self, state: State, now_us: int) -> dict[int, int]:
        """The LSN before which a table's changes are not wanted, where the log begins earlier."""
        held_lsn = promised(state.lsn, state.holds, now_us)
        cuts = unwanted(self._index.files(), _ttls_us(state.catalog), held_lsn, now_us)
        gone = self._index.forgotten
        found = {table: max(cuts.get(table, 0), gone.get(table, 0)) for table in {*cuts, *gone}}
        return {table: lsn for table, lsn in found.items() if lsn > self._index.oldest}

    def forget(self, forgotten: Mapping[int, int]) -> None:
        """End the streams of tables before an LSN, here and in other processes."""
        for table, lsn in forgotten.items():
            if lsn > self._index.oldest_of(table):
                self._tell({"forgotten": [table, lsn]})
                self._unwanted += self._index.forget_table(table, lsn)

    def punch(self, state: State, now_us: int, kept: Sequence[Manifest]) -> None:
        """Give back the room of what nobody wants, nor do the manifests that are kept."""
        now = self.forgotten(state, now_us)
        self.forget({table: min(lsn, now.get(table, 0)) for table, lsn in agreed(kept).items()})
        by_file: dict[int, list[tuple[int, int]]] = {}
        for file, offset, length in sorted(self._unwanted):
            if file >= self._index.oldest:
                _extend(by_file.setdefault(file, []), offset, length)
        self._unwanted.clear()
        for file, ranges in by_file.items():
            self._files.punch(file, ranges)

    def stats(self) -> RetentionStats:
        """What was removed."""
        files = self._files
        return RetentionStats(
            self._index.oldest, self._removed_files, files.removed_bytes, files.punched_bytes
        )


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
        if not crowded and _wanting(file, ttls_us, now_us):
            break
        cut = following.number
        bytes_left -= file.size_bytes
    return cut


def agreed(kept: Sequence[Manifest]) -> dict[int, int]:
    """By table, the LSN before which no manifest that is kept wants its changes."""
    tables = {table for manifest in kept for table in manifest.forgotten}
    return {table: min(each.forgotten.get(table, 0) for each in kept) for table in tables}


def unwanted(
    files: Sequence[LogFile], ttls_us: Mapping[int, int], held_lsn: int, now_us: int
) -> dict[int, int]:
    """By table, the number of the first file in which its changes are wanted, where some are not.

    Those of tables that are not there any more never are; changes of the catalog (table 0) all are.
    """
    cuts: dict[int, int] = {}
    wanted = {0}
    for file, following in pairwise(files):
        if following.number > held_lsn:
            break
        wanted |= _wanting(file, ttls_us, now_us)
        cuts.update(dict.fromkeys(file.newest_us.keys() - wanted, following.number))
    return cuts


def _extend(ranges: list[tuple[int, int]], offset: int, length: int) -> None:
    """Add a range behind those before; one that begins where the last ends makes it longer."""
    if ranges and sum(ranges[-1]) == offset:
        start, before = ranges.pop()
        ranges.append((start, before + length))
    elif length:
        ranges.append((offset, length))


def _wanting(file: LogFile, ttls_us: Mapping[int, int], now_us: int) -> set[int]:
    """The tables that are still there and have younger changes in a file than they may lose."""
    return {
        table
        for table, newest_us in file.newest_us.items()
        if table in ttls_us and newest_us + ttls_us[table] > now_us
    }


def _ttls_us(catalog: Catalog) -> dict[int, int]:
    """How long each table wants its changes; DDL (table 0) stays as long as any changes do."""
    tables = catalog.tables.values()
    ttls_us = {table.id: table.properties.binlog_ttl_s * SECOND_US for table in tables}
    return ttls_us | {0: max(ttls_us.values(), default=0)}
