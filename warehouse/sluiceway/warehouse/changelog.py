"""Reads the changes of one shard from an LSN on, and waits for more.

Invariants:
* Every event with `start ≤ LSN ≤ until` is delivered once, in LSN order; nothing beyond the
  published LSN is.
* All batches have the schema the stream began with. At a change of the schema the stream ends after
  the last event of the old one, with `schema_changed`.
* `next` of a batch resumes exactly behind it, also from another process.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Protocol

import numpy as np
import pyarrow as pa

from sluiceway.catalog import ConflictError, CorruptionError, GoneError, Table, UserError
from sluiceway.warehouse.clock import Clock
from sluiceway.warehouse.events import (
    EventCutter,
    deletes,
    empty_batch,
    event_schema,
    image_schema,
    in_lsn_order,
    interleave,
    project,
)
from sluiceway.warehouse.log import LogFiles, LogIndex, Place, read_images
from sluiceway.warehouse.signals import Key
from sluiceway.warehouse.state import View
from sluiceway.warehouse.tail import TailCache


class Published(Protocol):
    """Where a reader learns what is published."""

    @property
    def state(self) -> View:
        """The newest published state."""

    def wait_beyond(self, key: Key, lsn: int, timeout_s: float) -> bool:
        """Wait until a commit above `lsn` touches the shard; False after the timeout."""


@dataclass(frozen=True)
class Log:
    """What changelog readers share; `learn` takes note of changes that went a moment ago."""

    files: LogFiles
    index: LogIndex
    tail: TailCache
    published: Published
    clock: Clock
    learn: Callable[[], None] = lambda: None

    def oldest_of(self, table: int) -> int:
        """The LSN from which on the changes of a table are kept, as of now."""
        self.learn()
        return self.index.oldest_of(table)


@dataclass(frozen=True)
class ChangeBatch:
    """Events RecordBatch[_event, _lsn, _time, columns…] and where to go on."""

    batch: pa.RecordBatch
    next: int
    published: int
    schema_changed: bool = False
    done: bool = False


class ChangelogReader:
    """One subscription; used by one thread."""

    def __init__(
        self,
        log: Log,
        table: Table,
        shard: int,
        start: int,
        *,
        until: int | None = None,
        columns: Sequence[str] | None = None,
        batch_rows: int = 8192,
    ) -> None:
        if not 0 <= shard < table.shards:
            raise UserError(f"table {table.name} has {table.shards} shards; there is no {shard}")
        oldest = log.oldest_of(table.id)
        if start < oldest:
            raise GoneError(
                f"LSN {start} is no longer kept; the oldest is {oldest}: start there, or read a "
                "snapshot first"
            )
        self.schema = event_schema(table, columns)
        self._log = log
        self._table = table
        self._key = (table.id, shard)
        self._empty = empty_batch(self.schema)
        self._until = until
        self._start = start
        self._batch_rows = batch_rows
        self._parts = log.index.parts(table.id, shard)
        self._number = self._parts.after(start)
        self._ready = EventCutter(self.schema)
        self._next = start
        self._deletes: Iterator[pa.RecordBatch] | None = None

    def read(self, timeout_s: float) -> ChangeBatch:
        """The next events, or an empty batch once nothing came for `timeout_s`."""
        clock = self._log.clock
        deadline = clock.monotonic() + timeout_s
        while True:
            state = self._log.published.state
            end = self._fill(state)
            if self._ready.rows:
                return self._deliver(state)
            self._next = end.next
            if end.schema_changed or end.done:
                return end
            left = deadline - clock.monotonic()
            if left <= 0 or not self._wait(state.lsn, left):
                return end

    def _wait(self, lsn: int, timeout_s: float) -> bool:
        return self._log.published.wait_beyond(self._key, lsn, timeout_s)

    def _deliver(self, state: View) -> ChangeBatch:
        batch = self._ready.take(self._batch_rows)
        self._next = int(batch.column(1)[-1].as_py()) + 1
        return ChangeBatch(batch, self._next, state.lsn)

    def _fill(self, state: View) -> ChangeBatch:
        """Decode parts until a batch is full; say how the stream stands if there is none."""
        for places in self._pending(state.lsn):
            place = places[0]
            if place.schema_version != self._table.schema_version and self._is_newer(place):
                return self._end(state, place.first_lsn, schema_changed=True)
            self._put(places, state)
            if self._ready.rows >= self._batch_rows:
                break
        if self._ready.rows:
            return self._end(state, self._next)
        if self._until is not None and state.lsn >= self._until:
            return self._end(state, self._until + 1, done=True)
        return self._end(state, state.lsn + 1, schema_changed=self._is_changed(state))

    def _pending(self, published: int) -> Iterator[list[Place]]:
        """What is to be delivered, the parts of one write in several partitions together."""
        if self._ready.rows >= self._batch_rows:
            return
        for _, same in groupby(self._parts.iterate(self._number), _write_of):
            places = list(same)
            beyond = self._until is not None and places[0].first_lsn > self._until
            if places[0].commit_lsn > published or beyond:
                return
            yield places

    def _put(self, places: list[Place], state: View) -> None:
        """Decode parts; of the deletes that a reset means, those that a batch wants now."""
        if not places[0].is_reset:
            pieces = [self._events(place, state) for place in places]
            self._ready.put(pieces[0] if len(pieces) == 1 else in_lsn_order(pieces))
        else:
            self._deletes = self._deletes or self._expanded(places[0], state)
            for events in self._deletes:
                self._ready.put(events)
                if self._ready.rows >= self._batch_rows:
                    return
            self._deletes = None
        self._number += len(places)

    def _is_newer(self, place: Place) -> bool:
        return place.schema_version > self._table.schema_version

    def _is_changed(self, state: View) -> bool:
        table = state.catalog.tables.get(self._table.id)
        if table is None:
            raise ConflictError(
                f"table {self._table.database}.{self._table.name} was dropped at or before LSN "
                f"{state.lsn}"
            )
        return table.schema_version > self._table.schema_version

    def _end(
        self, state: View, next_lsn: int, *, schema_changed: bool = False, done: bool = False
    ) -> ChangeBatch:
        following = max(next_lsn, self._next)
        return ChangeBatch(self._empty, following, state.lsn, schema_changed, done)

    def _events(self, place: Place, state: View) -> pa.RecordBatch:
        part = self._log.tail.find((place.file, place.offset))
        if part is not None:
            written, events = part.table, part.events()
        else:
            written = state.catalog.schema(self._table.id, place.schema_version)
            events = self._decode(place, written)
        events = project(events, written, self._table, self.schema)
        return self._bounded(events, place)

    def _decode(self, place: Place, written: Table) -> pa.RecordBatch:
        """Events of a part from the file, with the columns that the stream wants."""
        try:
            images = read_images(
                self._log.files, place.file, place.offset, place.entry, image_schema(written)
            )
        except CorruptionError as error:
            oldest = self._log.oldest_of(self._table.id)
            if place.commit_lsn >= oldest:
                raise
            raise GoneError(f"the stream fell behind; the oldest LSN is {oldest}") from error
        return interleave(images, place.first_lsn, place.time_us, self._names(written))

    def _names(self, written: Table) -> list[str]:
        """What the columns that the stream wants were called."""
        wanted = {self._table.column(name).id for name in self.schema.names[3:]}
        return [column.name for column in written.columns if column.id in wanted]

    def _expanded(self, place: Place, state: View) -> Iterator[pa.RecordBatch]:
        """The deletes that a reset means, in pieces: the rows lie in the segments still."""
        shard = state.shards_of(self._table).get(place.unit)
        if shard is None:
            raise GoneError(
                f"the changes of {self._table.path} at LSN {place.commit_lsn} are no longer kept: "
                "start behind it, or read a snapshot first"
            )
        written = state.catalog.schema(self._table.id, place.schema_version)
        names = self._names(written)
        lsn = place.first_lsn
        skip = max(self._start - lsn + 1, 0) // 2
        lsn += 2 * skip
        numbers = range(skip, place.events)
        ended = shard.ended(place.commit_lsn, written, names, numbers, self._batch_rows)
        for count, arrays in ended:
            events = deletes(arrays, names, count, lsn, place.time_us)
            yield self._bounded(project(events, written, self._table, self.schema), place)
            lsn += 2 * count
            if self._until is not None and lsn > self._until:
                return

    def _bounded(self, events: pa.RecordBatch, place: Place) -> pa.RecordBatch:
        """Cut off what lies before `start` or beyond `until`."""
        inside = place.first_lsn >= self._start
        if inside and (self._until is None or place.commit_lsn <= self._until):
            return events
        lsns = events.column(1).to_numpy()
        first = int(np.searchsorted(lsns, self._start))
        last = len(lsns)
        if self._until is not None:
            last = int(np.searchsorted(lsns, self._until, side="right"))
        return events.slice(first, max(0, last - first))


def _write_of(place: Place) -> tuple[int, int]:
    return place.commit_lsn, place.first_lsn
