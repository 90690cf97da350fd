"""What is known of a shard before it is read from a checkpoint.

Invariant: counts are those of the rows that `read` gives, of which nothing is in memory yet.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from sluiceway.catalog import SluicewayError, Table

from .image import SegmentImage


@dataclass(frozen=True)
class ShardStats:
    """Counts of one shard: `rows` alive in the writer's eyes, `versions` of rows stored in all.

    What is in memory, index and `bytes`, is 0 for a cold one.
    """

    rows: int
    versions: int
    segments: int
    dropped_segments: int
    index_slots: int = 0
    index_used: int = 0
    index_partitions: int = 0
    bytes: int = 0


@dataclass(frozen=True)
class StoredShard:
    """A shard as a checkpoint at `lsn` has it."""

    lsn: int
    stats: ShardStats
    read: Callable[[], Sequence[SegmentImage]]
    schema_of: Callable[[int], Table]

    @classmethod
    def of(
        cls, images: Sequence[SegmentImage], lsn: int, schema_of: Callable[[int], Table]
    ) -> StoredShard:
        """Return a shard of which all is at hand."""
        kept = [image for image in images if not image.dropped]
        stats = ShardStats(
            rows=sum(image.alive for image in kept),
            versions=sum(image.rows for image in kept),
            segments=len(kept),
            dropped_segments=len(images) - len(kept),
        )
        return cls(lsn, stats, lambda: images, schema_of)

    def at_hand(self) -> StoredShard:
        """Return the same without its file, which goes; what cannot be read stays so."""
        try:
            images = self.read()
        except (SluicewayError, OSError):
            return self
        return replace(self, read=lambda: images)
