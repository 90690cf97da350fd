"""Checkpoints: immutable files and the manifest that names them."""

from sluiceway.warehouse.checkpoint.datafile import (
    Buffer,
    Marks,
    decode_marks,
    decode_segment,
    encode_marks,
    encode_segment,
)
from sluiceway.warehouse.checkpoint.manifest import (
    KEPT,
    Dropped,
    HistoryBase,
    Hold,
    Manifest,
    Manifests,
    SegmentEntry,
    ShardEntry,
    Unit,
    decode_manifest,
    encode_manifest,
)
from sluiceway.warehouse.checkpoint.packs import PackWriter
from sluiceway.warehouse.checkpoint.shards import ShardFiles
from sluiceway.warehouse.checkpoint.stage import Stage, StagedBatch, StageEnd

__all__ = [
    "KEPT",
    "Buffer",
    "Dropped",
    "HistoryBase",
    "Hold",
    "Manifest",
    "Manifests",
    "Marks",
    "PackWriter",
    "SegmentEntry",
    "ShardEntry",
    "ShardFiles",
    "Stage",
    "StageEnd",
    "StagedBatch",
    "Unit",
    "decode_manifest",
    "decode_marks",
    "decode_segment",
    "encode_manifest",
    "encode_marks",
    "encode_segment",
]
