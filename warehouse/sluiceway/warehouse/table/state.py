"""What a reader holds: the segments and the index of a shard at one moment.

Invariant: what a State shows never changes; the writer replaces it as a whole when a segment or a
partition comes. The caches in it are bounded, and filled by whoever reads. It keeps every file
behind its pointers alive. It shows at least all that was published when it was fetched, so a reader
takes the LSN first and the State second.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ..kernels.views import Slots, Versions
from ..mapped import Mapped
from .layout import TableLayout
from .segment import Segment
from .selection import Selection

if TYPE_CHECKING:
    from .find import Finder
    from .point import Point

_MOST_SELECTIONS, MOST_FINDERS = 64, 4


@dataclass(frozen=True)
class State:
    """Segments, their marks and chains, and the index."""

    segments: tuple[Segment, ...]
    versions: Versions
    slots: Slots
    index_files: tuple[Mapped, ...]
    selections: dict[tuple[int, tuple[int, ...]], Selection] = field(default_factory=dict)
    finders: dict[int, Finder] = field(default_factory=dict)
    points: dict[tuple[int, tuple[str, ...] | None], Point] = field(default_factory=dict)

    def select(self, layout: TableLayout, positions: tuple[int, ...]) -> Selection:
        """Return some columns of a schema version."""
        key = (layout.table.schema_version, positions)
        found = self.selections.get(key)
        if found is None:
            if len(self.selections) >= _MOST_SELECTIONS:
                self.selections.clear()
            columns = [layout.columns[at] for at in positions]
            found = self.selections[key] = Selection(columns, self.segments)
        return found


def versions_of(segments: Sequence[Segment]) -> Versions:
    """Return the pointers to marks and chains of all segments, 0 for those that are dropped."""
    sides = [None if segment.dropped else segment.side for segment in segments]
    return Versions(
        np.array([0 if side is None else side.marks for side in sides], np.int64),
        np.array([0 if side is None else side.prev for side in sides], np.int64),
    )
