"""Queries over the wire: one LSN across tables, errors that name the cure."""

from datetime import UTC, datetime, timedelta

import pytest

from kit.server import Served
from kit.tables import make_orders, orders
from sluiceway.catalog import GoneError, NotFoundError, UserError


def test_a_query_sees_the_live_rows(served: Served) -> None:
    table = make_orders(served.client)
    [first] = served.client.write("dw", "orders", orders(0, 100, table))
    served.client.write("dw", "orders", orders(0, 200, table, tag="v"))
    count = "select count(*) as n, min(user_name) as name from dw.orders"
    assert served.client.sql(count).to_pylist() == [{"n": 200, "name": "v0"}]
    assert served.client.sql(count, lsn=first.lsn).to_pylist() == [{"n": 100, "name": "u0"}]
    inside = served.client.sql("select * from orders where order_id = 7", database="dw")
    assert inside.column("user_name").to_pylist() == ["v7"]


def test_a_query_sees_what_was_committed_by_then(served: Served) -> None:
    client = served.client
    table = make_orders(client)
    client.write("dw", "orders", orders(0, 10, table))
    with client.changelog("dw", "orders", until=served.warehouse.published) as changes:
        [batch] = [chunk.batch for chunk in changes if chunk.batch.num_rows]
    time_us = batch.column("_time")[0].as_py()
    moment = datetime.fromtimestamp(time_us // 1_000_000, UTC) + timedelta(
        microseconds=time_us % 1_000_000
    )
    [second] = client.write("dw", "orders", orders(0, 20, table))
    count = "select count(*) as n from dw.orders"
    assert client.sql(count, as_of=moment).to_pylist() == [{"n": 10}]
    assert client.sql(count, as_of=str(moment)).to_pylist() == [{"n": 10}]
    assert client.sql(count, as_of=moment.replace(tzinfo=None)).to_pylist() == [{"n": 10}]
    both = f"select (select count(*) from dw.orders for system_time as of '{moment}') + 0 as n"
    assert client.sql(both, lsn=second.lsn).to_pylist() == [{"n": 10}]
    for wrong, kind in [("1999-01-01", GoneError), ("2999-01-01", UserError), ("x", UserError)]:
        with pytest.raises(kind):
            client.sql(count, as_of=wrong)
    with pytest.raises(UserError, match="name one"):
        client.sql(count, as_of=moment, lsn=1)


def test_an_empty_result_has_a_schema(served: Served) -> None:
    make_orders(served.client)
    assert served.client.sql("select order_id from dw.orders").schema.names == ["order_id"]


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        ("selec 1", UserError),
        ("select * from dw.nix", NotFoundError),
        ("drop table dw.orders", UserError),
        ("select * from read_csv('x.csv')", UserError),
    ],
)
def test_what_cannot_be_asked(served: Served, query: str, kind: type[Exception]) -> None:
    make_orders(served.client)
    with pytest.raises(kind):
        served.client.sql(query)
    assert served.client.sql("select 1 as x").to_pylist() == [{"x": 1}]
