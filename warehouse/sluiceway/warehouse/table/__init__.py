"""A table's rows in memory: segments, index, merge, snapshots. Knows no log, disk or wire."""

from ..mapped import Memory, MemoryStats
from .control import Control
from .distribution import distribution_hashes, shard_of
from .image import SegmentImage
from .merge import MergeResult
from .prepare import OP_NAME, prepare
from .shard import MergePlan, Shard, ShardStats

__all__ = [
    "OP_NAME",
    "Control",
    "Memory",
    "MemoryStats",
    "MergePlan",
    "MergeResult",
    "SegmentImage",
    "Shard",
    "ShardStats",
    "distribution_hashes",
    "prepare",
    "shard_of",
]
