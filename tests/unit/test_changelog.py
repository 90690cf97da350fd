"""Subscriptions: every change once, in order, in the schema of the stream."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from kit.model import changes
from kit.store import DATABASE, Shop, orders
from kit.workload import column
from sluiceway.catalog import (
    AddColumn,
    ConflictError,
    DropTable,
    GoneError,
    RenameColumn,
    UnavailableError,
    UserError,
)


@pytest.fixture(params=[0, 64 << 20], ids=["from the file", "from the tail"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(tmp_path / "data", tail_cache_bytes=request.param)
    yield shop
    shop.warehouse.close()


def test_events_carry_images_lsn_and_time(shop: Shop) -> None:
    table = shop.create(orders())
    base = shop.warehouse.published
    shop.put((1, "a", 1), (2, "b", 2))
    shop.write(
        [2, 3, 0],
        [{"id": 1, "name": "c", "qty": 3}, {"id": 2, "name": "", "qty": 0},
         {"id": 3, "name": None, "qty": None}],
    )  # fmt: skip
    events = changes(shop.warehouse, table, 0, 1)
    assert [(e["_event"], e["_lsn"] - base, e["id"], e["name"], e["qty"]) for e in events] == [
        (5, 2, 1, "a", 1),
        (5, 4, 2, "b", 2),
        (3, 6, 1, "a", 1),
        (7, 7, 1, "c", 3),
        (2, 8, 2, "b", 2),
        (5, 11, 3, None, None),
    ]
    assert {e["_time"] for e in events} == {shop.clock.us}


@pytest.mark.parametrize("batch_rows", [1, 2, 3, 1000])
def test_a_stream_resumes_at_any_lsn(shop: Shop, batch_rows: int) -> None:
    table = shop.create(orders())
    for step in range(6):
        shop.put(*((i, f"{step}", i + step) for i in range(4)))
    events = changes(shop.warehouse, table, 0, 1)
    lsns = [event["_lsn"] for event in events]
    assert len(events) == 4 + 5 * 8 and lsns == sorted(set(lsns))
    for start in range(1, shop.warehouse.published + 2):
        rest = changes(shop.warehouse, table, 0, start, batch_rows=batch_rows)
        assert rest == [event for event in events if event["_lsn"] >= start]
    for until in lsns:
        head = changes(shop.warehouse, table, 0, 1, until=until, batch_rows=batch_rows)
        assert head == [event for event in events if event["_lsn"] <= until]


def test_next_leads_through_the_whole_log(shop: Shop) -> None:
    table = shop.create(orders())
    for step in range(5):
        shop.put(*((i, f"{step}", i) for i in range(3)))
    events, at = [], 1
    while at <= shop.warehouse.published:
        batch = shop.warehouse.changelog(table, 0, at, batch_rows=2).read(0)
        events += batch.batch.to_pylist()
        assert batch.next > at
        at = batch.next
    assert events == changes(shop.warehouse, table, 0, 1)


def test_an_idle_reader_says_how_far_it_is(shop: Shop) -> None:
    table = shop.create(orders())
    reader = shop.warehouse.changelog(table, 0, 1)
    shop.put((1, "a", 1))
    first = reader.read(0)
    assert first.batch.num_rows == 1
    shop.warehouse.hold("h", None, 1_000)
    idle = reader.read(0)
    assert (idle.batch.num_rows, idle.next) == (0, shop.warehouse.published + 1)
    assert idle.published == shop.warehouse.published and not idle.done
    assert idle.batch.schema == first.batch.schema == reader.schema


def test_a_waiting_reader_wakes_when_something_is_committed(shop: Shop) -> None:
    table = shop.create(orders())
    reader = shop.warehouse.changelog(table, 0, shop.warehouse.published + 1)
    found: list[int] = []
    thread = threading.Thread(target=lambda: found.append(reader.read(60).batch.num_rows))
    thread.start()
    shop.put((1, "a", 1))
    thread.join(60)
    assert found == [1]


def test_columns_are_projected_in_the_order_asked_for(shop: Shop) -> None:
    table = shop.create(orders())
    shop.put((1, "a", 10))
    shop.put((1, "b", 20))
    events = changes(shop.warehouse, table, 0, 1, columns=["qty", "id"])
    assert [list(event)[3:] for event in events] == [["qty", "id"]] * 3
    assert [event["qty"] for event in events] == [10, 10, 20]


def test_a_stream_ends_at_a_schema_change_and_the_next_maps_old_rows(shop: Shop) -> None:
    old = shop.create(orders())
    shop.put((1, "a", 1))
    reader = shop.warehouse.changelog(old, 0, 1)
    shop.warehouse.ddl(
        [
            AddColumn(DATABASE, "orders", column("extra", "INT", default="5")),
            RenameColumn(DATABASE, "orders", "name", "title"),
        ]
    )
    shop.write([0], [{"id": 1, "title": "b", "qty": 2, "extra": 6}])
    assert reader.read(0).batch.to_pylist()[0]["name"] == "a"
    end = reader.read(0)
    assert end.schema_changed and end.batch.num_rows == 0 and not end.done
    rest = shop.warehouse.changelog(shop.table(), 0, end.next).read(0).batch.to_pylist()
    assert [(e["_event"], e["title"], e["extra"]) for e in rest] == [(3, "a", 5), (7, "b", 6)]
    whole = changes(shop.warehouse, shop.table(), 0, 1)
    assert [(e["_event"], e["title"], e["extra"]) for e in whole] == [
        (5, "a", 5),
        (3, "a", 5),
        (7, "b", 6),
    ]


def test_an_idle_stream_ends_at_a_schema_change_too(shop: Shop) -> None:
    table = shop.create(orders())
    reader = shop.warehouse.changelog(table, 0, 1)
    assert not reader.read(0).schema_changed
    shop.warehouse.ddl([RenameColumn(DATABASE, "orders", "name", "title")])
    assert reader.read(0).schema_changed


def test_a_stream_of_a_dropped_table_fails(shop: Shop) -> None:
    table = shop.create(orders())
    reader = shop.warehouse.changelog(table, 0, 1)
    shop.warehouse.ddl([DropTable(DATABASE, "orders")])
    with pytest.raises(ConflictError, match="dropped"):
        reader.read(0)


def test_positions_outside_of_the_log_are_refused(shop: Shop) -> None:
    table = shop.create(orders())
    with pytest.raises(GoneError, match="the oldest is 1"):
        shop.warehouse.changelog(table, 0, 0)
    with pytest.raises(UserError, match="no 1"):
        shop.warehouse.changelog(table, 1, 1)


def test_a_stream_begun_in_the_future_waits_for_it(shop: Shop) -> None:
    table = shop.create(orders())
    start = shop.warehouse.published + 4
    reader = shop.warehouse.changelog(table, 0, start)
    idle = reader.read(0)
    assert (idle.batch.num_rows, idle.next) == (0, start)
    shop.put((1, "a", 1), (2, "b", 2))
    assert [e["id"] for e in reader.read(0).batch.to_pylist()] == [2]


def test_closing_ends_a_waiting_reader(shop: Shop) -> None:
    table = shop.create(orders())
    reader = shop.warehouse.changelog(table, 0, shop.warehouse.published + 1)
    found: list[Exception] = []

    def wait() -> None:
        try:
            reader.read(60)
        except UnavailableError as error:
            found.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    shop.warehouse.close()
    thread.join(60)
    assert len(found) == 1
