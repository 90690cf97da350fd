"""DuckDB instances: in memory, without files, network or extensions, in UTC, with our macros.

A query that needs more than half of the machine's memory fails (SQLSTATE 53200): it neither spills
to files nor takes the store down.

Invariants: an instance serves one query at a time; it goes back to the pool only as it was: after
a query that was read to its end and whose views are gone, or a block that only parses (`borrowed`),
well or not. Else it is closed. DuckDB stores nothing of ours.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb

from sluiceway.warehouse.query import macros

IDLE_MAX = 2  # an instance costs 60 ms to make and has threads of its own

_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": "false",
    "temp_directory": "",
    "memory_limit": "50%",
}
_SETTINGS = (
    "SET TimeZone = 'UTC'",
    "SET python_enable_replacements = false",
    "SET produce_arrow_string_view = false",
    "SET arrow_large_buffer_size = false",
)


@dataclass(frozen=True)
class EngineStats:
    """How many instances were made, and how many wait."""

    made: int
    idle: int


class Engines:
    """A pool of instances, last used first."""

    def __init__(self, idle_max: int = IDLE_MAX) -> None:
        self._idle_max = idle_max
        self._idle: list[duckdb.DuckDBPyConnection] = []
        self._made = 0
        self._lock = threading.Lock()

    def take(self) -> duckdb.DuckDBPyConnection:
        """Return an instance that nobody else uses."""
        with self._lock:
            if self._idle:
                return self._idle.pop()
            self._made += 1
        connection = duckdb.connect(":memory:", config=_CONFIG)
        for setting in _SETTINGS:
            connection.execute(setting)
        macros.install(connection)
        connection.execute("SET lock_configuration = true")
        return connection

    def give(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Take back an instance that is as it was when it was taken."""
        with self._lock:
            if len(self._idle) < self._idle_max:
                self._idle.append(connection)
                return
        connection.close()

    @contextmanager
    def borrowed(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """An instance for the time of a block that leaves nothing behind in it."""
        connection = self.take()
        try:
            yield connection
        finally:
            self.give(connection)

    def stats(self) -> EngineStats:
        """Return the counts."""
        with self._lock:
            return EngineStats(self._made, len(self._idle))
