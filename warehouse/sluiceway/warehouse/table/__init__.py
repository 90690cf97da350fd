"""A table's rows in memory: segments, index, merge, snapshots. Knows no log, disk or wire."""

from ..mapped import Memory, MemoryStats
from .arrays import BATCH_BYTES, bytes_of, joined
from .attached import AttachedShards, AttachedStats
from .compaction import Move
from .control import Control, ControlView, retire
from .distribution import distribution_hashes, partition_values, shard_of, unit_of_rows
from .image import SegmentImage, column_buffers
from .merge import MergeResult
from .message import POSITION
from .point import TooOldError
from .prepare import OP_NAME, lacking, prepare
from .segment import DataFile, Segment, StoredColumns
from .shard import MergePlan, Shard
from .stored import ShardStats, StoredShard
from .view import HeldPoint, ShardView

__all__ = [
    "BATCH_BYTES",
    "OP_NAME",
    "POSITION",
    "AttachedShards",
    "AttachedStats",
    "Control",
    "ControlView",
    "DataFile",
    "HeldPoint",
    "Memory",
    "MemoryStats",
    "MergePlan",
    "MergeResult",
    "Move",
    "Segment",
    "SegmentImage",
    "Shard",
    "ShardStats",
    "ShardView",
    "StoredColumns",
    "StoredShard",
    "TooOldError",
    "bytes_of",
    "column_buffers",
    "distribution_hashes",
    "joined",
    "lacking",
    "partition_values",
    "prepare",
    "retire",
    "shard_of",
    "unit_of_rows",
]
