"""The errors that Sluiceway raises on purpose, each with its SQLSTATE.

    SluicewayError            XX000  something that is a defect of ours
    ├─ UserError              22023  a name, option, type or value that cannot be accepted
    ├─ NotFoundError          42P01  no such database (3D000), table (42P01), column (42703)
    ├─ ExistsError            42P07  the database (42P04), table (42P07), column (42701) is there
    ├─ ConflictError          40001  the table changed or was re-created meanwhile; retry
    ├─ GoneError              55000  the position is no longer kept, the hold has expired
    ├─ UnavailableError       57P03  the server starts or stops; retry
    ├─ DiskFullError          53100  no room for the log; nothing of the commit was applied
    └─ CorruptionError        XX001  bytes on disk are not what was written

Invariants: the text names the value and the cure; it is one line; `text()` is the form that travels
(`[SQLSTATE] message`) and `error_from_text` finds the same class again, whatever a transport has
wrapped around it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar


class SluicewayError(Exception):
    """The root of the tree; raised itself only for defects of Sluiceway."""

    sqlstate: str = "XX000"
    retry: ClassVar[bool] = False
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, sqlstate: str | None = None) -> None:
        super().__init__(message)
        self.message = " ".join(message.split())
        if sqlstate is not None:
            self.sqlstate = sqlstate

    def __str__(self) -> str:
        return self.message

    def text(self) -> str:
        """Return `[SQLSTATE] message`, the form that crosses the wire."""
        return f"[{self.sqlstate}] {self.message}"

    def to_json(self) -> dict[str, Any]:
        """Return `{"sqlstate", "message", "retry"}` for an error's extra info."""
        return {"sqlstate": self.sqlstate, "message": self.message, "retry": self.retry}

    @staticmethod
    def from_json(document: Mapping[str, Any]) -> SluicewayError:
        """Make the error of the class that the SQLSTATE in `document` belongs to."""
        return _error(str(document["sqlstate"]), str(document["message"]))


class UserError(SluicewayError):
    """What was asked for cannot be done as it stands; asking again changes nothing."""

    sqlstate = "22023"
    exit_code = 2


class NotFoundError(SluicewayError):
    """A database, table or column of this name does not exist."""

    sqlstate = "42P01"
    exit_code = 3


class ExistsError(SluicewayError):
    """A database, table or column of this name exists already."""

    sqlstate = "42P07"
    exit_code = 4


class ConflictError(SluicewayError):
    """The table changed or was re-created between two steps of the caller."""

    sqlstate = "40001"
    retry = True
    exit_code = 5


class GoneError(SluicewayError):
    """The log position or the hold that was asked for is no longer kept."""

    sqlstate = "55000"
    exit_code = 6


class UnavailableError(SluicewayError):
    """The server cannot answer now and will be able to."""

    sqlstate = "57P03"
    retry = True
    exit_code = 7


class DiskFullError(SluicewayError):
    """The disk has no room; nothing of the commit was applied."""

    sqlstate = "53100"
    exit_code = 8


class CorruptionError(SluicewayError):
    """Stored bytes are damaged; the text names the file and the offset."""

    sqlstate = "XX001"
    exit_code = 9


_BY_STATE: Mapping[str, type[SluicewayError]] = {
    "3D000": NotFoundError,
    "42P01": NotFoundError,
    "42703": NotFoundError,
    "42P04": ExistsError,
    "42P07": ExistsError,
    "42701": ExistsError,
    "40001": ConflictError,
    "55000": GoneError,
    "57P03": UnavailableError,
    "53100": DiskFullError,
    "53200": UserError,
    "57014": UserError,
    "XX001": CorruptionError,
    "XX000": SluicewayError,
}
_USER_CLASSES = ("0A", "22", "23", "25", "2B", "42", "54")
_TEXT = re.compile(r"\[([0-9A-Z]{5})\] ([^\r\n]*)")
# What gRPC and Arrow append to a message on its way through a Flight client.
_TRANSPORT_TAIL = re.compile(
    r"\.? (gRPC client debug context|Client context|Detail|Additional info): .*"
)


def _error(sqlstate: str, message: str) -> SluicewayError:
    user = sqlstate[:2] in _USER_CLASSES
    kind = _BY_STATE.get(sqlstate, UserError if user else SluicewayError)
    return kind(message, sqlstate=sqlstate)


def error_from_text(text: str) -> SluicewayError | None:
    """Find `[SQLSTATE] message` in a transport's error text; None if it holds none."""
    found = _TEXT.search(text)
    if found is None:
        return None
    return _error(found[1], _TRANSPORT_TAIL.sub("", found[2]))
