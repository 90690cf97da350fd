"""Writing: what each row kind and each option of DoPut does, and what ends a stream."""

import threading
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.flight as fl
import pytest

from kit.server import Served, wait_for
from kit.tables import (
    DELETE,
    INSERT,
    UPDATE_AFTER,
    UPDATE_BEFORE,
    make,
    make_orders,
    orders,
    with_ops,
)
from sluiceway.catalog import (
    ConflictError,
    NotFoundError,
    SluicewayError,
    UserError,
    change_from_json,
)
from sluiceway.warehouse.requests import StepWork
from sluiceway.warehouse.server.put import IN_FLIGHT_MAX

PAIR = {"k": "BIGINT", "a": "STRING", "b": "INT"}


def rows(ops: Sequence[int], **columns: list[Any]) -> pa.RecordBatch:
    """A writer's batch with columns k: int64, a: string, b: int32, those that are given."""
    kinds = {"k": pa.int64(), "a": pa.string(), "b": pa.int32()}
    schema = pa.schema([pa.field(name, kinds[name]) for name in columns])
    arrays = [pa.array(values, kinds[name]) for name, values in columns.items()]
    return with_ops(ops, pa.RecordBatch.from_arrays(arrays, schema=schema))


def content(served: Served, table: str = "t") -> list[dict[str, Any]]:
    return sorted(served.client.read("dw", table).to_pylist(), key=lambda row: row["k"])


@pytest.fixture
def pair(served: Served) -> Served:
    """A server with `dw.t (k BIGINT PRIMARY KEY, a STRING, b INT)`."""
    make(served.client, "t", PAIR, ["k"])
    return served


def test_acks_count_rows_and_events(pair: Served) -> None:
    [first] = pair.client.write("dw", "t", rows([INSERT] * 3, k=[1, 2, 3], a=["x"] * 3))
    assert (first.rows, first.events) == (3, 3)
    ops = [UPDATE_BEFORE, UPDATE_AFTER, DELETE, INSERT]
    [second] = pair.client.write("dw", "t", rows(ops, k=[1, 1, 2, 4], a=["x", "y", None, "z"]))
    assert second.rows == 4
    assert second.events == 4  # an update is two, a delete one, an insert one
    assert second.lsn > first.lsn
    assert pair.warehouse.published == second.lsn
    assert [(r["k"], r["a"]) for r in content(pair)] == [(1, "y"), (3, "x"), (4, "z")]


def test_every_type_comes_back_as_it_went(served: Served) -> None:
    table = make_orders(served.client)
    batch = orders(0, 1000, table)
    served.client.write("dw", "orders", batch)
    assert served.client.read("dw", "orders").combine_chunks().to_batches()[0] == batch


def test_columns_come_in_any_order_and_missing_ones_are_null(pair: Served) -> None:
    pair.client.write("dw", "t", rows([0], b=[5], k=[1]))
    assert content(pair) == [{"k": 1, "a": None, "b": 5}]


def test_partial_keeps_what_is_not_in_the_stream(pair: Served) -> None:
    pair.client.write("dw", "t", rows([0, 0], k=[1, 2], a=["x", "y"], b=[1, 2]))
    pair.client.write("dw", "t", rows([0, 0], k=[1, 3], b=[9, 9]), partial=True)
    pair.client.write("dw", "t", rows([0], k=[2], b=[8]))
    assert content(pair) == [
        {"k": 1, "a": "x", "b": 9},
        {"k": 2, "a": None, "b": 8},
        {"k": 3, "a": None, "b": 9},
    ]


def test_conflict_ignore_keeps_the_stored_row(pair: Served) -> None:
    pair.client.write("dw", "t", rows([0], k=[1], a=["old"]))
    [ack] = pair.client.write("dw", "t", rows([0, 0], k=[1, 2], a=["new"] * 2), conflict="ignore")
    assert (ack.rows, ack.events) == (2, 1)
    assert [r["a"] for r in content(pair)] == ["old", "new"]


def test_conflict_replace_takes_the_whole_row(pair: Served) -> None:
    pair.client.write("dw", "t", rows([0], k=[1], a=["old"], b=[1]))
    pair.client.write("dw", "t", rows([0], k=[1], a=["new"]), conflict="replace")
    assert content(pair) == [{"k": 1, "a": "new", "b": None}]


