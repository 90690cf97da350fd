"""Actions: each row of the table in docs/wire.md."""

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.flight as fl
import pytest

from kit.server import Served, wait_for
from kit.tables import (
    ORDER_COLUMNS,
    create_database,
    create_table,
    make,
    make_orders,
    orders,
)
from sluiceway.catalog import (
    Column,
    ConflictError,
    CreateTable,
    ExistsError,
    GoneError,
    NotFoundError,
    SluicewayError,
    Table,
    UserError,
    change_from_json,
    parse_type,
)
from sluiceway.warehouse.client import Client


def test_hello_says_who_answers(served: Served) -> None:
    hello = served.client.hello()
    assert hello["wire"] == 1
    assert hello["product"] == "sluiceway"
    assert set(hello) == {
        "wire", "product", "version", "uuid", "timeline", "incarnation", "published", "reading",
    }  # fmt: skip
    assert hello["published"] == served.warehouse.published


def test_list_actions_names_all_of_them(served: Served) -> None:
    with fl.connect(served.server.endpoint) as raw:
        names = [action.type for action in raw.list_actions()]
    assert names == [
        "hello", "ddl", "truncate", "commit_staged", "abort_staged", "databases", "tables",
        "table", "partitions", "shards", "hold", "at_time", "release", "status", "checkpoint",
    ]  # fmt: skip


def test_ddl_answers_the_table_of_each_change(served: Served) -> None:
    database, table = served.client.ddl(
        create_database("dw"), create_table("orders", ORDER_COLUMNS, ["order_id"])
    )
    assert database is None
    assert table is not None
    assert served.client.table("dw", "orders") == table
    with pytest.raises(NotFoundError):
        served.client.table("dw", "orders", lsn=0)
    with pytest.raises(GoneError):
        served.client.table("dw", "orders", as_of="1999-01-01")
    assert [c.name for c in table.columns] == list(ORDER_COLUMNS)
    assert [d.name for d in served.client.databases()] == ["dw"]
    assert served.client.tables("dw") == [table]


def test_partitions_are_listed_as_they_were(served: Served) -> None:
    table = Table(
        "dw", "days", (Column(0, "day", parse_type("DATE")),), partition_by=("day",), shards=1
    )
    served.client.ddl(create_database("dw"), CreateTable(table))
    days = [pa.scalar(date).cast(pa.date32()) for date in ("2024-01-02", "2024-01-01")]
    for day in days:
        served.client.write("dw", "days", pa.table({"_op": pa.array([0], pa.int8()), "day": [day]}))
    published = served.client.hello()["published"]
    assert served.client.partitions("dw", "days") == [{"day": "2024-01-02"}, {"day": "2024-01-01"}]
    assert served.client.partitions("dw", "days", published - 4) == [{"day": "2024-01-02"}]
    make(served.client, "a", {"k": "INT"}, ["k"])
    assert served.client.partitions("dw", "a") == []


def test_ddl_is_all_or_nothing(served: Served) -> None:
    make(served.client, "a", {"k": "INT"}, ["k"])
    with pytest.raises(ExistsError):
        served.client.ddl(
            create_table("b", {"k": "INT"}, ["k"]), create_table("a", {"k": "INT"}, ["k"])
        )
    assert [t.name for t in served.client.tables("dw")] == ["a"]


def test_ddl_with_a_change_id_seen_before_changes_nothing(served: Served) -> None:
    served.client.ddl(create_database("dw"))
    change = create_table("a", {"k": "INT"}, ["k"])
    first = served.client.ddl(change, change_id="binlog:4:117")
    published = served.client.hello()["published"]
    assert served.client.ddl(change, change_id="binlog:4:117") == first
    assert served.client.hello()["published"] == published


def test_an_added_column_is_null_in_old_rows(served: Served) -> None:
    table = make(served.client, "a", {"k": "INT"}, ["k"])
    served.client.write("dw", "a", _keys(table, [1]))
    served.client.ddl(
        change_from_json(
            {
                "kind": "add_column",
                "database": "dw",
                "table": "a",
                "column": {
                    "name": "v",
                    "type": "STRING",
                    "nullable": True,
                    "comment": None,
                    "default": None,
                },
                "position": None,
                "if_not_exists": False,
            }
        )
    )
    assert served.client.read("dw", "a").to_pylist() == [{"k": 1, "v": None}]


