"""Where a client's calls go: orders and writes to the server, reads to its reading processes.

Invariants: a read shows every write that this client saw acknowledged, for it names the LSN of the
newest one to any process but the server itself; a process that does not answer is left out until
the server is asked again, and the server itself is the last to be read at. A call that may be
repeated is made once more on a connection that a restarted server left behind. A query or a scan
during which its process died is not begun elsewhere: it may be what killed it.
"""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import pyarrow.flight as fl

from sluiceway.catalog import UnavailableError
from sluiceway.warehouse.client.errors import LostError, translated

ASK_AGAIN_S = 5.0

T = TypeVar("T")


@dataclass(frozen=True)
class Route:
    """One process: a connection, and the LSN that reads there must show; None = any."""

    endpoint: str
    flight: fl.FlightClient
    at_least: int | None = None


class Routes:
    """The server at an endpoint, and those that read for it."""

    def __init__(self, endpoint: str) -> None:
        self.server = Route(endpoint, fl.FlightClient(endpoint))
        self._readers: dict[str, fl.FlightClient] = {}
        self._turn = 0
        self._asked_s: float | None = None
        self.written_lsn = 0
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            for flight in self._readers.values():
                flight.close()
            self._readers = {}
        self.server.flight.close()

    def act(self, name: str, body: dict[str, Any], *, repeatable: bool) -> dict[str, Any]:
        """Make one action of the server."""
        action = fl.Action(name, encode(body))

        def call(route: Route) -> dict[str, Any]:
            with translated(route.endpoint):
                [result] = route.flight.do_action(action)
            answer: dict[str, Any] = json.loads(result.body.to_pybytes())
            return answer

        return self._twice(call) if repeatable else call(self.server)

    def read(self, begin: Callable[[Route], T], *, harmless: bool = False) -> T:
        """Begin a read at the process whose turn it is, or at the next that answers.

        A harmless one is also begun again when a process went away during it.
        """
        for route in self._reading():
            try:
                return begin(route)
            except UnavailableError as error:
                with self._lock:
                    self._readers.pop(route.endpoint, None)
                if isinstance(error, LostError) and not harmless:
                    raise
        return self._twice(begin)

    def acknowledged(self, lsn: int) -> None:
        """Take note of a write that later reads must show."""
        with self._lock:
            self.written_lsn = max(self.written_lsn, lsn)

    def _twice(self, call: Callable[[Route], T]) -> T:
        try:
            return call(self.server)
        except UnavailableError:
            return call(self.server)

    def _reading(self) -> list[Route]:
        """The reading processes that are known to answer, another one first each time."""
        now_s = time.monotonic()
        if self._asked_s is None or now_s > self._asked_s + ASK_AGAIN_S:
            self._asked_s = now_s
            self._ask()
        with self._lock:
            routes = [
                Route(endpoint, flight, self.written_lsn)
                for endpoint, flight in self._readers.items()
            ]
            self._turn += 1
            turn = self._turn % len(routes) if routes else 0
        return routes[turn:] + routes[:turn]

    def _ask(self) -> None:
        try:
            told = self.act("hello", {}, repeatable=True)["reading"]
        except UnavailableError:
            return  # those that are known may answer all the same
        with self._lock:
            self._readers = {
                endpoint: self._readers.get(endpoint) or fl.FlightClient(endpoint)
                for endpoint in told
            }


def encode(value: Any) -> bytes:
    """Encode one JSON document as it goes over the wire."""
    return json.dumps(value, ensure_ascii=False).encode()
