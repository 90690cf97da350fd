"""TRUNCATE and overwrite over the wire, from a writing process and through a reading one."""

from typing import Any

import pyarrow as pa
import pytest

from kit.server import Served
from kit.tables import create_database, make, with_ops
from sluiceway.catalog import (
    Column,
    ConflictError,
    CreateTable,
    GoneError,
    NotFoundError,
    Table,
    UserError,
    parse_type,
)
from sluiceway.warehouse.client import Client
from sluiceway.warehouse.replica import Replica
from sluiceway.warehouse.server import FlightServer

COLUMNS = {"k": "BIGINT", "v": "STRING"}


@pytest.fixture
def pair(served: Served) -> Served:
    """A server with `dw.t (k BIGINT PRIMARY KEY, v STRING)` of two shards and 30 rows."""
    make(served.client, "t", COLUMNS, ["k"], shards=2)
    served.client.write("dw", "t", rows(range(30), "old"))
    return served


def rows(keys: range, value: str) -> pa.RecordBatch:
    return pa.record_batch({"k": pa.array(keys, pa.int64()), "v": pa.repeat(value, len(keys))})


def make_days(client: Client) -> None:
    columns = (Column(0, "ds", parse_type("STRING")), Column(0, "n", parse_type("INT")))
    table = Table("dw", "days", columns, partition_by=("ds",), shards=1)
    client.ddl(create_database("dw"), CreateTable(table))
    client.write("dw", "days", pa.record_batch({"ds": ["a", "a", "b"], "n": [1, 2, 3]}))


def test_a_named_partition_is_overwritten_even_by_nothing(served: Served) -> None:
    make_days(served.client)
    nothing = pa.record_batch({"ds": pa.array([], pa.string()), "n": pa.array([], pa.int32())})
    ack = served.client.overwrite("dw", "days", nothing, partition={"ds": "a"})
    assert (ack.rows, ack.events) == (0, 2)
    assert served.client.read("dw", "days").to_pylist() == [{"ds": "b", "n": 3}]
    row = pa.record_batch({"ds": ["b"], "n": pa.array([4], pa.int32())})
    for way in ("at once", "staged"):
        if way == "at once":
            served.client.overwrite("dw", "days", row, partition={"ds": "b"})
        else:
            stage = served.client.stage("dw", "days")
            stage.write(pa.table({"ds": nothing.column(0), "n": nothing.column(1)}).slice(0, 0))
            assert stage.commit(overwrite=True, partition={"ds": "b"}).events == 1
        left = [{"ds": "b", "n": 4}] if way == "at once" else []
        assert served.client.read("dw", "days").to_pylist() == left
    with pytest.raises(UserError, match="overwrites ds='a'") as caught:
        served.client.overwrite("dw", "days", row, partition={"ds": "a"})
    assert caught.value.sqlstate == "23514"


def test_one_partition_is_truncated(served: Served) -> None:
    make_days(served.client)
    assert served.client.truncate("dw", "days", partition={"ds": "a"}).rows == 2
    assert served.client.read("dw", "days").to_pylist() == [{"ds": "b", "n": 3}]
    with pytest.raises(NotFoundError, match="no partition ds='c'"):
        served.client.truncate("dw", "days", partition={"ds": "c"})


def content(client: Client) -> dict[int, Any]:
    table = client.read("dw", "t")
    return dict(zip(table["k"].to_pylist(), table["v"].to_pylist(), strict=True))


def events(client: Client, start: int, until: int) -> list[tuple[int, int]]:
    found = []
    for shard in range(2):
        with client.changelog("dw", "t", shard=shard, start=start, until=until) as changes:
            for change in changes:
                codes, keys = change.batch["_event"].to_pylist(), change.batch["k"].to_pylist()
                found += list(zip(codes, keys, strict=True))
    return sorted(found)