@pytest.mark.parametrize(
    ("ask", "kind", "sqlstate"),
    [
        (lambda c: c.tables("nix"), NotFoundError, "3D000"),
        (lambda c: c.table("dw", "nix"), NotFoundError, "42P01"),
        (lambda c: c.shards("dw", "nix"), NotFoundError, "42P01"),
        (lambda c: c.scan("dw", "nix"), NotFoundError, "42P01"),
        (lambda c: c.scan("dw", "orders", ["nix"]), NotFoundError, "42703"),
        (lambda c: c.scan("dw", "orders", shard=1), UserError, "22023"),
        (lambda c: c.scan("dw", "orders", table_id=99), ConflictError, "40001"),
        (lambda c: c.changelog("dw", "nix"), NotFoundError, "42P01"),
        (lambda c: c.hold("h", 0), UserError, "22003"),
        (lambda c: c.hold("h", 1000, lsn=10**9), UserError, None),
        (lambda c: c.sql("selec 1"), UserError, "42601"),
    ],
)
def test_errors_name_the_state(
    served: Served,
    ask: Callable[[Client], object],
    kind: type[SluicewayError],
    sqlstate: str | None,
) -> None:
    make_orders(served.client)
    with pytest.raises(kind) as caught:
        ask(served.client)
    if sqlstate:
        assert caught.value.sqlstate == sqlstate


def test_shards_gives_positions_and_locations(served: Served) -> None:
    table = make_orders(served.client, shards=3)
    [ack] = served.client.write("dw", "orders", orders(0, 100, table))
    answer = served.client.shards("dw", "orders")
    assert answer["table_id"] == table.id
    assert answer["generation"] == table.generation
    assert answer["published"] == ack.lsn
    assert [s["shard"] for s in answer["shards"]] == [0, 1, 2]
    for shard in answer["shards"]:
        assert set(shard) == {"shard", "locations", "oldest", "next", "at_time"}
        assert shard["locations"] == [served.server.endpoint]
        assert shard["next"] == ack.lsn + 1
        assert shard["oldest"] <= shard["next"]


def test_shards_at_a_time(served: Served) -> None:
    table = make_orders(served.client)
    [first] = served.client.write("dw", "orders", orders(0, 1, table))
    ancient, future = 0, 2**62
    [shard] = served.client.shards("dw", "orders", ancient)["shards"]
    assert shard["at_time"] == shard["oldest"]
    [shard] = served.client.shards("dw", "orders", future)["shards"]
    assert shard["at_time"] == first.lsn + 1


def test_hold_is_created_renewed_and_released(served: Served) -> None:
    table = make_orders(served.client)
    [first] = served.client.write("dw", "orders", orders(0, 5, table))
    assert served.client.hold("job", 60_000) == first.lsn
    served.client.write("dw", "orders", orders(5, 5, table))
    assert served.client.hold("job", 60_000, first.lsn) == first.lsn
    assert [h["name"] for h in served.client.status()["holds"]] == ["job"]
    with served.client.scan("dw", "orders", lsn=first.lsn, hold="job") as chunks:
        assert chunks.to_reader().read_all().num_rows == 5
    served.client.release("job")
    assert served.client.status()["holds"] == []


def test_a_hold_that_expired_is_gone(served: Served) -> None:
    make_orders(served.client)
    lsn = served.client.hold("job", 1)

    def renew() -> bool:
        try:
            served.client.scan("dw", "orders", lsn=lsn, hold="job").close()
        except GoneError:
            return True
        return False

    wait_for("the hold to expire", renew)


def test_status_shows_tables_and_readers(served: Served) -> None:
    table = make_orders(served.client)
    [ack] = served.client.write("dw", "orders", orders(0, 50, table))
    with served.client.changelog("dw", "orders") as changes:
        next(changes.changes())
        status = wait_for("a reader", lambda: _with_readers(served))
    assert status["published"] == ack.lsn
    [shown] = status["tables"]
    assert shown["id"] == table.id
    assert (shown["database"], shown["name"]) == ("dw", "orders")
    assert (shown["shards"], shown["rows"]) == (1, 50)
    assert shown["lsn"] == ack.lsn
    assert shown["bytes"] > 0
    [reader] = status["readers"]
    assert (reader["table"], reader["shard"]) == ("dw.orders", 0)
    assert status["uptime_s"] >= 0
    assert set(status) >= {"published", "tables", "readers", "log", "holds", "uptime_s"}
    wait_for("the reader to leave", lambda: not served.client.status()["readers"])


def test_checkpoint_answers_its_lsn(served: Served) -> None:
    table = make_orders(served.client)
    [ack] = served.client.write("dw", "orders", orders(0, 50, table))
    assert served.client.checkpoint() == ack.lsn


def test_an_unknown_action_names_the_known(served: Served) -> None:
    with (
        fl.connect(served.server.endpoint) as raw,
        pytest.raises(fl.FlightServerError, match="unknown action .*hello, ddl"),
    ):
        list(raw.do_action(fl.Action("dance", b"{}")))


def _with_readers(served: Served) -> dict[str, Any] | None:
    status = served.client.status()
    return status if status["readers"] else None


def _keys(table: Table, values: list[int]) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays(
        [pa.array(values, table.arrow_schema().field(0).type)], schema=table.arrow_schema()
    )
