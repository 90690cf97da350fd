"""Requests parse strictly: what docs/wire.md shows is read, everything else is a UserError."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluiceway.catalog import UserError
from sluiceway.warehouse.server import requests
from sluiceway.warehouse.server.actions import HANDLERS
from sluiceway.warehouse.server.wire import (
    parse_action,
    parse_exchange,
    parse_put,
    parse_ticket,
    to_bytes,
)

PARSERS = [
    parse_ticket,
    parse_put,
    parse_exchange,
    *(lambda body, name=name: parse_action(name, body) for name in requests.ACTIONS),
]
TAGS = ["scan", "changelog", "sql", "write", "stage", "lookup"]
KEYS = ["database", "table", "table_id", "shard", "lsn", "from", "columns", "query", "changes"]

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=3)
    ),
    max_leaves=5,
)


def test_every_action_has_a_handler() -> None:
    assert set(HANDLERS) == set(requests.ACTIONS)


@pytest.mark.parametrize(
    ("body", "request_"),
    [
        (
            {"scan": {"database": "d", "table": "t"}},
            requests.Scan("d", "t"),
        ),
        (
            {
                "scan": {
                    "database": "d",
                    "table": "s.t",
                    "table_id": 7,
                    "shard": None,
                    "lsn": 12,
                    "columns": ["a"],
                    "from": 5,
                    "hold": "h",
                    "batch_rows": 10,
                }
            },
            requests.Scan("d", "s.t", 7, None, 12, ("a",), 5, "h", 10),
        ),
        (
            {"changelog": {"database": "d", "table": "t", "shard": 1, "from": 3, "until": None}},
            requests.Changelog("d", "t", 1, 3),
        ),
        (
            {"sql": {"query": "select 1", "database": None, "lsn": None}},
            requests.Sql("select 1"),
        ),
        (
            {"sql": {"query": "select 1", "time_us": -1}},
            requests.Sql("select 1", None, None, -1),
        ),
    ],
)
def test_tickets_of_the_document_are_read(body: dict[str, Any], request_: object) -> None:
    assert parse_ticket(json.dumps(body).encode()) == request_


def test_write_and_lookup_of_the_document_are_read() -> None:
    head: dict[str, Any] = {"database": "d", "table": "t", "conflict": "ignore"}
    head |= {"table_id": None, "partial": True, "writer": "w"}
    assert parse_put(to_bytes({"write": head})) == requests.Write(
        "d", "t", None, "ignore", True, "w"
    )
    asked = {"database": "d", "table": "t", "table_id": 1, "keys": ["b", "a"], "columns": None}
    assert parse_exchange(to_bytes({"lookup": asked})) == requests.Lookup("d", "t", ("b", "a"), 1)


def test_an_empty_action_body_is_an_empty_object() -> None:
    assert parse_action("hello", b"") == requests.Empty()


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"scan": {"database": "d"}}, "key table is missing"),
        ({"scan": {"database": "d", "table": "t", "colour": 1}}, '"colour"'),
        ({"scan": {"database": "d", "table": 4}}, "table is a string, not 4"),
        ({"scan": {"database": "d", "table": "t", "shard": True}}, "shard is an integer, not true"),
        ({"scan": {"database": "d", "table": "t", "from": -1}}, "from is -1"),
        ({"scan": {"database": "d", "table": "t", "batch_rows": 0}}, "batch_rows is 0"),
        ({"scan": {"database": "d", "table": "t", "lsn": 2**63}}, str(2**63)),
        ({"scan": {"database": "d", "table": "t", "columns": "a"}}, "columns is a JSON array"),
        ({"scan": []}, "expected a JSON object"),
        ({"shout": {}}, 'unknown ticket "shout"'),
        ({"scan": {}, "sql": {}}, "one key"),
        ([], "one key"),
    ],
)
def test_a_bad_ticket_is_named(body: Any, named: str) -> None:
    with pytest.raises(UserError) as caught:
        parse_ticket(json.dumps(body).encode())
    assert named in str(caught.value)


def test_an_unknown_conflict_names_the_known() -> None:
    with pytest.raises(UserError, match='update, replace, ignore, not "maybe"'):
        parse_put(b'{"write": {"database": "d", "table": "t", "conflict": "maybe"}}')


@pytest.mark.parametrize(
    "body",
    [
        b"\xff",
        b"{",
        b"[" * 100_000,
        b'{"sql": {"query": NaN}}',
        b"9" * 5_000,
        b'{"sql": {"query": "a", "query": "b"}}',
        b'{"sql": {"query": "\\ud800"}}',
        b'{"sql": {"query": "a", "lsn": 1e999}}',
        b" " * (requests.REQUEST_BYTES_MAX + 1),
    ],
    ids=lambda body: repr(body[:30]),
)
def test_bytes_that_are_no_request_are_refused(body: bytes) -> None:
    with pytest.raises(UserError):
        parse_ticket(body)


@given(st.binary())
def test_any_bytes_parse_or_are_a_user_error(body: bytes) -> None:
    _only_user_errors(body)


@given(json_values)
def test_any_json_parses_or_is_a_user_error(value: Any) -> None:
    _only_user_errors(json.dumps(value).encode())


@given(st.sampled_from(TAGS), st.dictionaries(st.sampled_from(KEYS), json_values, max_size=4))
def test_any_arguments_parse_or_are_a_user_error(tag: str, value: Any) -> None:
    _only_user_errors(json.dumps({tag: value}).encode())


def _only_user_errors(body: bytes) -> None:
    for parse in PARSERS:
        try:
            parse(body)
        except UserError as error:
            assert "\n" not in str(error)
