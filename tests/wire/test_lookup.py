"""Look-ups: the rows of keys that exist, in request order, with the request's metadata."""

import threading

import pyarrow as pa
import pyarrow.flight as fl
import pytest

from kit.server import Served
from kit.tables import DELETE, make, make_orders, orders, with_ops
from sluiceway.catalog import ConflictError, NotFoundError, UserError, change_from_json


@pytest.fixture
def filled(served: Served) -> Served:
    """A thousand orders."""
    table = make_orders(served.client)
    served.client.write("dw", "orders", orders(0, 1_000, table))
    return served


def ids(*values: int | None) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array(values, pa.int64())], names=["order_id"])


def test_rows_come_in_request_order_with_their_place(filled: Served) -> None:
    found = filled.client.lookup("dw", "orders", ids(7, 5_000, 3, None, 7), ["user_name"])
    assert found.schema.names == ["_pos", "user_name"]
    assert found.schema.field("_pos").type == pa.int32()
    assert found.to_pylist() == [
        {"_pos": 0, "user_name": "u7"},
        {"_pos": 2, "user_name": "u3"},
        {"_pos": 4, "user_name": "u7"},
    ]


def test_all_columns_when_none_are_named(filled: Served) -> None:
    table = filled.client.table("dw", "orders")
    found = filled.client.lookup("dw", "orders", ids(42))
    assert found.schema.names == ["_pos", *table.arrow_schema().names]
    assert found.drop_columns(["_pos"]).to_pylist() == orders(42, 1, table).to_pylist()


def test_no_key_and_no_hit_are_empty_answers(filled: Served) -> None:
    assert filled.client.lookup("dw", "orders", ids()).num_rows == 0
    assert filled.client.lookup("dw", "orders", ids(-1, None)).num_rows == 0


def test_a_stream_sees_each_commit_at_once(filled: Served) -> None:
    lookups = filled.client.lookups("dw", "orders", ["order_id"], ["user_name"])
    table = filled.client.table("dw", "orders")
    assert lookups.find(ids(1)).column("user_name").to_pylist() == ["u1"]
    filled.client.write("dw", "orders", orders(1, 1, table, tag="new"))
    assert lookups.find(ids(1)).column("user_name").to_pylist() == ["new1"]
    filled.client.write("dw", "orders", with_ops([DELETE], ids(1)))
    assert lookups.find(ids(1)).num_rows == 0
    lookups.close()


def test_metadata_comes_back_and_requests_may_run_ahead(filled: Served) -> None:
    command = b'{"lookup": {"database": "dw", "table": "orders", "keys": ["order_id"]}}'
    with fl.connect(filled.server.endpoint) as raw:
        keys, rows = raw.do_exchange(fl.FlightDescriptor.for_command(command))
        with keys:
            keys.begin(ids().schema)
            for i in range(10):
                keys.write_with_metadata(ids(i), b"request %d" % i)
            for i in range(10):
                chunk = rows.read_chunk()
                assert chunk.app_metadata.to_pybytes() == b"request %d" % i
                assert chunk.data.column("order_id").to_pylist() == [i]


def test_a_key_of_two_columns_in_any_order(served: Served) -> None:
    make(served.client, "t", {"a": "STRING", "b": "INT", "v": "INT"}, ["a", "b"], shards=3)
    rows = {
        "a": pa.array(["x", "x", "y"]),
        "b": pa.array([1, 2, 1], pa.int32()),
        "v": pa.array([10, 20, 30], pa.int32()),
    }
    served.client.write("dw", "t", pa.RecordBatch.from_pydict(rows))
    keys = pa.RecordBatch.from_pydict(
        {"b": pa.array([1, 2, 2, None, 1], pa.int32()), "a": ["y", "x", "y", "x", "x"]}
    )
    found = served.client.lookup("dw", "t", keys, ["v"]).to_pylist()
    assert found == [{"_pos": 0, "v": 30}, {"_pos": 1, "v": 20}, {"_pos": 4, "v": 10}]


def test_keys_are_cast_when_they_fit(filled: Served) -> None:
    narrow = pa.RecordBatch.from_arrays([pa.array([3], pa.int32())], names=["order_id"])
    assert filled.client.lookup("dw", "orders", narrow, ["order_id"]).num_rows == 1
    with pytest.raises(UserError, match="order_id"):
        words = pa.RecordBatch.from_pydict({"order_id": ["three"]})
        filled.client.lookup("dw", "orders", words)


def test_only_the_primary_key_will_do(filled: Served) -> None:
    by_name = pa.RecordBatch.from_pydict({"user_name": ["u1"]})
    with pytest.raises(UserError, match=r"primary key \(order_id\)"):
        filled.client.lookup("dw", "orders", by_name)
    make(filled.client, "log", {"v": "INT"})
    with pytest.raises(UserError, match="no primary key"):
        filled.client.lookup("dw", "log", pa.RecordBatch.from_pydict({"v": [1]}))
    with pytest.raises(NotFoundError):
        filled.client.lookup("dw", "orders", ids(1), ["nix"])


def test_a_dropped_table_ends_the_stream(filled: Served) -> None:
    lookups = filled.client.lookups("dw", "orders", ["order_id"])
    assert lookups.find(ids(1)).num_rows == 1
    drop = {"kind": "drop_table", "database": "dw", "table": "orders", "if_exists": False}
    filled.client.ddl(change_from_json(drop))
    with pytest.raises(ConflictError):
        lookups.find(ids(1))


def test_a_stream_goes_on_when_a_column_is_widened(served: Served) -> None:
    table = make(served.client, "wide", {"k": "INT", "v": "INT"}, ["k"])
    served.client.write("dw", "wide", pa.record_batch({"k": [1], "v": [1]}, table.arrow_schema()))
    lookups = served.client.lookups("dw", "wide", ["k"])
    key = pa.RecordBatch.from_arrays([pa.array([1, 2], pa.int32())], ["k"])
    assert lookups.find(key).column("v").to_pylist() == [1]
    widen = {"kind": "set_type", "database": "dw", "table": "wide", "column": "v"}
    served.client.ddl(change_from_json(widen | {"type": "BIGINT"}))
    served.client.write("dw", "wide", pa.table({"k": pa.array([2], pa.int32()), "v": [2**40]}))
    found = lookups.find(key)
    assert found.column("v").to_pylist() == [1, 2**40]
    assert found.schema.field("v").type == pa.int64()


def test_look_ups_run_beside_writes(filled: Served) -> None:
    table = filled.client.table("dw", "orders")
    stop = threading.Event()

    def churn() -> None:
        while not stop.is_set():
            filled.client.write("dw", "orders", orders(0, 1_000, table))

    writing = threading.Thread(target=churn)
    writing.start()
    try:
        lookups = filled.client.lookups("dw", "orders", ["order_id"], ["order_id"])
        wanted = list(range(0, 2_000, 7))
        for _ in range(50):
            found = lookups.find(ids(*wanted)).column("order_id").to_pylist()
            assert found == [i for i in wanted if i < 1_000]
        lookups.close()
    finally:
        stop.set()
        writing.join()
