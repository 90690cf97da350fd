"""Snapshot reads: one LSN, birth order, the same batches again from any of them."""

from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.flight as fl
import pytest

from kit.server import Served
from kit.tables import DELETE, create_database, make_orders, orders, with_ops
from sluiceway.catalog import Column, CreateTable, Table, UserError, parse_type


@pytest.fixture
def filled(served: Served) -> Served:
    """10,000 orders in two commits, of which every third one is deleted again."""
    table = make_orders(served.client)
    served.client.write("dw", "orders", orders(0, 5_000, table))
    served.client.write("dw", "orders", orders(5_000, 5_000, table))
    gone = pa.RecordBatch.from_pydict({"order_id": list(range(0, 10_000, 3))})
    served.client.write("dw", "orders", with_ops([DELETE] * gone.num_rows, gone))
    return served


def alive() -> list[int]:
    return [i for i in range(10_000) if i % 3]


def test_rows_come_in_birth_order_at_one_lsn(filled: Served) -> None:
    with filled.client.scan("dw", "orders", ["order_id"], batch_rows=1000) as chunks:
        found = list(chunks)
    assert [i for c in found for i in c.batch.column(0).to_pylist()] == alive()
    assert {c.metadata["lsn"] for c in found} == {filled.warehouse.published}
    assert all(c.batch.num_rows <= 1000 for c in found)
    assert [c.next for c in found] == sorted({c.next for c in found})


def test_a_read_resumes_at_any_batch_with_the_same_batches(filled: Served) -> None:
    def read(start: int, lsn: int | None = None) -> list[tuple[pa.RecordBatch, int]]:
        with filled.client.scan(
            "dw", "orders", lsn=lsn, start=start, shard=0, batch_rows=777
        ) as chunks:
            return [(chunk.batch, chunk.next) for chunk in chunks]

    lsn = filled.warehouse.published
    whole = read(0)
    table = filled.client.table("dw", "orders")
    filled.client.write("dw", "orders", orders(1, 1_000, table, tag="later"))
    for number, (_, start) in enumerate(whole):
        assert read(start, lsn) == whole[number + 1 :]


@pytest.mark.parametrize(
    ("asked", "days"),
    [
        ({"values": ["2024-01-02", "2024-01-09"]}, [2]),
        ({"low": "2024-01-02"}, [2, 3]),
        ({"low": "2024-01-01", "high": "2024-01-02"}, [1, 2]),
        ({"values": []}, []),
    ],
)
def test_partitions_that_are_not_asked_for_are_left_out(
    served: Served, asked: dict[str, Any], days: list[int]
) -> None:
    columns = (Column(0, "day", parse_type("DATE")), Column(0, "n", parse_type("INT")))
    table = Table("dw", "days", columns, partition_by=("day",), shards=2)
    served.client.ddl(create_database("dw"), CreateTable(table))
    rows = {"day": [date(2024, 1, n % 3 + 1) for n in range(30)], "n": list(range(30))}
    served.client.write("dw", "days", pa.record_batch(rows))
    found = []
    for shard in (0, 1):
        ranges = [{"column": "day", **asked}]
        with served.client.scan("dw", "days", shard=shard, partitions=ranges) as chunks:
            found += [row for chunk in chunks for row in chunk.batch.to_pylist()]
    assert sorted(row["n"] for row in found) == [n for n in range(30) if n % 3 + 1 in days]
    with pytest.raises(UserError, match="not partitioned by 'n'"):
        served.client.scan("dw", "days", partitions=[{"column": "n"}]).to_reader()
    with pytest.raises(UserError, match="'soon' is no value of DATE"):
        served.client.scan("dw", "days", partitions=[{"column": "day", "low": "soon"}]).to_reader()


def test_an_older_lsn_shows_the_older_rows(filled: Served) -> None:
    before = filled.warehouse.published
    table = filled.client.table("dw", "orders")
    filled.client.write("dw", "orders", orders(1, 1, table, tag="new"))
    assert names_of(filled, before) == "u1"
    assert names_of(filled, None) == "new1"


def test_columns_are_projected_in_the_order_asked(filled: Served) -> None:
    found = filled.client.read("dw", "orders", ["amount", "order_id"])
    assert found.schema.names == ["amount", "order_id"]


def test_an_empty_table_has_a_schema(served: Served) -> None:
    table = make_orders(served.client)
    found = served.client.read("dw", "orders")
    assert found.num_rows == 0
    assert found.schema.equals(table.arrow_schema())


def test_shards_share_the_rows(served: Served) -> None:
    table = make_orders(served.client, shards=4)
    served.client.write("dw", "orders", orders(0, 1_000, table))
    parts = []
    for shard in range(4):
        with served.client.scan("dw", "orders", ["order_id"], shard=shard) as chunks:
            parts.append(chunks.to_reader().read_all().column(0).to_pylist())
    assert all(parts)
    assert sorted(i for part in parts for i in part) == list(range(1_000))
    assert sorted(served.client.read("dw", "orders").column("order_id").to_pylist()) == list(
        range(1_000)
    )


@pytest.mark.parametrize("ticket", [b"", b"{}", b'{"scan": {}}', b"\x00\xff", b'{"dance": {}}'])
def test_a_bad_ticket_is_a_user_error(served: Served, ticket: bytes) -> None:
    with fl.connect(served.server.endpoint) as raw, pytest.raises(fl.FlightServerError):
        raw.do_get(fl.Ticket(ticket)).read_all()
    assert served.client.hello()["wire"] == 1


def names_of(served: Served, lsn: int | None) -> str:
    with served.client.scan("dw", "orders", lsn=lsn) as chunks:
        rows = chunks.to_reader().read_all().to_pylist()
    [name] = [row["user_name"] for row in rows if row["order_id"] == 1]
    return str(name)