def test_a_table_without_key_appends(served: Served) -> None:
    make(served.client, "t", PAIR)
    served.client.write("dw", "t", rows([0, 2], k=[1, 1], a=["x", "x"]))
    assert len(content(served)) == 2
    with pytest.raises(UserError):
        served.client.write("dw", "t", rows([DELETE], k=[1]))


@pytest.mark.parametrize(
    ("batch", "sqlstate"),
    [
        (rows([0], k=[None]), "23502"),
        (rows([0], a=["no key"]), None),
        (rows([7], k=[1]), None),
        (with_ops([0], pa.RecordBatch.from_pydict({"k": [1], "nix": [1]})), "42703"),
        (with_ops([0], pa.RecordBatch.from_pydict({"k": ["text"]})), None),
    ],
    ids=["null key", "no key", "bad op", "unknown column", "wrong type"],
)
def test_a_bad_batch_is_refused_and_changes_nothing(
    pair: Served, batch: pa.RecordBatch, sqlstate: str | None
) -> None:
    before = pair.warehouse.published
    with pytest.raises(SluicewayError) as caught:
        pair.client.write("dw", "t", batch)
    assert not caught.value.retry
    assert caught.value.sqlstate != "XX000"
    if sqlstate:
        assert caught.value.sqlstate == sqlstate
    assert pair.warehouse.published == before
    assert content(pair) == []


def test_a_value_that_does_not_fit_is_refused(served: Served) -> None:
    make(served.client, "t", {"k": "BIGINT", "m": "DECIMAL(4, 2)"}, ["k"])
    batch = pa.RecordBatch.from_pydict({"k": [1], "m": [Decimal("123.45")]})
    with pytest.raises(UserError):
        served.client.write("dw", "t", with_ops([0], batch))


def test_an_unknown_table_and_a_recreated_one(pair: Served) -> None:
    batch = rows([0], k=[1])
    with pytest.raises(NotFoundError):
        pair.client.write("dw", "nix", batch)
    with pytest.raises(ConflictError):
        pair.client.write("dw", "t", batch, table_id=99)


def test_a_batch_that_only_the_commit_can_refuse_is_told_at_once(served: Served) -> None:
    make(served.client, "t", PAIR, ["k"], not_null=["b"])
    served.client.write("dw", "t", rows([0], k=[1], b=[1]))
    news = rows([0, 0], k=[1, 2], a=["x", "y"])  # key 2 is new, and b may not be NULL
    with (
        pytest.raises(UserError) as caught,
        served.client.writer("dw", "t", news.schema, partial=True) as writer,
    ):
        writer.write(news)
        writer.flush()  # the server waits for the next batch now, and still must answer
    assert caught.value.sqlstate == "23502"
    assert content(served) == [{"k": 1, "a": None, "b": 1}]
    served.client.write("dw", "t", rows([0], k=[1], a=["x"]), partial=True)
    assert content(served) == [{"k": 1, "a": "x", "b": 1}]


def test_a_batch_of_many_megabytes_is_one_commit(pair: Served) -> None:
    count = 200_000
    big = rows([0] * count, k=list(range(count)), a=["x" * 100] * count)
    assert big.nbytes > 20 << 20
    [ack] = pair.client.write("dw", "t", big)
    assert (ack.rows, ack.events) == (count, count)
    assert pair.client.read("dw", "t").num_rows == count


def test_an_empty_batch_is_acknowledged(pair: Served) -> None:
    [ack] = pair.client.write("dw", "t", rows([], k=[]))
    assert (ack.rows, ack.events) == (0, 0)
    assert ack.lsn == pair.warehouse.published


def test_good_batches_before_a_bad_one_stay(pair: Served) -> None:
    good, bad = rows([0], k=[1]), rows([0], k=[None])
    with pytest.raises(UserError) as caught, pair.client.writer("dw", "t", good.schema) as writer:
        writer.write(good)
        writer.write(bad)
        writer.flush()
    assert caught.value.sqlstate == "23502"
    assert [r["k"] for r in content(pair)] == [1]
    with pytest.raises(UserError):
        writer.write(good)


