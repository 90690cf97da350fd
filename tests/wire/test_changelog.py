"""Subscriptions: every event once and in order, heartbeats, and what ends a stream."""

import subprocess
import sys
from typing import Any

import pyarrow as pa
import pytest

from kit.server import Served, wait_for
from kit.tables import DELETE, UPDATE_AFTER, make, make_orders, orders, with_ops
from sluiceway.catalog import (
    Change,
    ConflictError,
    GoneError,
    UnavailableError,
    UserError,
    change_from_json,
)

INSERTED, BEFORE, AFTER, DELETED = 5, 3, 7, 2


def write(served: Served, ops: list[int], keys: list[int], values: list[str | None]) -> int:
    batch = pa.RecordBatch.from_pydict({"k": keys, "v": values})
    [ack] = served.client.write("dw", "t", with_ops(ops, batch))
    return ack.lsn


@pytest.fixture
def small(served: Served) -> Served:
    """A server with `dw.t (k BIGINT PRIMARY KEY, v STRING)`."""
    make(served.client, "t", {"k": "BIGINT", "v": "STRING"}, ["k"])
    return served


def all_events(served: Served, until: int, **more: Any) -> pa.Table:
    with served.client.changelog("dw", "t", until=until, **more) as changes:
        return changes.to_reader().read_all()


def test_events_carry_kind_lsn_time_and_images(small: Served) -> None:
    write(small, [0, 0], [1, 2], ["a", "b"])
    last = write(small, [UPDATE_AFTER, DELETE], [1, 2], ["A", None])
    events = all_events(small, last)
    assert events.schema.names == ["_event", "_lsn", "_time", "k", "v"]
    assert events.schema.types[:3] == [pa.int8(), pa.int64(), pa.int64()]
    rows = [(r["_event"], r["k"], r["v"]) for r in events.to_pylist()]
    assert rows == [
        (INSERTED, 1, "a"),
        (INSERTED, 2, "b"),
        (BEFORE, 1, "a"),
        (AFTER, 1, "A"),
        (DELETED, 2, "b"),
    ]
    lsns = events.column("_lsn").to_pylist()
    assert lsns == sorted(set(lsns))
    assert all(lsn <= last for lsn in lsns)


def test_a_stream_resumes_anywhere_without_loss_or_doubles(small: Served) -> None:
    for i in range(5):
        last = write(small, [0] * 100, list(range(100)), [f"{i}"] * 100)
    whole = all_events(small, last).to_pylist()
    with small.client.changelog("dw", "t", until=last, batch_rows=37) as changes:
        cuts = [change.next for change in changes.changes()]
    assert len(cuts) > 20
    for cut in cuts:
        rest = all_events(small, last, start=cut).to_pylist()
        assert rest == [event for event in whole if event["_lsn"] >= cut]


def test_an_open_stream_sees_what_comes(small: Served) -> None:
    with small.client.changelog("dw", "t", heartbeat_ms=20) as changes:
        stream = changes.changes()
        first = next(stream)
        assert first.batch.num_rows == 0
        assert first.next == first.published + 1
        lsn = write(small, [0], [1], ["a"])
        change = next(c for c in stream if c.batch.num_rows)
        assert change.published == lsn
        assert change.batch.column("k").to_pylist() == [1]


def test_an_idle_stream_moves_on_with_the_other_tables(small: Served) -> None:
    table = make_orders(small.client)
    with small.client.changelog("dw", "t", heartbeat_ms=20) as changes:
        stream = changes.changes()
        next(stream)
        [ack] = small.client.write("dw", "orders", orders(0, 10, table))
        moved = next(c for c in stream if c.published >= ack.lsn)
        assert moved.batch.num_rows == 0
        assert moved.next == ack.lsn + 1


def test_until_ends_the_stream_even_when_it_lies_ahead(small: Served) -> None:
    first = write(small, [0], [1], ["a"])
    events = all_events(small, first - 1)
    assert events.num_rows <= 1
    assert all_events(small, first).num_rows == 1


