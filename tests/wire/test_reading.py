"""Processes that only read: each acknowledged write is there at once, orders are passed on.

The writing process may be killed and come back, a reading one may be killed, and nobody else
notices.
"""

import os
import re
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import pyarrow as pa
import pytest

from kit.server import Served, ServerProcess, wait_for
from kit.tables import create_table, make_orders, orders
from sluiceway.catalog import GoneError, NotFoundError, UnavailableError, UserError
from sluiceway.warehouse.client import Client
from sluiceway.warehouse.replica import Replica
from sluiceway.warehouse.server import FlightServer
from sluiceway.warehouse.store import Warehouse

KEYS = ["order_id"]


@pytest.fixture
def reading(served: Served, tmp_path: Path) -> Iterator[Client]:
    """A client of a server that only reads what `served` writes."""
    served.warehouse.announce(served.server.endpoint)
    replica = Replica.open(tmp_path / "data")
    try:
        server = FlightServer(replica)
        try:
            with Client(server.endpoint) as client:
                yield client
        finally:
            server.close()
    finally:
        replica.close()


def test_every_read_shows_what_was_acknowledged(served: Served, reading: Client) -> None:
    table = make_orders(served.client, shards=2)
    for start in range(0, 200, 20):
        [ack] = served.client.write("dw", "orders", orders(start, 20, table))
        assert reading.hello()["published"] == ack.lsn
        assert reading.read("dw", "orders").num_rows == start + 20
        counted = reading.sql("SELECT count(*) FROM dw.orders")
        assert counted.column(0).to_pylist() == [start + 20]
        keys = pa.record_batch({"order_id": pa.array([start, 10_000], pa.int64())})
        found = reading.lookup("dw", "orders", keys)
        assert found.equals(served.client.lookup("dw", "orders", keys))
        assert found.num_rows == 1
    assert reading.table("dw", "orders") == table
    assert reading.tables("dw") == [table]


def test_a_subscription_follows_the_writer(served: Served, reading: Client) -> None:
    table = make_orders(served.client)
    with reading.changelog("dw", "orders") as stream:
        for start in range(0, 60, 20):
            served.client.write("dw", "orders", orders(start, 20, table))
            seen: list[int] = []
            for change in stream.changes():
                seen += change.batch.column("order_id").to_pylist()
                if len(seen) == 20:
                    break
            assert seen == list(range(start, start + 20))


def test_orders_are_passed_on(served: Served, reading: Client) -> None:
    table = make_orders(reading)
    assert served.client.table("dw", "orders") == table
    served.client.write("dw", "orders", orders(0, 5, table))
    held = reading.hold("h", 60_000)
    served.client.write("dw", "orders", orders(5, 5, table))
    with reading.scan("dw", "orders", hold="h") as chunks:
        assert chunks.to_reader().read_all().num_rows == 5
    assert [hold["lsn"] for hold in reading.status()["holds"]] == [held]
    reading.release("h")
    with pytest.raises(GoneError), reading.scan("dw", "orders", hold="h"):
        pass
    assert reading.checkpoint() == served.warehouse.published
    with pytest.raises(NotFoundError):
        reading.ddl(create_table("t", {"a": "INT"}, database="nowhere"))


def test_a_write_is_refused_by_name(served: Served, reading: Client) -> None:
    table = make_orders(served.client)
    with pytest.raises(UserError, match=served.server.endpoint) as refused:
        reading.write("dw", "orders", orders(0, 1, table))
    assert refused.value.sqlstate == "25006"


def test_a_time_means_the_same_everywhere(served: Served, reading: Client) -> None:
    table = make_orders(served.client)
    served.client.write("dw", "orders", orders(0, 5, table))
    now = datetime.now(UTC)
    query = "SELECT count(*) FROM dw.orders"
    before = reading.sql(query, as_of=now)
    served.client.write("dw", "orders", orders(5, 5, table))
    assert reading.sql(query, as_of=now) == before == served.client.sql(query, as_of=now)
    assert before.column(0).to_pylist() == [5]


class CountingServer(FlightServer):
    """A server that counts the reads that came to it."""

    reads = 0

    def do_get(self, context: Any, ticket: Any) -> Any:
        self.reads += 1
        return super().do_get(context, ticket)

    def do_exchange(self, context: Any, *stream: Any) -> None:
        self.reads += 1
        super().do_exchange(context, *stream)


@dataclass(frozen=True)
class Pair:
    """A writing server, one that reads for it, and a client that knows the first alone."""

    writer: CountingServer
    reader: CountingServer
    client: Client


@pytest.fixture
def pair(served: Served, tmp_path: Path) -> Iterator[Pair]:
    with ExitStack() as stack:
        replica = Replica.open(tmp_path / "data")
        stack.callback(replica.close)
        reader = CountingServer(replica)
        stack.callback(reader.close)
        writer = CountingServer(served.warehouse, reading_at=lambda: [reader.endpoint])
        stack.callback(writer.close)
        yield Pair(writer, reader, stack.enter_context(Client(writer.endpoint)))


def test_reads_go_to_the_reading_process_and_show_each_write(pair: Pair) -> None:
    client, table = pair.client, make_orders(pair.client)
    with closing(client.lookups("dw", "orders", KEYS)) as lookups:
        for number in range(1, 101):
            batch = orders(number - 1, 1, table)
            client.write("dw", "orders", batch)
            assert lookups.find(batch.select(KEYS)).num_rows == 1
            counted = client.sql("SELECT count(*) FROM dw.orders")
            assert counted.column(0).to_pylist() == [number]
    assert client.read("dw", "orders").num_rows == 100
    with client.changelog("dw", "orders", until=client.hello()["published"]) as changes:
        assert sum(change.batch.num_rows for change in changes.changes()) == 100
    assert (pair.writer.reads, pair.reader.reads) == (0, 100 + 100 + 2)


