"""Every class of error crosses the wire as docs/wire.md says, and comes back as itself."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pyarrow.flight as fl
import pytest

from sluiceway.catalog import (
    ConflictError,
    CorruptionError,
    DiskFullError,
    ExistsError,
    GoneError,
    NotFoundError,
    SluicewayError,
    UnavailableError,
    UserError,
)
from sluiceway.warehouse.client.errors import translated
from sluiceway.warehouse.server.errors import boundary

ERRORS: dict[str, Exception] = {
    "user": UserError('type "FOO" is unknown', sqlstate="42704"),
    "database": NotFoundError('no database "x"', sqlstate="3D000"),
    "table": NotFoundError('no table "é"\nin "x"'),
    "exists": ExistsError('table "t" exists'),
    "conflict": ConflictError("changed meanwhile"),
    "gone": GoneError("the oldest LSN is 7"),
    "unavailable": UnavailableError("stopping"),
    "full": DiskFullError("0 bytes free"),
    "damage": CorruptionError("00.log: offset 64"),
    "fault": ZeroDivisionError("division by zero"),
}
STATUS = {
    "unavailable": fl.FlightUnavailableError,
    "damage": fl.FlightInternalError,
    "fault": fl.FlightInternalError,
}


class Failing(fl.FlightServerBase):  # type: ignore[misc]
    """Fails every action by the error that it names."""

    def do_action(self, context: fl.ServerCallContext, action: fl.Action) -> Iterator[fl.Result]:
        with boundary(context, "action"):
            raise ERRORS[action.type]


@pytest.fixture
def failing() -> Iterator[str]:
    with Failing("grpc://127.0.0.1:0") as server:
        yield f"grpc://127.0.0.1:{server.port}"


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_keeps_class_state_and_text(failing: str, name: str) -> None:
    sent = ERRORS[name]
    with fl.connect(failing) as client, pytest.raises(fl.FlightError) as flight:
        list(client.do_action(fl.Action(name, b"")))
    raised: Any = flight.value
    assert type(raised) is STATUS.get(name, fl.FlightServerError)
    with pytest.raises(SluicewayError) as caught, translated(failing):
        raise raised
    if isinstance(sent, SluicewayError):
        assert type(caught.value) is type(sent)
        assert caught.value.to_json() == sent.to_json()
        assert json.loads(raised.extra_info) == sent.to_json()
        assert str(raised).startswith(f"[{sent.sqlstate}] {sent}")
    else:
        assert caught.value.sqlstate == "XX000"


def test_a_fault_is_logged_with_its_traceback_and_told_without(
    failing: str, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        caplog.at_level(logging.ERROR),
        fl.connect(failing) as client,
        pytest.raises(fl.FlightInternalError) as caught,
    ):
        list(client.do_action(fl.Action("fault", b"")))
    assert "Traceback" not in str(caught.value)
    assert "ZeroDivisionError" in str(caught.value)
    assert "Traceback" in caplog.text
