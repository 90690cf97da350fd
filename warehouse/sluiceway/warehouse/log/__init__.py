"""The log: one durable sequence of commits, and the changelog of every table."""

from sluiceway.warehouse.log.files import LogFiles
from sluiceway.warehouse.log.follower import LogFollower
from sluiceway.warehouse.log.format import Part, PartKind, RecordKind, json_part, units
from sluiceway.warehouse.log.index import LogFile, LogIndex, Place, Range, ShardParts
from sluiceway.warehouse.log.outline import Outlines
from sluiceway.warehouse.log.reader import (
    Images,
    read_documents,
    read_entries,
    read_images,
    read_json,
    read_pieces,
    serialize,
)
from sluiceway.warehouse.log.recovery import LogScan
from sluiceway.warehouse.log.writer import Located, LogStats, LogWriter

__all__ = [
    "Images",
    "Located",
    "LogFile",
    "LogFiles",
    "LogFollower",
    "LogIndex",
    "LogScan",
    "LogStats",
    "LogWriter",
    "Outlines",
    "Part",
    "PartKind",
    "Place",
    "Range",
    "RecordKind",
    "ShardParts",
    "json_part",
    "read_documents",
    "read_entries",
    "read_images",
    "read_json",
    "read_pieces",
    "serialize",
    "units",
]
