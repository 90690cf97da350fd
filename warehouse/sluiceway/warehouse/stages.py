"""Staged writes: durable batches that nobody sees until a commit gives all of them one LSN.

A stage has a name, chosen by its writer, and belongs to the writer's epoch. Its batches are
numbered, so a batch that is sent again is recognised; a commit or an abort that is sent again is
answered as the first time. A writer of a higher epoch takes an open stage over and begins it anew;
one of a lower epoch is a zombie and is refused.

Invariants: what a record of a stage does is in its document alone, so replay decides nothing. A
stage ends once: by a commit, or by an abort, which housekeeping asks for when nothing was added for
`stage_ttl_s`. Its end is remembered as long again.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import pyarrow as pa

from sluiceway.catalog import ConflictError, CorruptionError, GoneError, UserError
from sluiceway.warehouse.checkpoint import Stage, StagedBatch, StageEnd
from sluiceway.warehouse.clock import SECOND_US
from sluiceway.warehouse.log import (
    Located,
    LogFiles,
    Part,
    PartKind,
    json_part,
    read_entries,
    read_pieces,
)
from sluiceway.warehouse.requests import (
    AbortWork,
    Ack,
    CommitStagedWork,
    StageNames,
    StageWork,
    WriteRequest,
    WriteWork,
    prepare_write,
    target_table,
)
from sluiceway.warehouse.state import State

StageDocument: TypeAlias = Mapping[str, Any]
Stages: TypeAlias = Mapping[str, Stage]


class StageCommits:
    """Decides what requests about stages come to."""

    def __init__(self, ttl_s: int) -> None:
        self._ttl_us = ttl_s * SECOND_US

    def plan(
        self, state: State, work: StageWork | AbortWork, now_us: int
    ) -> tuple[Ack, StageDocument | None]:
        """The answer, and the document of the record that it takes; None if it was done before."""
        if isinstance(work, AbortWork):
            names, ack = _to_abort(state.stages, work), Ack(state.lsn, 0, 0)
            forget_us = now_us + self._ttl_us
            return ack, _end_document(names, ack, forget_us, "abort") if names else None
        table = target_table(state.catalog, work.request)
        known = _staged_before(state.stages, work, table.id)
        if known is not None:
            return Ack(known.lsn, known.rows, 0), None
        document = {
            "stage": work.name, "epoch": work.epoch, "table": table.id,
            "conflict": work.request.conflict, "partial": work.request.partial,
            "rows": work.batch.num_rows, "expires_us": now_us + self._ttl_us,
        }  # fmt: skip
        return Ack(state.lsn, work.batch.num_rows, 0), document

    def committed(self, state: State, work: CommitStagedWork) -> Ack | None:
        """The answer to a commit that was carried out before; None if it is to be done now."""
        ack = answered(state.stages, work.stages)
        if ack is None and open_stages(state.stages, work.stages) != list(work.found):
            raise ConflictError("a stage changed while it was being committed: commit again")
        return ack

    def ending(self, names: StageNames, ack: Ack, now_us: int) -> StageDocument:
        """The document of the record that commits stages."""
        return _end_document(names, ack, now_us + self._ttl_us, "commit")


def _end_document(names: StageNames, ack: Ack, forget_us: int, end: str) -> StageDocument:
    return {"end": end, "stages": names, "rows": ack.rows, "events": ack.events,
            "forget_us": forget_us}  # fmt: skip


def stage_parts(document: StageDocument, batch: pa.RecordBatch | None = None) -> list[Part]:
    """The parts of a record about stages: its document, and a batch as an Arrow IPC stream."""
    parts = [json_part(json.dumps(document).encode())]
    if batch is not None:
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, batch.schema) as stream:
            stream.write_batch(batch)
        pieces = (b"", b"", memoryview(sink.getvalue()), b"")
        parts.append(Part(document["table"], 0, 0, 0, PartKind.STAGED, 0, 0, 0, pieces))
    return parts


def stages_after(stages: Stages, document: StageDocument, located: Located) -> Stages:
    """The stages after a record about some of them."""
    header = located.header
    after = {
        name: stage
        for name, stage in stages.items()
        if stage.end is None or stage.expires_us > header.time_us
    }
    if "stage" in document:
        batch = StagedBatch(header.commit_lsn, located.file, located.offset, document["rows"])
        after[document["stage"]] = _with_batch(stages, document, batch)
        return after
    aborted = document["end"] == "abort"
    end = StageEnd(header.commit_lsn, document["rows"], document["events"], aborted)
    for name, _ in document["stages"]:
        stage = stages[name]
        after[name] = replace(stage, batches=(), end=end, expires_us=document["forget_us"])
    return after


def _with_batch(stages: Stages, document: StageDocument, batch: StagedBatch) -> Stage:
    name, epoch = document["stage"], document["epoch"]
    known = stages.get(name)
    before = known.batches if known is not None and known.epoch == epoch else ()
    return Stage(
        name, epoch, document["table"], document["conflict"], document["partial"],
        document["expires_us"], (*before, batch),
    )  # fmt: skip


def open_stages(stages: Stages, names: StageNames) -> list[Stage]:
    """The stages of these names and epochs, all of them open; or why they cannot be ended."""
    found = []
    for name, epoch in names:
        stage = stages.get(name)
        if stage is None:
            raise GoneError(
                f"there is no stage {name!r}: nothing was staged under that name, or its end was "
                "so long ago that it is forgotten"
            )
        _check_open(stage, epoch)
        found.append(stage)
    return found


def answered(stages: Stages, names: StageNames) -> Ack | None:
    """The first answer to the same commit; None if one of the stages is not committed by it."""
    ends = set()
    for name, epoch in names:
        stage = stages.get(name)
        ends.add(stage.end if stage is not None and stage.epoch == epoch else None)
    if len(ends) > 1:
        return None
    [end] = ends
    return None if end is None or end.aborted else Ack(end.lsn, end.rows, end.events)


def oldest_staged(stages: Stages, lsn: int) -> int:
    """The oldest LSN at which something was staged that waits for its commit; else `lsn`."""
    staged = (stage.batches[0].lsn for stage in stages.values() if stage.batches)
    return min(lsn, min(staged, default=lsn))


def expired(stages: Stages, now_us: int) -> StageNames:
    """The open stages to which nothing was added for too long."""
    return tuple(
        (stage.name, stage.epoch)
        for stage in stages.values()
        if stage.end is None and stage.expires_us <= now_us
    )


def staged_writes(
    files: LogFiles,
    state: State,
    stages: Sequence[Stage],
    *,
    overwrite: bool,
    partition: Mapping[str, str] | None,
) -> list[WriteWork]:
    """The writes of some stages, read from the log; `overwrite`: they replace together."""
    works: list[WriteWork] = []
    for stage in stages:
        table = state.catalog.tables.get(stage.table_id)
        if table is None:
            raise GoneError(f"the table (id {stage.table_id}) of stage {stage.name!r} was dropped")
        for batch in _batches(files, stage):
            request = WriteRequest(
                table.database, table.name, table.id, stage.conflict, stage.partial,
                overwrite=overwrite, partition=partition,
            )  # fmt: skip
            works.append(prepare_write(state.catalog, [(request, batch)]))
    return works


def _batches(files: LogFiles, stage: Stage) -> Iterator[pa.RecordBatch]:
    for batch in stage.batches:
        for entry in read_entries(files, batch.file, batch.offset):
            if entry["kind"] == PartKind.STAGED:
                offset = batch.offset + int(entry["offset"])
                stream = read_pieces(files, batch.file, offset, entry)[2]
                try:
                    with pa.ipc.open_stream(pa.py_buffer(stream)) as reader:
                        yield reader.read_next_batch()
                except (pa.ArrowException, OSError, StopIteration) as error:
                    where = f"{files.path(batch.file)} offset {offset}"
                    raise CorruptionError(f"{where}: {error}") from error


def _staged_before(stages: Stages, work: StageWork, table_id: int) -> StagedBatch | None:
    """The batch that a request sends again, None if it is new; or why it cannot be staged."""
    stage, known = stages.get(work.name), 0
    if stage is not None and (stage.end is not None or stage.epoch >= work.epoch):
        _check_open(stage, work.epoch)
        asked = table_id, work.request.conflict, work.request.partial
        if asked != (stage.table_id, stage.conflict, stage.partial):
            raise UserError(
                f"stage {work.name!r} writes to one table in one way: stage other writes under "
                "names of their own"
            )
        known = len(stage.batches)
        if work.sequence < known:
            return stage.batches[work.sequence]
    if work.sequence > known:
        raise UserError(
            f"stage {work.name!r} has {known} batches of epoch {work.epoch}, so batch "
            f"{work.sequence} leaves a gap: go on with batch {known}"
        )
    return None


def _to_abort(stages: Stages, work: AbortWork) -> StageNames:
    """Those of some stages that are open; an abort of one that is gone is done already."""
    late = None if work.expired_us is None else expired(stages, work.expired_us)
    found = []
    for name, epoch in work.stages:
        stage = stages.get(name)
        if stage is None or (stage.end is not None and stage.end.aborted):
            continue
        if late is not None and (name, epoch) not in late:
            continue
        _check_open(stage, epoch)
        found.append((name, epoch))
    return tuple(found)


def _check_open(stage: Stage, epoch: int) -> None:
    if epoch < stage.epoch:
        raise GoneError(
            f"stage {stage.name!r} belongs to epoch {stage.epoch} and epoch {epoch} is over: "
            "another writer took its place, so end this one"
        )
    if stage.end is not None:
        how = "aborted, or it expired," if stage.end.aborted else "committed"
        raise GoneError(
            f"stage {stage.name!r} was {how} at LSN {stage.end.lsn}: stage under another name"
        )
    if epoch > stage.epoch:
        raise UserError(
            f"stage {stage.name!r} is of epoch {stage.epoch}: nothing was staged in epoch {epoch}"
        )


def state_after(located: Located, state: State, document: StageDocument | None) -> State:
    """The state after a record that changed no catalog; `document` is what it did to stages."""
    lsn, time_us = located.header.commit_lsn, located.header.time_us
    stages = state.stages if document is None else stages_after(state.stages, document, located)
    return replace(state, lsn=lsn, time_us=time_us, stages=stages)
