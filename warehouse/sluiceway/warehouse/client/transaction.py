"""Writes to several tables that are one commit: collected here, sent as one batch.

Invariants: nothing is sent before `commit`; all of it is written at one LSN, or none of it; a
transaction is committed once.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import pyarrow as pa

from sluiceway.catalog import UserError
from sluiceway.warehouse.client.writer import Ack, Writer, batches_of

SCHEMA = pa.schema(
    [
        pa.field("_table", pa.int32(), nullable=False),
        pa.field("_rows", pa.binary(), nullable=False),
    ]
)
_BYTES_MAX = 2**31 - 1


@dataclass
class _TableWrites:
    """The head of one table's writes, and their batches, which have one schema."""

    head: dict[str, Any]
    batches: list[pa.RecordBatch] = field(default_factory=list)


class Transaction:
    """Collects rows; leaving its `with` block without an error commits them."""

    def __init__(self, open_writer: Callable[[dict[str, Any], pa.Schema], Writer]) -> None:
        self._open_writer = open_writer
        self._tables: dict[tuple[str, str], _TableWrites] = {}
        self._ended = False
        self.ack: Ack | None = None

    def write(
        self,
        database: str,
        table: str,
        rows: pa.RecordBatch | pa.Table,
        *,
        table_id: int | None = None,
        conflict: str = "update",
        partial: bool = False,
    ) -> None:
        """Add rows; without `_op` they are upserts. Writes to one table are alike but for rows."""
        self._check_open()
        head = {
            "database": database,
            "table": table,
            "table_id": table_id,
            "conflict": conflict,
            "partial": partial,
        }
        batches = [batch for batch in batches_of(rows) if batch.num_rows]
        known = self._tables.setdefault((database, table), _TableWrites(head))
        schema = next((batch.schema for batch in [*known.batches, *batches]), None)
        if known.head != head or not all(batch.schema.equals(schema) for batch in batches):
            raise UserError(
                f"one transaction writes {database}.{table} in one way: with the same columns and "
                "options each time"
            )
        known.batches += batches

    def commit(self) -> Ack | None:
        """Write everything and wait for the disk; None if there was nothing to write."""
        self._check_open()
        self._ended = True
        writes = [each for each in self._tables.values() if each.batches]
        if not writes:
            return None
        batch = _together([each.batches for each in writes])
        with self._open_writer({"tables": [each.head for each in writes]}, SCHEMA) as writer:
            [self.ack] = [*writer.write(batch), *writer.flush()]
        return self.ack

    def _check_open(self) -> None:
        if self._ended:
            raise ValueError("the transaction has ended; begin another")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None and not self._ended:
            self.commit()
        self._ended = True


def _together(tables: Sequence[Sequence[pa.RecordBatch]]) -> pa.RecordBatch:
    """Return RecordBatch[_table: int32, _rows: binary]: an IPC stream a table, end to end."""
    sink, ends = pa.BufferOutputStream(), [0]
    for batches in tables:
        with pa.ipc.new_stream(sink, batches[0].schema) as stream:
            for batch in batches:
                stream.write_batch(batch)
        ends.append(sink.tell())
    if ends[-1] > _BYTES_MAX:
        raise UserError(f"a transaction of {ends[-1]} bytes: {_BYTES_MAX} are the most")
    offsets = pa.array(ends, pa.int32()).buffers()[1]
    rows = pa.Array.from_buffers(pa.binary(), len(tables), [None, offsets, sink.getvalue()])
    numbers = pa.array(range(len(tables)), pa.int32())
    return pa.RecordBatch.from_arrays([numbers, rows], schema=SCHEMA)
