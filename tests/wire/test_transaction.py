"""Transactions over the wire: several tables, one LSN, all or nothing."""

from typing import Any

import pyarrow as pa
import pytest

from kit.server import Served
from kit.tables import DELETE, make, make_orders, orders, with_ops
from sluiceway.catalog import ConflictError, NotFoundError, Table, UserError
from sluiceway.warehouse.client import Writer
from sluiceway.warehouse.client.routes import Routes
from sluiceway.warehouse.client.transaction import SCHEMA
from sluiceway.warehouse.server import transaction
from sluiceway.warehouse.server.wire import to_bytes

COUNT = "select (select count(*) from dw.orders) as orders, (select sum(b) from dw.t) as b"


@pytest.fixture
def order_table(served: Served) -> Table:
    """`dw.orders`, and beside it `dw.t (k BIGINT PRIMARY KEY, b INT)`."""
    table = make_orders(served.client, shards=2)
    make(served.client, "t", {"k": "BIGINT", "b": "INT"}, ["k"])
    return table


def pairs(*b: int) -> pa.Table:
    return pa.table({"k": pa.array(range(len(b)), pa.int64()), "b": pa.array(b, pa.int32())})


def counts(served: Served, lsn: int | None = None) -> tuple[int, int | None]:
    [row] = served.client.sql(COUNT, lsn=lsn).to_pylist()
    return row["orders"], row["b"]


def test_all_of_it_is_there_at_one_lsn(served: Served, order_table: Table) -> None:
    published = served.warehouse.published
    with served.client.transaction() as both:
        both.write("dw", "orders", orders(0, 100, order_table))
        both.write("dw", "t", pairs(1, 2))
        both.write("dw", "orders", orders(100, 100, order_table))
        assert served.warehouse.published == published
    assert both.ack is not None
    assert (both.ack.rows, both.ack.events) == (202, 202)
    assert served.warehouse.published == both.ack.lsn
    assert counts(served) == (200, 3)
    assert counts(served, published) == counts(served, both.ack.lsn - 1) == (0, None)
    with served.client.transaction() as both:
        both.write("dw", "t", pairs(5), partial=True)
        both.write("dw", "orders", with_ops([DELETE] * 10, orders(0, 10, order_table)))
    assert counts(served) == (190, 7)


def test_what_fails_leaves_nothing(served: Served, order_table: Table) -> None:
    late: Any = {"table_id": 99}
    for table, options, kind in [("nix", {}, NotFoundError), ("t", late, ConflictError)]:
        with pytest.raises(kind), served.client.transaction() as both:
            both.write("dw", "orders", orders(0, 10, order_table))
            both.write("dw", table, pairs(1), **options)
    with (
        pytest.raises(UserError, match="k. of dw.t is BIGINT"),
        served.client.transaction() as both,
    ):
        both.write("dw", "orders", orders(0, 10, order_table))
        both.write("dw", "t", pa.table({"k": ["big"]}))
    with pytest.raises(KeyError), served.client.transaction() as both:
        both.write("dw", "orders", orders(0, 10, order_table))
        raise KeyError("the caller's own")
    with pytest.raises(ValueError, match="ended"):
        both.commit()
    assert counts(served) == (0, None)


def test_one_table_is_written_in_one_way(served: Served, order_table: Table) -> None:
    both = served.client.transaction()
    both.write("dw", "t", pairs(1))
    others: list[dict[str, Any]] = [{"partial": True}, {"conflict": "ignore"}]
    for other in others:
        with pytest.raises(UserError, match="one way"):
            both.write("dw", "t", pairs(1), **other)
    with pytest.raises(UserError, match="one way"):
        both.write("dw", "t", pa.table({"k": [1]}))
    assert served.client.transaction().commit() is None


def test_several_transactions_share_a_stream(served: Served, order_table: Table) -> None:
    head = {"tables": [{"database": "dw", "table": "t"}, {"database": "dw", "table": "orders"}]}
    with _raw(served, head) as writer:
        for i in range(10):
            writer.write(batch((0, pairs(i)), (1, orders(i, 1, order_table))))
        assert len({ack.lsn for ack in writer.flush()}) >= 1
    assert counts(served) == (10, 9)


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ([(2, b"")], "_table 2 is none of the 2 tables"),
        ([(-1, b"")], "_table -1"),
        ([(0, b"")], "no Arrow IPC stream"),
        ([(0, b"no stream at all")], "no Arrow IPC stream"),
        ([(0, bytes.fromhex("ffffffff10000000") + bytes(40))], "no Arrow IPC stream"),
        ([(0, pairs(1)), (0, pairs(2))], "twice"),
        ([], "at least one"),
    ],
)
def test_hostile_batches(
    served: Served, order_table: Table, parts: list[tuple[int, Any]], words: str
) -> None:
    head = {"tables": [{"database": "dw", "table": "t"}, {"database": "dw", "table": "orders"}]}
    with pytest.raises(UserError, match=words), _raw(served, head) as writer:
        writer.write(batch(*parts))
        writer.flush()
    with (
        pytest.raises(UserError, match="a batch of write_all is"),
        _raw(served, head, pairs().schema) as writer,
    ):
        writer.write(pairs(1).to_batches()[0])
        writer.flush()
    assert counts(served) == (0, None)


def test_both_ends_mean_the_same_schema() -> None:
    assert SCHEMA.equals(transaction.SCHEMA)


def batch(*parts: tuple[int, Any]) -> pa.RecordBatch:
    """A batch of the stream: for each part the number of its table and its rows."""
    streams = [rows if isinstance(rows, bytes) else _stream(rows) for _, rows in parts]
    numbers = pa.array([number for number, _ in parts], pa.int32())
    return pa.RecordBatch.from_arrays([numbers, pa.array(streams, pa.binary())], schema=SCHEMA)


def _stream(rows: pa.Table | pa.RecordBatch) -> bytes:
    """Rows as IPC in two batches and a few."""
    rows = pa.Table.from_batches([rows]) if isinstance(rows, pa.RecordBatch) else rows
    rows = rows.add_column(0, "_op", pa.array([0] * len(rows), pa.int8()))
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as stream:
        stream.write_table(rows, max_chunksize=1)
    return bytes(sink.getvalue())


def _raw(served: Served, head: dict[str, Any], schema: pa.Schema = SCHEMA) -> Writer:
    command = to_bytes({"write_all": head})
    return Writer(Routes(served.server.endpoint), command, schema)
