"""From images to change events: before and after rows interleaved by LSN.

Row `i` of a batch owns LSN `first + 2i` (its before event, code 3 or 2) and `first + 2i + 1` (its
after event, code 7 or 5). Positions rise within a part, so events come out in LSN order.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sluiceway.catalog import Column, Table, UserError
from sluiceway.warehouse.log import Images
from sluiceway.warehouse.table import BATCH_BYTES, joined
from sluiceway.warehouse.table.layout import TableLayout

INSERT, DELETE, BEFORE, AFTER = 5, 2, 3, 7
EVENT_FIELDS = (
    pa.field("_event", pa.int8(), False),
    pa.field("_lsn", pa.int64(), False),
    pa.field("_time", pa.int64(), False),
)


def image_schema(table: Table) -> pa.Schema:
    """The schema of a table's images: all columns, and the hidden row id if there is no key."""
    return TableLayout(table).schema


def event_schema(table: Table, columns: Sequence[str] | None) -> pa.Schema:
    """Schema[_event: int8, _lsn: int64, _time: int64, columns…]."""
    return pa.schema([*EVENT_FIELDS, *table.arrow_schema(columns)])


def interleave(
    images: Images, first_lsn: int, time_us: int, names: Sequence[str]
) -> pa.RecordBatch:
    """All events of a part: RecordBatch[_event, _lsn, _time, names…] in LSN order."""
    kinds = images.kinds
    lsns = first_lsn + 2 * images.positions.astype(np.int64)
    if (kinds == INSERT).all():
        columns = [images.after.column(name) for name in names]
        return _batch(kinds, lsns + 1, time_us, names, columns)
    ends = np.cumsum(1 + (kinds == AFTER))
    total = int(ends[-1])
    is_after = kinds != DELETE
    is_before = kinds != INSERT
    event = np.empty(total, np.int8)
    lsn = np.empty(total, np.int64)
    source = np.empty(total, np.int64)
    after_at = ends[is_after] - 1
    event[after_at], lsn[after_at] = kinds[is_after], lsns[is_after] + 1
    source[after_at] = np.arange(len(after_at))
    before_at = (ends - 1 - (kinds == AFTER))[is_before]
    event[before_at] = np.where(kinds[is_before] == DELETE, DELETE, BEFORE)
    lsn[before_at] = lsns[is_before]
    source[before_at] = len(after_at) + np.arange(len(before_at))
    order = pa.array(source)
    columns = [
        pa.concat_arrays([images.after.column(name), images.before.column(name)]).take(order)
        for name in names
    ]
    return _batch(event, lsn, time_us, names, columns)


def deletes(
    arrays: Sequence[pa.Array], names: Sequence[str], count: int, first_lsn: int, time_us: int
) -> pa.RecordBatch:
    """The events of rows that end: RecordBatch[_event, _lsn, _time, names…]."""
    lsns = first_lsn + 2 * np.arange(count)
    return _batch(np.full(count, DELETE, np.int8), lsns, time_us, names, list(arrays))


def _batch(
    event: npt.NDArray[np.int8],
    lsn: npt.NDArray[np.int64],
    time_us: int,
    names: Sequence[str],
    columns: list[pa.Array],
) -> pa.RecordBatch:
    time = np.full(len(event), time_us, np.int64)
    arrays = [pa.array(event), pa.array(lsn), pa.array(time), *columns]
    fields = [*EVENT_FIELDS, *(pa.field(n, c.type) for n, c in zip(names, columns, strict=True))]
    return pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields))


def project(
    events: pa.RecordBatch, written: Table, wanted: Table, schema: pa.Schema
) -> pa.RecordBatch:
    """Events of a part in the schema of a stream: columns by id, cast, else their default."""
    arrays = [events.column(number) for number in range(len(EVENT_FIELDS))]
    behind = list(enumerate(events.schema.names))[len(EVENT_FIELDS) :]
    places = {name: number for number, name in behind}
    for name in schema.names[len(EVENT_FIELDS) :]:
        column = wanted.column(name)
        old = written.column_by_id(column.id)
        if old is None:
            arrays.append(pa.repeat(column.default_scalar(), events.num_rows))
        else:
            arrays.append(_mapped(events, places[old.name], wanted, column))
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _mapped(events: pa.RecordBatch, place: int, wanted: Table, column: Column) -> pa.Array:
    """Events of a column that was written in an older schema, as `column` of a newer one."""
    array, kind = events.column(place), column.type.arrow()
    if array.null_count and not column.nullable:
        raise UserError(
            f"rows of {wanted.path} at LSN {events.column(1)[0]} were written before "
            f"{column.name!r} became NOT NULL, and are NULL there: read a snapshot and go on from "
            "its LSN, leave the column out, or let it be NULL again",
            sqlstate="23502",
        )
    return array if array.type.equals(kind) else array.cast(kind)


def in_lsn_order(pieces: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
    """The events that one write made in several units of a shard."""
    together = joined(pieces, "read fewer columns")
    return together.take(pa.array(np.argsort(together.column(1).to_numpy())))


class EventCutter:
    """Collects events of consecutive parts and hands them out in batches.

    Invariant: no event is lost: those that do not fit into one batch come in the next one.
    """

    def __init__(self, schema: pa.Schema) -> None:
        self.schema = schema
        self._pieces: list[pa.RecordBatch] = []
        self.rows = 0

    def put(self, events: pa.RecordBatch) -> None:
        """Add events that follow those put before."""
        if events.num_rows:
            self._pieces.append(events)
            self.rows += events.num_rows

    def take(self, rows: int) -> pa.RecordBatch:
        """The next events, at most `rows` of them, and no more than a batch should have."""
        taken: list[pa.RecordBatch] = []
        size_bytes = 0
        while self._pieces and rows:
            piece = self._pieces[0].slice(0, rows)
            size_bytes += piece.nbytes
            if size_bytes > BATCH_BYTES:
                if taken:
                    break
                piece = piece.slice(0, max(len(piece) * BATCH_BYTES // size_bytes, 1))
            taken.append(piece)
            rows -= len(piece)
            self._drop(len(piece))
        return joined(taken, "read fewer columns") if taken else empty_batch(self.schema)

    def _drop(self, rows: int) -> None:
        """Leave out the first rows of the first piece."""
        self.rows -= rows
        rest = self._pieces[0].slice(rows)
        self._pieces[:1] = [rest] if len(rest) else []


def empty_batch(schema: pa.Schema) -> pa.RecordBatch:
    """A batch without rows."""
    arrays = [pa.array([], field.type) for field in schema]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)
