"""Whatever a client sends, it gets an answer or an error of its own; the server lives on."""

import json
from typing import Any

import pyarrow as pa
import pyarrow.flight as fl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kit.server import Served
from kit.tables import make, with_ops
from sluiceway.catalog import SluicewayError
from sluiceway.warehouse.client.errors import sluiceway_error
from sluiceway.warehouse.server.requests import ACTIONS

KEYS = [
    "changes", "kind", "database", "table", "column", "to", "set", "reset", "name", "type",
    "columns", "primary_key", "options", "shards", "position", "time_us", "lsn", "ttl_ms",
]  # fmt: skip
WORDS = ["create_table", "create_database", "add_column", "set_options", "dw", "t", "k", "BIGINT"]

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(KEYS), inner | st.sampled_from(WORDS), max_size=5)
    ),
    max_leaves=8,
)
on_one_server = settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


@on_one_server
@given(st.sampled_from(list(ACTIONS)), st.dictionaries(st.sampled_from(KEYS), values, max_size=4))
def test_any_action_is_answered_or_refused(served: Served, name: str, body: Any) -> None:
    _ask(served, name, body)


@on_one_server
@given(st.lists(st.dictionaries(st.sampled_from(KEYS), values | st.sampled_from(WORDS))))
def test_any_change_is_carried_out_or_refused(served: Served, changes: Any) -> None:
    _ask(served, "ddl", {"changes": changes})


STRANGE = {
    "no column": with_ops([], pa.RecordBatch.from_arrays([], names=[])),
    "a column twice": pa.RecordBatch.from_arrays(
        [pa.array([0], pa.int8()), pa.array([1]), pa.array([2])], names=["_op", "k", "k"]
    ),
    "no _op": pa.RecordBatch.from_pydict({"k": [1]}),
    "_op of text": pa.RecordBatch.from_pydict({"_op": ["0"], "k": [1]}),
    "_op NULL": pa.RecordBatch.from_arrays(
        [pa.array([None], pa.int8()), pa.array([1])], names=["_op", "k"]
    ),
    "_op twice": pa.RecordBatch.from_arrays(
        [pa.array([0], pa.int8()), pa.array([0], pa.int8()), pa.array([1])],
        names=["_op", "_op", "k"],
    ),
    "a dictionary": with_ops(
        [0],
        pa.RecordBatch.from_arrays([pa.array([1]), pa.array([5]).dictionary_encode()], ["k", "v"]),
    ),
    "a list": with_ops([0], pa.RecordBatch.from_pydict({"k": [1], "v": [[1, 2]]})),
    "a struct": with_ops([0], pa.RecordBatch.from_pydict({"k": [1], "v": [{"a": 1}]})),
    "a map": with_ops(
        [0],
        pa.RecordBatch.from_arrays(
            [pa.array([1]), pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int8()))], ["k", "v"]
        ),
    ),
    "nulls as keys": with_ops([0], pa.RecordBatch.from_arrays([pa.nulls(1)], names=["k"])),
    "large text": with_ops(
        [0],
        pa.RecordBatch.from_arrays([pa.array([1]), pa.array(["x"], pa.large_string())], ["k", "s"]),
    ),
    "an empty name": with_ops([0], pa.RecordBatch.from_arrays([pa.array([1])], names=[""])),
    "a hidden name": with_ops([0], pa.RecordBatch.from_pydict({"k": [1], "_rid ": [1]})),
}


@pytest.mark.parametrize("name", STRANGE)
def test_a_strange_batch_is_written_or_refused(served: Served, name: str) -> None:
    make(served.client, "t", {"k": "BIGINT", "v": "INT", "s": "STRING"}, ["k"])
    batch = STRANGE[name]
    try:
        command = b'{"write": {"database": "dw", "table": "t"}}'
        with fl.connect(served.server.endpoint) as raw:
            stream, answers = raw.do_put(fl.FlightDescriptor.for_command(command), batch.schema)
            with stream:
                stream.write_batch(batch)
                answers.read()
    except (fl.FlightError, pa.ArrowException) as error:
        _is_the_callers(error, served)
    served.client.write("dw", "t", pa.RecordBatch.from_pydict({"k": [7]}))
    assert 7 in served.client.read("dw", "t").column("k").to_pylist()


@pytest.mark.parametrize("name", STRANGE)
def test_strange_keys_are_looked_up_or_refused(served: Served, name: str) -> None:
    make(served.client, "t", {"k": "BIGINT", "v": "INT", "s": "STRING"}, ["k"])
    try:
        served.client.lookups("dw", "t", ["k"]).find(STRANGE[name])
    except SluicewayError as error:
        assert error.sqlstate != SluicewayError.sqlstate, str(error)
    assert served.client.hello()["wire"] == 1


def _ask(served: Served, name: str, body: Any) -> None:
    with fl.connect(served.server.endpoint) as raw:
        try:
            list(raw.do_action(fl.Action(name, json.dumps(body).encode())))
        except fl.FlightError as error:
            _is_the_callers(error, served)


def _is_the_callers(error: Exception, served: Served) -> None:
    """An error that the caller made has a state of its own; XX000 would be a fault of ours."""
    told = sluiceway_error(error, served.server.endpoint)
    assert told.sqlstate != SluicewayError.sqlstate, str(told)
