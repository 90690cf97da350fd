"""What a checkpoint keeps of a segment, and segments made from it again.

Invariants: an image at LSN n holds only rows born at or before n and only marks at or before n;
`sealed` means that the segment never grows beyond what the image holds. Buffers have the widths
of `layout.py`: roles `validity`, `values` or `offsets` + `bytes`. Of a dropped segment there is
only its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from ..kernels.views import BITS, NEVER, VARIABLE, Int64s
from ..mapped import Memory
from .column import StoredColumn
from .layout import TableLayout, plan_file
from .segment import NO_FILE, ColumnBuffers, DataFile, Segment, Tail
from .side import Side
from .state import State

_WORD_BYTES = 4


@dataclass(frozen=True)
class SegmentImage:
    """One segment at `lsn`; `buffers` are (column id, role, bytes), `runs` int64[k, 3].

    `mark_words` are those of all rows at any LSN: to copy the marks is left to who writes them.
    The buffers lie in `data_file`; without one they are copied when a segment is made of them.
    """

    ordinal: int
    rows: int
    first_ordinal: int
    capacity: int
    schema_version: int
    sealed: bool
    buffers: list[tuple[int, str, memoryview]]
    mark_words: Int64s
    runs: Int64s
    data_file: DataFile | None
    dropped: bool = False
    lsn: int = NEVER

    @classmethod
    def place(
        cls, ordinal: int, rows: int, first_ordinal: int, schema_version: int
    ) -> SegmentImage:
        """Return the image of a dropped segment."""
        nothing = np.empty(0, np.int64)
        return cls(
            ordinal, rows, first_ordinal, 0, schema_version,
            sealed=True, buffers=[], mark_words=nothing, runs=nothing, data_file=NO_FILE,
            dropped=True,
        )  # fmt: skip

    @property
    def in_place(self) -> bool:
        """Whether a segment uses the columns where they lie."""
        return self.sealed and self.data_file is not None

    @property
    def marks(self) -> Int64s:
        """A copy of the marks at `lsn`."""
        marks = self.mark_words.copy()
        marks[marks < NEVER - self.lsn] = 0
        return marks

    @property
    def alive(self) -> int:
        """How many rows are visible."""
        return self.rows - int(np.count_nonzero(self.marks))

    @property
    def size_bytes(self) -> int:
        """How much there is to keep."""
        columns = sum(data.nbytes for _, _, data in self.buffers)
        return columns + int(self.mark_words.nbytes) + int(self.runs.nbytes)


def images_of(state: State, layouts: Mapping[int, TableLayout], lsn: int) -> list[SegmentImage]:
    """Return the images of all segments that have rows at `lsn`."""
    found = []
    for segment in state.segments:
        if segment.dropped:
            place = segment.ordinal, segment.rows, segment.first_ordinal, segment.schema_version
            found.append(SegmentImage.place(*place))
            continue
        runs = segment.side.run_words[: segment.side.run_count(lsn)].copy()
        if len(runs) == 0:
            break
        rows = int(runs[-1, 2])
        columns = layouts[segment.schema_version].stored
        image = SegmentImage(
            ordinal=segment.ordinal,
            rows=rows,
            first_ordinal=segment.first_ordinal,
            capacity=segment.capacity_rows,
            schema_version=segment.schema_version,
            sealed=segment.sealed and rows == segment.rows and segment.sealed_lsn <= lsn,
            buffers=[piece for column in columns for piece in _pieces(segment, column, rows)],
            mark_words=segment.side.mark_words[:rows],
            runs=runs,
            data_file=segment.data_file,
            lsn=lsn,
        )
        found.append(image)
    return found


def _pieces(
    segment: Segment, column: StoredColumn, rows: int
) -> Iterator[tuple[int, str, memoryview]]:
    stored = segment.buffers[column.id]
    yield column.id, "validity", memoryview(stored.validity)[: (rows + 7) // 8]
    if stored.data is None:
        size = (rows + 7) // 8 if column.width == BITS else rows * column.width
        yield column.id, "values", memoryview(stored.values)[:size]
        return
    yield column.id, "offsets", memoryview(stored.values)[: (rows + 1) * _WORD_BYTES]
    end = np.frombuffer(stored.values, np.int32, rows + 1)[-1]
    yield column.id, "bytes", memoryview(stored.data)[: int(end)]


def load_segments(
    images: Sequence[SegmentImage],
    layouts: Mapping[int, TableLayout],
    memory: Memory,
) -> list[Segment]:
    """Make segments of the images of one shard; the order is theirs."""
    return [_load(image, layouts[image.schema_version], memory) for image in images]


def _load(image: SegmentImage, layout: TableLayout, memory: Memory) -> Segment:
    if image.dropped:
        return Segment.placeholder(
            image.ordinal, image.first_ordinal, image.rows, image.schema_version
        )
    buffers = column_buffers(image.buffers)
    if image.data_file is not None and image.in_place:
        side = Side.create(memory, f"{layout.table.id}.{image.ordinal}.side", image.rows)
        segment = Segment(
            image.ordinal,
            image.first_ordinal,
            image.rows,
            image.schema_version,
            side,
            layout.stored,
            buffers,
            image.data_file,
        )
        segment.with_nulls = _with_nulls(layout, buffers, image.rows)
    else:
        segment = _reopen(image, layout, buffers, memory)
    segment.restore(image.marks, image.runs)
    return segment


def _with_nulls(
    layout: TableLayout, buffers: Mapping[int, ColumnBuffers], rows: int
) -> frozenset[int]:
    bitmaps = {column.id: buffers[column.id].validity for column in layout.stored}
    arrays = {at: pa.Array.from_buffers(pa.bool_(), rows, [b, b]) for at, b in bitmaps.items()}
    return frozenset(at for at, array in arrays.items() if array.null_count)


def _reopen(
    image: SegmentImage,
    layout: TableLayout,
    buffers: Mapping[int, ColumnBuffers],
    memory: Memory,
) -> Tail:
    """Copy an open segment into a new tail, laid out as it was; a sealed one without spare room."""
    arrays = [
        pa.Array.from_buffers(column.storage, image.rows, buffers[column.id].arrow())
        for column in layout.stored
    ]
    until = image.rows if image.sealed else 1
    needed = [
        int(np.frombuffer(buffers[column.id].values, np.int32)[until])
        if column.width == VARIABLE
        else 0
        for column in layout.stored
    ]
    capacity_rows = image.rows if image.sealed else image.capacity
    plan = plan_file(layout.stored, capacity_rows, np.array(needed, np.int64))
    tail = Tail(image.ordinal, image.first_ordinal, layout, plan, memory)
    tail.fill_from(arrays)
    tail.sealed = image.sealed
    return tail


def column_buffers(pieces: Iterable[tuple[int, str, memoryview]]) -> dict[int, ColumnBuffers]:
    """Return (column id, role, bytes) as columns by id."""
    found: dict[int, dict[str, pa.Buffer]] = {}
    for column, role, data in pieces:
        found.setdefault(column, {})[role] = pa.py_buffer(data)
    return {
        at: ColumnBuffers(
            roles["validity"],
            roles["offsets" if "bytes" in roles else "values"],
            roles.get("bytes"),
        )
        for at, roles in found.items()
    }
