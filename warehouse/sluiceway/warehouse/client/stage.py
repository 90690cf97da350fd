"""A staged write: batches that are durable at once and visible when all of them are committed.

Invariants: batches are numbered in the order in which they are written, so one that is sent twice
counts once; what was not committed is given up when the `with` block is left by an error.
"""

from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any, Self

import pyarrow as pa

from sluiceway.warehouse.client.routes import Routes, encode
from sluiceway.warehouse.client.writer import Ack, Writer, write_rows


class Stage:
    """Batches for one table that wait for their commit; used by one thread."""

    def __init__(self, routes: Routes, head: dict[str, Any], sequence: int) -> None:
        self._routes = routes
        self._head = head
        self.name: str = head["name"]
        self.epoch: int = head["epoch"]
        self.sequence = sequence
        self._ended = False

    def write(self, rows: pa.RecordBatch | pa.Table) -> list[Ack]:
        """Stage rows and wait for the disk; those without `_op` are upserts. One ack a batch.

        A table without rows is a batch, too: a commit may put it in place of what is there.
        """
        if isinstance(rows, pa.Table) and not rows.num_rows:
            rows = pa.RecordBatch.from_pylist([], schema=rows.schema)
        command = encode({"stage": self._head | {"sequence": self.sequence}})
        acks = write_rows(lambda schema: Writer(self._routes, command, schema), rows)
        self.sequence += len(acks)
        return acks

    def commit(self, *, overwrite: bool = False, partition: Mapping[str, str] | None = None) -> Ack:
        """Show all of it at one LSN.

        With `overwrite` in place of the rows that the table has, or one `partition` of it.
        """
        stages = [(self.name, self.epoch)]
        ack = commit_staged(self._routes, stages, overwrite=overwrite, partition=partition)
        self._ended = True
        return ack

    def abort(self) -> None:
        """Give it up."""
        abort_staged(self._routes, [(self.name, self.epoch)])
        self._ended = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is not None and not self._ended:
            self.abort()


def commit_staged(
    routes: Routes,
    stages: Iterable[tuple[str, int]],
    *,
    overwrite: bool,
    partition: Mapping[str, str] | None,
) -> Ack:
    """Commit stages, as (name, epoch), at one LSN; to repeat it changes nothing."""
    body = {"stages": _named(stages), "overwrite": overwrite, "partition": partition}
    ack = Ack(**routes.act("commit_staged", body, repeatable=True))
    routes.acknowledged(ack.lsn)
    return ack


def abort_staged(routes: Routes, stages: Iterable[tuple[str, int]]) -> None:
    """Give stages up; those that are gone are left alone."""
    routes.act("abort_staged", {"stages": _named(stages)}, repeatable=True)


def _named(stages: Iterable[tuple[str, int]]) -> list[dict[str, Any]]:
    return [{"name": name, "epoch": epoch} for name, epoch in stages]