def test_columns_are_projected(small: Served) -> None:
    last = write(small, [0], [1], ["a"])
    assert all_events(small, last, columns=["v"]).schema.names == ["_event", "_lsn", "_time", "v"]


def test_the_stream_ends_when_the_schema_changes(small: Served) -> None:
    write(small, [0], [1], ["a"])
    with small.client.changelog("dw", "t", heartbeat_ms=20) as changes:
        stream = changes.changes()
        assert next(c for c in stream if c.batch.num_rows).batch.num_rows == 1
        small.client.ddl(add_column("w"))
        batch = pa.RecordBatch.from_pydict({"k": [2], "v": ["b"], "w": [7]})
        [ack] = small.client.write("dw", "t", batch)
        rest = list(stream)
    assert rest[-1].schema_changed
    assert not any(c.batch.num_rows for c in rest)
    events = all_events(small, ack.lsn, start=rest[-1].next).to_pylist()
    assert [(r["k"], r["v"], r["w"]) for r in events] == [(2, "b", 7)]
    again = all_events(small, ack.lsn).to_pylist()
    assert [(r["k"], r["w"]) for r in again] == [(1, None), (2, 7)]


def test_shards_together_are_the_changelog(served: Served) -> None:
    table = make_orders(served.client, shards=3)
    [ack] = served.client.write("dw", "orders", orders(0, 500, table))
    keys: list[int] = []
    for shard in range(3):
        with served.client.changelog("dw", "orders", shard=shard, until=ack.lsn) as changes:
            keys += changes.to_reader().read_all().column("order_id").to_pylist()
    assert sorted(keys) == list(range(500))


def test_an_lsn_that_is_not_kept_is_gone_and_names_the_oldest(small: Served) -> None:
    [shard] = small.client.shards("dw", "t")["shards"]
    with pytest.raises(GoneError, match=str(shard["oldest"])):
        small.client.changelog("dw", "t", start=shard["oldest"] - 1)


def test_a_shard_that_is_not_there(small: Served) -> None:
    with pytest.raises(UserError, match="not 5"):
        small.client.changelog("dw", "t", shard=5, start=1)


def test_a_dropped_table_ends_the_stream(small: Served) -> None:
    with small.client.changelog("dw", "t", heartbeat_ms=20) as changes:
        stream = changes.changes()
        next(stream)
        drop = {"kind": "drop_table", "database": "dw", "table": "t", "if_exists": False}
        small.client.ddl(change_from_json(drop))
        with pytest.raises(ConflictError):
            list(stream)


def test_a_client_that_leaves_frees_its_reader(small: Served) -> None:
    streams = [small.client.changelog("dw", "t", heartbeat_ms=60_000) for _ in range(5)]
    wait_for("five readers", lambda: len(small.client.status()["readers"]) == 5)
    for stream in streams:
        stream.close()
    wait_for("no reader", lambda: not small.client.status()["readers"], deadline_s=10)


def test_a_client_that_is_killed_frees_its_reader(small: Served) -> None:
    code = f"""
from sluiceway.warehouse.client import Client
changes = Client({small.client.endpoint!r}).changelog("dw", "t", heartbeat_ms=60_000)
print("open", flush=True)
list(changes)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as reader:
        assert reader.stdout is not None
        assert reader.stdout.readline() == b"open\n"
        wait_for("the reader", lambda: len(small.client.status()["readers"]) == 1)
        reader.kill()
    wait_for("no reader", lambda: not small.client.status()["readers"], deadline_s=10)


def test_closing_the_server_ends_open_streams(small: Served) -> None:
    with small.client.changelog("dw", "t", heartbeat_ms=20) as changes:
        stream = changes.changes()
        next(stream)
        assert small.server.close(30)
        with pytest.raises(UnavailableError):
            list(stream)


def add_column(name: str) -> Change:
    column = {"name": name, "type": "BIGINT", "nullable": True, "comment": None, "default": None}
    document = {"kind": "add_column", "database": "dw", "table": "t", "column": column}
    return change_from_json(document | {"position": None, "if_not_exists": False})