def test_acks_keep_the_order_of_a_long_stream(pair: Served) -> None:
    acks = []
    with pair.client.writer("dw", "t", rows([0], k=[0]).schema, window=8) as writer:
        for i in range(200):
            acks += writer.write(rows([0] * (i % 5 + 1), k=list(range(i % 5 + 1))))
        acks += writer.flush()
    assert [ack.rows for ack in acks] == [i % 5 + 1 for i in range(200)]
    lsns = [ack.lsn for ack in acks]
    assert lsns == sorted(lsns)  # batches that were committed together share one
    assert lsns[-1] == pair.warehouse.published


def test_many_streams_write_at_once(pair: Served) -> None:
    def work(number: int) -> None:
        for i in range(20):
            keys = range(number * 10_000 + i * 10, number * 10_000 + i * 10 + 10)
            pair.client.write("dw", "t", rows([0] * 10, k=list(keys)))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(content(pair)) == 6 * 20 * 10


def test_a_drop_between_two_batches_ends_the_stream(pair: Served) -> None:
    table = pair.client.table("dw", "t")
    batch = rows([0], k=[1])
    with (
        pytest.raises((ConflictError, NotFoundError)),
        pair.client.writer("dw", "t", batch.schema, table_id=table.id) as writer,
    ):
        writer.write(batch)
        writer.flush()
        make_dropped(pair)
        writer.write(batch)
        writer.flush()


def test_a_client_that_vanishes_leaves_whole_batches(pair: Served) -> None:
    batch = rows([0, 0], k=[1, 2])
    raw = fl.connect(pair.server.endpoint)
    command = b'{"write": {"database": "dw", "table": "t"}}'
    stream, _ = raw.do_put(fl.FlightDescriptor.for_command(command), batch.schema)
    stream.write_batch(batch)
    wait_for("the batch", lambda: len(content(pair)) == 2)
    raw.close()
    del stream, raw
    pair.client.write("dw", "t", rows([0], k=[3]))
    assert [r["k"] for r in content(pair)] == [1, 2, 3]


@pytest.mark.parametrize("command", [b"", b"{}", b"[]", b'{"write": {"table": "t"}}', b"\xff"])
def test_a_bad_command_is_a_user_error(pair: Served, command: bytes) -> None:
    batch = rows([0], k=[1])
    with fl.connect(pair.server.endpoint) as raw, pytest.raises(fl.FlightServerError):
        stream, answers = raw.do_put(fl.FlightDescriptor.for_command(command), batch.schema)
        with stream:
            answers.read()


def test_a_path_is_no_command(pair: Served) -> None:
    batch = rows([0], k=[1])
    with (
        fl.connect(pair.server.endpoint) as raw,
        pytest.raises(fl.FlightServerError, match="wants a JSON command"),
    ):
        stream, answers = raw.do_put(fl.FlightDescriptor.for_path("dw", "t"), batch.schema)
        with stream:
            answers.read()


def make_dropped(served: Served) -> None:
    document = {"kind": "drop_table", "database": "dw", "table": "t", "if_exists": False}
    served.client.ddl(change_from_json(document))


def test_no_more_batches_of_a_stream_are_in_line_than_its_window(pair: Served) -> None:
    go_on = threading.Event()
    committer = pair.warehouse._opened.committer
    committer.submit(StepWork(lambda state: go_on.wait(60)))
    command = fl.FlightDescriptor.for_command(b'{"write": {"database": "dw", "table": "t"}}')

    def waiting() -> int:
        return committer.stats().waiting

    try:
        with fl.connect(pair.server.endpoint) as raw, fl.connect(pair.server.endpoint) as other:
            batches = [rows([INSERT], k=[k]) for k in range(3 * IN_FLIGHT_MAX)]
            stream, answers = raw.do_put(command, batches[0].schema)
            for batch in batches:
                stream.write_batch(batch)
            wait_for("a full window", lambda: waiting() == IN_FLIGHT_MAX)
            second, second_answers = other.do_put(command, batches[0].schema)
            second.write_batch(batches[0])
            wait_for("another stream's batch", lambda: waiting() > IN_FLIGHT_MAX)
            assert waiting() == IN_FLIGHT_MAX + 1
            go_on.set()
            for _ in batches:
                assert b"lsn" in answers.read().to_pybytes()
            assert b"lsn" in second_answers.read().to_pybytes()
            stream.close()
            second.close()
    finally:
        go_on.set()
    assert len(content(pair)) == 3 * IN_FLIGHT_MAX