def test_truncate_answers_what_it_ended(pair: Served) -> None:
    before = pair.warehouse.published
    ack = pair.client.truncate("dw", "t")
    assert (ack.rows, ack.events) == (30, 30)
    assert ack.lsn == pair.warehouse.published > before
    assert content(pair.client) == {}
    assert events(pair.client, before + 1, ack.lsn) == [(2, key) for key in range(30)]
    with pytest.raises(NotFoundError):
        pair.client.truncate("dw", "nothing")
    with pytest.raises(ConflictError):
        pair.client.truncate("dw", "t", table_id=99)


def test_overwrite_replaces_all_rows(pair: Served) -> None:
    before = pair.warehouse.published
    table = pa.Table.from_batches([rows(range(2), "new"), rows(range(28, 32), "new")])
    ack = pair.client.overwrite("dw", "t", table)
    assert (ack.rows, ack.events) == (6, 36)
    keys = [0, 1, 28, 29, 30, 31]
    assert content(pair.client) == dict.fromkeys(keys, "new")
    expected = [(2, key) for key in range(30)] + [(5, key) for key in keys]
    assert events(pair.client, before + 1, ack.lsn) == expected


def test_each_batch_of_a_stream_with_overwrite_replaces_the_one_before(pair: Served) -> None:
    schema = with_ops([0], rows(range(1), "a")).schema
    with pair.client.writer("dw", "t", schema, overwrite=True) as writer:
        for value in "abc":
            writer.write(with_ops([0], rows(range(1), value)))
    assert content(pair.client) == {0: "c"}


def test_a_reading_process_passes_truncate_on(pair: Served) -> None:
    pair.warehouse.announce(pair.server.endpoint)
    replica = Replica.open(pair.warehouse._opened.folder.path)
    try:
        server = FlightServer(replica)
        try:
            with Client(server.endpoint) as client:
                assert len(content(client)) == 30
                before = replica.published
                ack = client.truncate("dw", "t")
                assert content(client) == {}
                assert events(client, before + 1, ack.lsn) == [(2, key) for key in range(30)]
        finally:
            server.close()
    finally:
        replica.close()


def test_staged_writes_are_shown_by_their_commit(pair: Served) -> None:
    with pair.client.stage("dw", "t", name="job/0", epoch=2) as first:
        first.write(pa.Table.from_batches([rows(range(40, 42), "a"), rows(range(42, 44), "a")]))
        assert first.sequence == 2
    second = pair.client.stage("dw", "t")
    second.write(rows(range(44, 45), "b"))
    assert len(content(pair.client)) == 30
    wanted = [("job/0", 2), (second.name, second.epoch)]
    ack = pair.client.commit_staged(wanted, overwrite=True)
    assert (ack.rows, ack.events) == (5, 35)
    assert pair.client.commit_staged(wanted, overwrite=True) == ack
    assert content(pair.client) == dict.fromkeys(range(40, 44), "a") | {44: "b"}
    with pytest.raises(GoneError, match="was committed"):
        second.write(rows(range(1), "late"))


def test_a_batch_that_is_sent_again_counts_once_and_zombies_end(pair: Served) -> None:
    for sequence in (0, 0):
        stage = pair.client.stage("dw", "t", name="s", sequence=sequence)
        stage.write(rows(range(50, 51), "a"))
    newer = pair.client.stage("dw", "t", name="s", epoch=1)
    newer.write(rows(range(51, 52), "b"))
    with pytest.raises(GoneError, match="epoch 0 is over"):
        stage.write(rows(range(52, 53), "a"))
    with pytest.raises(GoneError, match="epoch 0 is over"):
        stage.commit()
    assert newer.commit().rows == 1
    assert set(content(pair.client)) == {*range(30), 51}


def test_a_block_that_fails_gives_its_stage_up(pair: Served) -> None:
    with pytest.raises(ZeroDivisionError), pair.client.stage("dw", "t", name="s") as stage:
        stage.write(rows(range(60, 61), "a"))
        raise ZeroDivisionError
    with pytest.raises(GoneError, match="aborted"):
        stage.commit()
    with pytest.raises(UserError, match="at least one stage"):
        pair.client.commit_staged([])
    assert len(content(pair.client)) == 30
