"""The way from a reading process to the writing one: questions and orders over Flight.

Invariant: where the writing process answers is read from the lock file at every call, so one that
started anew is found at once.
"""

import threading
from collections.abc import Callable, Mapping
from typing import Any

from sluiceway.catalog import UnavailableError
from sluiceway.warehouse.client import Client


class WriterLink:
    """A connection to whoever writes the warehouse now."""

    def __init__(self, endpoint: Callable[[], str | None]) -> None:
        self._endpoint = endpoint
        self._client: Client | None = None
        self._lock = threading.Lock()

    def act(self, name: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Pass on one action and return its answer, or raise its error."""
        return self._connected(name).act(name, dict(body))

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            if self._client is not None:
                self._client.close()
                self._client = None

    def _connected(self, name: str) -> Client:
        endpoint = self._endpoint()
        if endpoint is None:
            raise UnavailableError(
                f"{name} needs the writing process, which is not running: start `sluiceway serve`"
            )
        with self._lock:
            if self._client is None or self._client.endpoint != endpoint:
                self._client = Client(endpoint)
            return self._client