def test_reads_go_on_at_the_writer_when_the_reader_is_gone(pair: Pair) -> None:
    client, table = pair.client, make_orders(pair.client)
    batch = orders(0, 10, table)
    client.write("dw", "orders", batch)
    with closing(client.lookups("dw", "orders", KEYS)) as lookups:
        assert lookups.find(batch.select(KEYS)).num_rows == 10
        assert client.read("dw", "orders").num_rows == 10
        assert (pair.writer.reads, pair.reader.reads) == (0, 2)
        pair.reader.close()
        for _ in range(2):  # a handler that waits for keys may still answer once
            assert lookups.find(batch.select(KEYS)).num_rows == 10
        assert client.read("dw", "orders").num_rows == 10
        assert client.sql("SELECT count(*) FROM dw.orders").column(0).to_pylist() == [10]
    assert pair.writer.reads == 3


def test_a_process_that_is_behind_is_not_read_at(served: Served, tmp_path: Path) -> None:
    """It stands for a reading process that does not reach a write that the client made."""
    with ExitStack() as stack:
        other = Warehouse.open(tmp_path / "other")
        stack.callback(other.close)
        behind = CountingServer(other)
        stack.callback(behind.close)
        writer = CountingServer(served.warehouse, reading_at=lambda: [behind.endpoint])
        stack.callback(writer.close)
        client = stack.enter_context(Client(writer.endpoint))
        table = make_orders(client)
        client.write("dw", "orders", orders(0, 10, table))
        assert client.read("dw", "orders").num_rows == 10
        assert (writer.reads, behind.reads) == (1, 1)
        far = stack.enter_context(Client(behind.endpoint))
        with pytest.raises(UnavailableError, match="shows LSN 0, not yet 7"):
            far.scan("dw", "orders", at_least=7)


@pytest.mark.slow
def test_a_reading_process_outlives_the_writing_one(server_process: ServerProcess) -> None:
    reading = ServerProcess(server_process.data, "--read-only")
    reading.start()
    try:
        with server_process.client() as writer:
            table = make_orders(writer)
            writer.write("dw", "orders", orders(0, 50, table))
        with reading.client() as client:
            assert client.read("dw", "orders").num_rows == 50
            server_process.kill()
            assert client.read("dw", "orders").num_rows == 50
            with pytest.raises(UnavailableError):
                client.status()
            server_process.start()
            with server_process.client() as writer:
                writer.write("dw", "orders", orders(50, 50, table))
            assert client.read("dw", "orders").num_rows == 100
            assert client.hello()["incarnation"] == 2
        reading.kill()
        with server_process.client() as writer:
            writer.write("dw", "orders", orders(100, 50, table))
            assert writer.read("dw", "orders").num_rows == 150
        reading.start()
        with reading.client() as client:
            assert client.read("dw", "orders").num_rows == 150
        assert reading.stop() == 0
    finally:
        if reading.running:
            reading.kill()


@pytest.mark.slow
def test_reading_processes_are_kept_alive(tmp_path: Path) -> None:
    process = ServerProcess(tmp_path / "data", "--readers", "2")
    process.start()
    try:
        with process.client() as client:
            table = make_orders(client, shards=2)
            client.write("dw", "orders", orders(0, 50, table))

            def locations(count: int) -> list[list[str]] | None:
                shards = client.shards("dw", "orders")["shards"]
                found = [shard["locations"] for shard in shards]
                return found if len(found[0]) == count + 1 else None

            first, second = wait_for("two reading processes", lambda: locations(2))
            assert first[:2] == second[1::-1] and first[2] == second[2] == process.endpoint
            for endpoint in first:
                with Client(endpoint) as reader:
                    assert reader.read("dw", "orders").num_rows == 50
            for number, name in ((signal.SIGKILL, "SIGKILL"), (signal.SIGBUS, "SIGBUS")):
                child = psutil.Process(process.pid).children()[0]
                os.kill(child.pid, number)
                wait_for("the dead one to be forgotten", lambda: locations(1))
                assert client.read("dw", "orders").num_rows == 50
                wait_for("another one", lambda: locations(2))
                assert re.search(
                    rf"reading process \d \(pid {child.pid}\) ended by {name}", process.errors()
                )
            assert "Fatal Python error: Bus error" in process.errors()
            children = psutil.Process(process.pid).children()
        assert process.stop() == 0
        gone, alive = psutil.wait_procs(children, timeout=20)
        assert len(gone) == 2 and not alive
    finally:
        if process.running:
            process.kill()


@pytest.mark.slow
def test_a_query_that_ends_its_process_is_not_asked_elsewhere(tmp_path: Path) -> None:
    """A reading process dies as of a page that cannot be read; the writing one never sees why."""
    process = ServerProcess(tmp_path / "data", "--readers", "1")
    process.start()
    try:
        with process.client() as client:
            wait_for("a reading process", lambda: client.hello()["reading"] or None)
            [child] = psutil.Process(process.pid).children()
            dies = threading.Timer(0.5, os.kill, (child.pid, signal.SIGBUS))
            dies.start()
            with pytest.raises(UnavailableError, match="went away during the call"):
                client.sql("SELECT sum(a.range + b.range) FROM range(9000000) a, range(9000000) b")
            dies.join()
            assert client.sql("SELECT 1 AS n").to_pylist() == [{"n": 1}]
        assert process.stop() == 0
    finally:
        if process.running:
            process.kill()
