"""Errors keep their class and their text across a transport."""

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
    error_from_text,
)

_CLASSES = [
    (UserError, "22023", False),
    (NotFoundError, "42P01", False),
    (ExistsError, "42P07", False),
    (ConflictError, "40001", True),
    (GoneError, "55000", False),
    (UnavailableError, "57P03", True),
    (DiskFullError, "53100", False),
    (CorruptionError, "XX001", False),
    (SluicewayError, "XX000", False),
]


@pytest.mark.parametrize(("kind", "sqlstate", "retry"), _CLASSES)
def test_text_and_json_round_trip(kind: type[SluicewayError], sqlstate: str, retry: bool) -> None:
    error = kind("table a.b is gone: look elsewhere")
    assert error.text() == f"[{sqlstate}] table a.b is gone: look elsewhere"
    for again in (SluicewayError.from_json(error.to_json()), error_from_text(error.text())):
        assert type(again) is kind
        assert (str(again), again.sqlstate, again.retry) == (str(error), sqlstate, retry)


def test_exit_codes_tell_the_classes_apart() -> None:
    codes = [kind.exit_code for kind, _, _ in _CLASSES]
    assert len(set(codes)) == len(codes) and 0 not in codes


def test_an_instance_may_carry_its_own_state() -> None:
    error = UserError("1000 does not fit TINYINT", sqlstate="22003")
    again = error_from_text(error.text())
    assert type(again) is UserError and again.sqlstate == "22003"


def test_text_is_found_inside_what_a_flight_client_reports() -> None:
    wrapped = (
        "Flight returned internal error, with message: [42P01] Table a.b does not exist. "
        'Did you mean "c"?. gRPC client debug context: UNKNOWN:Error received from peer '
        '{grpc_message:"[42P01] Table a.b"}. Client context: OK. Detail: Failed'
    )
    error = error_from_text(wrapped)
    assert type(error) is NotFoundError
    assert str(error) == 'Table a.b does not exist. Did you mean "c"?'


def test_a_message_of_several_lines_travels_as_one() -> None:
    assert UserError("a\n  b").text() == "[22023] a b"


def test_text_without_a_state_is_no_error_of_ours() -> None:
    assert error_from_text("connection refused [x]") is None
