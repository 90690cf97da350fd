"""Errors on their way in: a Flight error becomes the catalog's class again.

Invariants: the SQLSTATE decides, never the Flight status; whatever a transport says about a server
that cannot be reached is an UnavailableError that names the endpoint.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa
import pyarrow.flight as fl

from sluiceway.catalog import SluicewayError, UnavailableError, error_from_text

_NEVER_SENT = "failed to connect"


class LostError(UnavailableError):
    """The server went away during the call, which it may have begun."""


@contextmanager
def translated(endpoint: str) -> Iterator[None]:
    """Raise the catalog's errors for Flight's while the block runs."""
    try:
        yield
    except (fl.FlightError, pa.ArrowException, OSError) as error:
        raise sluiceway_error(error, endpoint) from error


def sluiceway_error(error: BaseException, endpoint: str) -> SluicewayError:
    """Return the error of the catalog that a failed call stands for."""
    known = _from_extra_info(error) or error_from_text(str(error))
    if known is not None:
        return known
    text = str(error).split(". gRPC client debug context")[0]
    if isinstance(error, fl.FlightUnavailableError | fl.FlightTimedOutError):
        if _NEVER_SENT not in text:
            return LostError(f"{endpoint} went away during the call: {text}")
        return UnavailableError(f"no Sluiceway server answers at {endpoint}: {text}")
    return SluicewayError(f"the call to {endpoint} failed: {type(error).__name__}: {text}")


def _from_extra_info(error: BaseException) -> SluicewayError | None:
    extra = getattr(error, "extra_info", b"")
    try:
        return SluicewayError.from_json(json.loads(extra))
    except (ValueError, KeyError, TypeError):
        return None
