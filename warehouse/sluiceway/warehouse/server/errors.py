"""Errors on their way out: an exception becomes one Flight error.

Invariants:
* the message is one line, `[SQLSTATE] text`, and the extra info is the error's JSON;
* what is not a SluicewayError is a fault of ours: logged with its traceback, told as XX000 without
  the traceback, and the server lives on;
* a caller that went away is not an error: nobody is left to be told.
"""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa
import pyarrow.flight as fl

from sluiceway.catalog import CorruptionError, SluicewayError, UnavailableError, UserError

log = logging.getLogger(__name__)

INTERNAL_SQLSTATES = (CorruptionError.sqlstate, SluicewayError.sqlstate)


def as_sluiceway(error: Exception, what: str) -> SluicewayError:
    """Return the error as one that may be shown to a caller; log it if it is a fault of ours."""
    if isinstance(error, SluicewayError):
        return error
    if isinstance(error, pa.ArrowInvalid):
        return UserError(f"{what}: {error}")  # Arrow refused the caller's bytes
    log.error("%s failed", what, exc_info=error)
    text = f"{what}: {type(error).__name__}: {error}; the server's log has the cause"
    return SluicewayError(text)


def flight_error(error: SluicewayError) -> fl.FlightError:
    """Return the Flight error that carries this one to the client."""
    extra = json.dumps(error.to_json()).encode()
    if isinstance(error, UnavailableError):
        return fl.FlightUnavailableError(error.text(), extra)
    if error.sqlstate in INTERNAL_SQLSTATES:
        return fl.FlightInternalError(error.text(), extra)
    return fl.FlightServerError(error.text(), extra)


@contextmanager
def boundary(context: fl.ServerCallContext, what: str) -> Iterator[None]:
    """Turn whatever leaves the block into a Flight error."""
    try:
        yield
    except Exception as error:
        if context.is_cancelled():
            raise fl.FlightCancelledError(f"{what}: the client is gone") from None
        raise flight_error(as_sluiceway(error, what)) from None
