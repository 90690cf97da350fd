"""The data folder: who it is, who holds it, where it was reached last.

    sluiceway.json   uuid, format version, timeline, log id; created once, never changed
    LOCK             flock of the writing process; JSON: pid, endpoint, run folder
    endpoint         JSON: host and port to use again

Invariants: one process writes a folder at a time, and the kernel drops its lock when it dies. A
folder with foreign content is never made a warehouse. Every name that `open` found is durable.
"""

import json
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sluiceway.catalog import CorruptionError, UnavailableError, UserError
from sluiceway.warehouse.disk import Disk, Lock, process_id
from sluiceway.warehouse.header import FORMAT_VERSION, Identity

IDENTITY_FILE, LOCK_FILE, ENDPOINT_FILE = "sluiceway.json", "LOCK", "endpoint"
_HARMLESS = {LOCK_FILE, IDENTITY_FILE + ".new", ENDPOINT_FILE, "run", "lost+found"}


@dataclass(frozen=True)
class WarehouseIdentity:
    """The constant part of an external position, and which start of the process this is."""

    uuid: uuid.UUID
    timeline: int
    log_id: int
    incarnation: int

    @classmethod
    def of(cls, identity: Identity, incarnation: int) -> "WarehouseIdentity":
        """The identity of a folder at one start."""
        return cls(identity.warehouse, identity.timeline, identity.log_id, incarnation)


@dataclass(frozen=True)
class LockNote:
    """What the lock file says of the process that writes, or wrote last: nothing after `close`."""

    pid: int | None = None
    endpoint: str | None = None
    run: Path | None = None

    @classmethod
    def read(cls, path: Path, disk: Disk) -> "LockNote":
        """The note in a data folder; an empty one if there is none or it is half written."""
        try:
            about = json.loads(disk.read(path / LOCK_FILE))
            run = about["run"]
            return cls(about["pid"], about["endpoint"], None if run is None else Path(run))
        except (OSError, ValueError, KeyError, TypeError):
            return cls()


class Folder:
    """A locked data folder."""

    def __init__(self, path: Path, disk: Disk, lock: Lock, identity: Identity) -> None:
        self.path = path
        self.identity = identity
        self.log = path / "log"
        self.checkpoint = path / "checkpoint"
        self.data = path / "data"
        self._disk = disk
        self._lock = lock
        self._about: dict[str, Any] = {"pid": process_id(), "endpoint": None, "run": None}
        self.left_behind = LockNote.read(path, disk).run

    @classmethod
    def open(cls, path: Path, disk: Disk) -> "Folder":
        """Lock a folder and read who it is; an empty or missing one becomes a warehouse."""
        disk.mkdir(path)
        lock = disk.lock(path / LOCK_FILE)
        if lock is None:
            raise _held(path, disk)
        try:
            _create_identity(path, disk)
            folder = cls(path, disk, lock, read_identity(path, disk))
            for part in (folder.log, folder.checkpoint, folder.data):
                disk.mkdir(part)
            # A process that was killed may have renamed and not synced: what is seen here and
            # built on must be durable first.
            for part in (path, folder.log, folder.checkpoint):
                disk.sync_folder(part)
        except BaseException:
            lock.close()
            raise
        return folder

    def announce(self, *, endpoint: str | None = None, run: Path | None = None) -> None:
        """Tell in the lock file where this process can be reached and where its memory is."""
        if endpoint is not None:
            self._about["endpoint"] = endpoint
        if run is not None:
            self._about["run"] = str(run)
        self._lock.write(json.dumps(self._about))

    def remember_endpoint(self, host: str, port: int) -> None:
        """Keep the port for the next start, so that clients find the server again."""
        text = json.dumps({"host": host, "port": port})
        self._disk.replace(self.path / ENDPOINT_FILE, [text.encode()])

    def last_port(self) -> int | None:
        """The port of the last start; None if there was none or the file is unreadable."""
        if not self._disk.exists(self.path / ENDPOINT_FILE):
            return None
        try:
            return int(json.loads(self._disk.read(self.path / ENDPOINT_FILE))["port"])
        except (ValueError, KeyError, TypeError):
            return None

    def close(self) -> None:
        """Give the lock back."""
        self._lock.close()


def _held(path: Path, disk: Disk) -> UnavailableError:
    note = LockNote.read(path, disk)
    who = "another process"
    if note.pid is not None:
        who = f"process {note.pid}, which answers at {note.endpoint or 'no endpoint yet'}"
    return UnavailableError(f"{path} is held by {who}: connect there, or stop it first")


def _create_identity(path: Path, disk: Disk) -> None:
    file = path / IDENTITY_FILE
    if not disk.exists(file):
        foreign = sorted(set(disk.list(path)) - _HARMLESS)
        if foreign:
            raise UserError(
                f"{path} is no warehouse and not empty ({foreign[0]!r} is there): name another "
                "folder or empty this one",
                sqlstate="42000",
            )
        about = {"uuid": str(uuid.uuid4()), "format": FORMAT_VERSION, "timeline": 1, "log": 1}
        disk.replace(file, [json.dumps(about).encode()])


def read_identity(path: Path, disk: Disk) -> Identity:
    """Who the warehouse in a folder is."""
    file = path / IDENTITY_FILE
    if not disk.exists(file):
        raise UserError(f"{path} is no warehouse: there is no {IDENTITY_FILE}", sqlstate="42000")
    try:
        about = json.loads(disk.read(file))
        version = int(about["format"])
        identity = Identity(uuid.UUID(about["uuid"]), int(about["timeline"]), int(about["log"]))
    except (ValueError, KeyError, TypeError) as error:
        raise CorruptionError(f"{file} is damaged: {error}") from error
    if version != FORMAT_VERSION:
        raise UserError(
            f"{path} has format version {version}, this release reads version {FORMAT_VERSION}: "
            "open it with the release that wrote it",
            sqlstate="0A000",
        )
    return identity
