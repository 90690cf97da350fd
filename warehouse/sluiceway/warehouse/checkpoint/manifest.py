"""The manifest: what a checkpoint consists of, and the LSN that it shows.

    <n, 10 digits>.manifest = file header (64 bytes) | JSON | u64 length of JSON | u64 XXH3-64 of it

Invariants: a manifest is written in one step by `disk.replace` and never changes; every file that
it names was durable before. The newest one that decodes is where a start begins; the one before is
kept, with its files, in case the newest is damaged.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import xxhash

from sluiceway.catalog import Catalog, CorruptionError, SluicewayError
from sluiceway.warehouse.checkpoint.stage import Stage
from sluiceway.warehouse.disk import Disk
from sluiceway.warehouse.header import (
    HEADER_BYTES,
    MANIFEST,
    FileHeader,
    Identity,
    check_identity,
    decode_header,
)

SUFFIX = ".manifest"
_TRAILER_BYTES = 16
KEPT = 2


@dataclass(frozen=True)
class SegmentEntry:
    """One segment of a shard and the data file (relative to the data folder) that holds it.

    A dropped one has no file: `rows` is how many it had.
    """

    ordinal: int
    rows: int
    first_ordinal: int
    capacity: int
    file: str
    schema_version: int
    sealed: bool
    dropped: bool = False


@dataclass(frozen=True)
class Unit:
    """Where a shard lies in a pack."""

    file: str
    offset: int
    length: int


@dataclass(frozen=True)
class ShardEntry:
    """One shard at the checkpoint: the state at `lsn` is its segments with the marks file.

    A small shard is one `unit` instead, which all of its segments name as their file. `rows` is how
    many are visible at `lsn`; manifests from before it was kept do not tell.
    """

    lsn: int
    generation: int
    segments: tuple[SegmentEntry, ...]
    marks: str | None
    unit: Unit | None = None
    rows: int | None = None

    @property
    def is_small(self) -> bool:
        """Whether a start can leave the shard where it is until somebody asks for it."""
        return self.rows is not None and (self.unit is not None or not self.segments)

    @property
    def dropped_segments(self) -> int:
        """How many of the segments are but places."""
        return sum(segment.dropped for segment in self.segments)

    def files(self) -> set[str]:
        """Every file the entry names."""
        files = {entry.file for entry in self.segments if not entry.dropped}
        files |= {self.marks} if self.marks else set()
        return files | ({self.unit.file} if self.unit else set())


@dataclass(frozen=True)
class Hold:
    """A named lease on the snapshot at `lsn`."""

    name: str
    lsn: int
    expires_us: int


@dataclass(frozen=True)
class HistoryBase:
    """The catalog at `lsn`, from which the DDL records of the log lead to all later ones."""

    lsn: int = 0
    catalog: Catalog = field(default_factory=Catalog.empty)


@dataclass(frozen=True)
class Dropped:
    """A table that was dropped at `lsn`, whose rows readers of older LSNs may ask for."""

    lsn: int
    catalog: Catalog  # it alone, as it was


@dataclass(frozen=True)
class Manifest:
    """The state of the warehouse at `lsn`, by reference to files.

    Whoever starts from it needs nothing of the log before `base`, nor of a table's changes before
    the LSN that `forgotten` has for it. LSNs below `horizon` are not read any more: rows that lived
    then were dropped.
    """

    lsn: int
    time_us: int
    catalog: Catalog
    shards: Mapping[tuple[int, int], ShardEntry]
    holds: tuple[Hold, ...] = ()
    ddl: Mapping[str, Any] = field(default_factory=dict)
    horizon: int = 0
    base: HistoryBase = field(default_factory=HistoryBase)
    forgotten: Mapping[int, int] = field(default_factory=dict)
    stages: tuple[Stage, ...] = ()
    dropped: Mapping[int, Dropped] = field(default_factory=dict)

    def catalog_of(self, table_id: int) -> Catalog:
        """The newest catalog that has a table whose shards are here."""
        dropped = self.dropped.get(table_id)
        return self.catalog if dropped is None else dropped.catalog

    def files(self) -> set[str]:
        """Every data and marks file that must stay while this manifest is kept."""
        return {name for entry in self.shards.values() for name in entry.files()}

    def to_json(self) -> dict[str, Any]:
        """The document."""
        tables: dict[str, dict[str, Any]] = {}
        for (table, shard), entry in self.shards.items():
            tables.setdefault(str(table), {})[str(shard)] = _shard_document(entry)
        return {
            "lsn": self.lsn,
            "time_us": self.time_us,
            "catalog": self.catalog.to_json(),
            "tables": tables,
            "holds": [asdict(hold) for hold in self.holds],
            "writers": {stage.name: stage.to_json() for stage in self.stages},
            "ddl": dict(self.ddl),
            "log_from": self.lsn + 1,
            "horizon": self.horizon,
            "base": {"lsn": self.base.lsn, "catalog": self._base_catalog()},
            "forgotten": {str(table): lsn for table, lsn in self.forgotten.items()},
            "dropped": {
                str(table): {"lsn": each.lsn, "catalog": each.catalog.to_json()}
                for table, each in self.dropped.items()
            },
        }

    def _base_catalog(self) -> dict[str, Any] | None:
        return None if self.base.catalog is self.catalog else self.base.catalog.to_json()


def _shard_document(entry: ShardEntry) -> dict[str, Any]:
    """The entry as JSON; `asdict` would copy every value of thousands of shards."""
    segments = [vars(segment) for segment in entry.segments]
    unit = None if entry.unit is None else vars(entry.unit)
    return {**vars(entry), "segments": segments, "unit": unit}


def encode_manifest(manifest: Manifest, identity: Identity, incarnation: int) -> list[bytes]:
    """The bytes of a manifest file."""
    text = json.dumps(manifest.to_json(), separators=(",", ":")).encode()
    trailer = len(text).to_bytes(8, "little")
    trailer += xxhash.xxh3_64_intdigest(text).to_bytes(8, "little")
    return [FileHeader(MANIFEST, identity, incarnation).encode(), text, trailer]


def decode_manifest(data: bytes, identity: Identity, name: str) -> tuple[Manifest, int]:
    """The manifest and its incarnation, or CorruptionError."""
    header = decode_header(data, MANIFEST, name)
    check_identity(header, identity, name)
    text, trailer = data[HEADER_BYTES:-_TRAILER_BYTES], data[-_TRAILER_BYTES:]
    length, checksum = (int.from_bytes(trailer[at : at + 8], "little") for at in (0, 8))
    if length != len(text) or xxhash.xxh3_64_intdigest(text) != checksum:
        raise CorruptionError(f"{name}: the checksum of the document is wrong")
    try:
        return _from_json(json.loads(text)), header.incarnation
    except (KeyError, TypeError, ValueError, AttributeError, SluicewayError) as error:
        raise CorruptionError(f"{name}: not a manifest: {error}") from error


def _from_json(document: Any) -> Manifest:
    shards = {
        (int(table), int(shard)): _shard_entry(entry)
        for table, by_shard in document["tables"].items()
        for shard, entry in by_shard.items()
    }
    catalog = Catalog.from_json(document["catalog"])
    return Manifest(
        lsn=int(document["lsn"]),
        time_us=int(document["time_us"]),
        catalog=catalog,
        shards=shards,
        holds=tuple(Hold(**hold) for hold in document["holds"]),
        stages=tuple(map(Stage.from_json, document["writers"].values())),
        ddl=dict(document["ddl"]),
        horizon=int(document.get("horizon", 0)),
        base=_history_base(document.get("base"), catalog),
        forgotten={int(t): int(lsn) for t, lsn in document.get("forgotten", {}).items()},
        dropped={
            int(table): Dropped(int(each["lsn"]), Catalog.from_json(each["catalog"]))
            for table, each in document.get("dropped", {}).items()
        },
    )


def _history_base(document: Any, catalog: Catalog) -> HistoryBase:
    """The base; manifests of logs that were never cut have none."""
    if document is None:
        return HistoryBase()
    other = document["catalog"]
    return HistoryBase(int(document["lsn"]), catalog if other is None else Catalog.from_json(other))


def _shard_entry(entry: Any) -> ShardEntry:
    segments = tuple(SegmentEntry(**segment) for segment in entry["segments"])
    place = entry.get("unit")  # manifests from before packs have none
    unit = None if place is None else Unit(**place)
    return ShardEntry(
        int(entry["lsn"]),
        int(entry["generation"]),
        segments,
        entry["marks"],
        unit,
        entry.get("rows"),  # manifests from before cold shards have none
    )


class Manifests:
    """The manifests of a folder."""

    def __init__(self, disk: Disk, folder: Path, identity: Identity) -> None:
        self._disk = disk
        self._folder = folder
        self._identity = identity
        self.incarnation = 0
        self.damaged: list[str] = []

    def _numbers(self) -> list[int]:
        stems = (name.removesuffix(SUFFIX) for name in self._disk.list(self._folder))
        return sorted(int(stem) for stem in stems if len(stem) == 10 and stem.isdecimal())

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:010d}{SUFFIX}"

    def newest(self) -> int:
        """The number of the newest manifest, good or not; 0 before the first."""
        return max(self._numbers(), default=0)

    def good(self) -> list[Manifest]:
        """The kept manifests that decode, newest first; the others are listed in `damaged`."""
        found = []
        self.damaged = []
        for number in reversed(self._numbers()[-KEPT:]):
            path = self._path(number)
            try:
                data = self._disk.read(path)
                manifest, incarnation = decode_manifest(data, self._identity, str(path))
            except CorruptionError as error:
                self.damaged.append(str(error))
                continue
            self.incarnation = max(self.incarnation, incarnation)
            found.append(manifest)
        return found

    def write(self, manifest: Manifest, incarnation: int) -> None:
        """Make a manifest the newest and forget all but the last two."""
        numbers = self._numbers()
        number = numbers[-1] + 1 if numbers else 1
        path = self._path(number)
        try:
            self._disk.replace(path, encode_manifest(manifest, self._identity, incarnation))
        except OSError:
            self._disk.unlink(path)  # the rename may have happened; the name is used again
            raise
        for old in numbers[: 1 - KEPT]:
            self._disk.unlink(self._path(old))
