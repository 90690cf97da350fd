"""A staged write as the manifest keeps it: what was staged where, and how it ended.

Invariant: batches are numbered from 0 in the order in which they were staged; a stage that ended
names none, for nobody reads them any more.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class StagedBatch:
    """The LSN of a STAGE record, where it lies in the log, and its rows."""

    lsn: int
    file: int
    offset: int
    rows: int


@dataclass(frozen=True)
class StageEnd:
    """Where a stage ended, with the rows and events of the commit; or that it was aborted."""

    lsn: int
    rows: int
    events: int
    aborted: bool


@dataclass(frozen=True)
class Stage:
    """Batches for one table that wait for their commit.

    `epoch` is that of the writer that owns the stage; `expires_us` is when it is aborted, and when
    it is forgotten once it has ended.
    """

    name: str
    epoch: int
    table_id: int
    conflict: str
    partial: bool
    expires_us: int
    batches: tuple[StagedBatch, ...] = ()
    end: StageEnd | None = None

    def to_json(self) -> dict[str, Any]:
        """The document of the manifest."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Stage":
        """Read `to_json`'s document."""
        end = document["end"]
        batches = tuple(StagedBatch(**batch) for batch in document["batches"])
        ended = None if end is None else StageEnd(**end)
        return cls(**{**document, "batches": batches, "end": ended})
