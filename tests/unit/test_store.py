"""The warehouse as a whole: what is answered is there, and is there again after a restart."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from kit.model import all_rows, batch_of, changes, looked_up, replayed, scanned
from kit.store import DATABASE, Shop, orders
from kit.workload import column, tables
from sluiceway.catalog import (
    AddColumn,
    ConflictError,
    CreateDatabase,
    CreateTable,
    DropTable,
    ExistsError,
    GoneError,
    NotFoundError,
    RenameColumn,
    UserError,
)
from sluiceway.warehouse import WriteRequest

ONE, TWO = {"id": 1, "name": "a", "qty": 1}, {"id": 2, "name": "b", "qty": 2}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(tmp_path / "data")
    yield shop
    shop.warehouse.close()


def test_a_new_warehouse_is_empty(shop: Shop) -> None:
    assert shop.warehouse.published == 0
    assert shop.warehouse.catalog.tables == {}
    assert shop.warehouse.identity.incarnation == 1


def test_lsns_count_two_a_row_and_one_a_commit(shop: Shop) -> None:
    shop.create(orders())
    base = shop.warehouse.published
    ack = shop.put((1, "a", 1), (2, "b", 2), (3, None, None))
    assert (ack.lsn, ack.rows, ack.events) == (base + 7, 3, 3)
    assert shop.put((1, "a", 1)).lsn == base + 10
    assert shop.warehouse.published == base + 10


def test_rows_survive_restarts_with_and_without_a_checkpoint(shop: Shop) -> None:
    table = shop.create(orders(shards=3))
    shop.put(*((i, f"n{i}", i) for i in range(50)))
    shop.warehouse.checkpoint()
    shop.write([3, 2], [{"id": 7, "name": None, "qty": None}, {"id": 8, "name": "x", "qty": 0}])
    expected, lsn = all_rows(shop.warehouse, DATABASE), shop.warehouse.published
    assert len(expected["orders"]) == 49
    for incarnation in (2, 3, 4):
        warehouse = shop.again()
        assert (warehouse.published, warehouse.identity.incarnation) == (lsn, incarnation)
        assert all_rows(warehouse, DATABASE) == expected
        assert replayed(warehouse, table) == expected["orders"]
        assert looked_up(warehouse, table, [(7,), (8,)]) == {(8,): {"id": 8, "name": "x", "qty": 0}}


def test_a_snapshot_stays_while_rows_change_and_tables_go(shop: Shop) -> None:
    table = shop.create(orders())
    shop.put((1, "a", 1), (2, "b", 2))
    before = shop.warehouse.snapshot()
    shop.write([3, 2], [ONE, {"id": 2, "name": "z", "qty": 9}])
    shop.warehouse.ddl([DropTable(DATABASE, "orders")])
    assert scanned(before, table) == [ONE, TWO]
    assert before.table(DATABASE, "orders") == table
    with pytest.raises(NotFoundError):
        shop.warehouse.snapshot().table(DATABASE, "orders")
    with pytest.raises(GoneError):
        scanned(shop.warehouse.snapshot(), table)


def test_old_lsns_can_be_read_also_after_a_restart(shop: Shop) -> None:
    table = shop.create(orders())
    first = shop.put((1, "a", 1)).lsn
    shop.put((1, "z", 9), (2, "b", 2))
    shop.warehouse.ddl([RenameColumn(DATABASE, "orders", "qty", "pieces")])
    for _ in range(2):
        old = shop.warehouse.snapshot(first)
        assert scanned(old, old.table(DATABASE, "orders")) == [ONE]
        assert old.table(DATABASE, "orders").column_names == table.column_names
        shop.again()
    with pytest.raises(UserError, match="not published yet"):
        shop.warehouse.snapshot(shop.warehouse.published + 1)


def test_one_lsn_cuts_through_all_tables(shop: Shop) -> None:
    events = next(table for table in tables() if table.name == "events")
    shop.create(orders(), replace(events, database=DATABASE))
    lsn = shop.put((1, "a", 1)).lsn
    shop.write([0], [{"what": "later", "n": 1}], "events")
    old, new = shop.warehouse.snapshot(lsn), shop.warehouse.snapshot()
    events = shop.table("events")
    assert scanned(old, events) == [] and len(scanned(new, events)) == 1


def test_a_write_needs_the_table_it_was_opened_for(shop: Shop) -> None:
    table = shop.create(orders())
    shop.warehouse.ddl([DropTable(DATABASE, "orders")])
    with pytest.raises(NotFoundError):
        shop.put((1, "a", 1))
    request = WriteRequest(DATABASE, "orders", table_id=table.id)
    batch = batch_of(table, [0], [ONE])
    with pytest.raises(ConflictError, match="dropped"):
        shop.warehouse.write(request, batch)
    shop.warehouse.ddl([CreateTable(orders())])
    with pytest.raises(ConflictError, match=f"not {table.id}"):
        shop.warehouse.write(request, batch)
    assert shop.warehouse.write(WriteRequest(DATABASE, "orders"), batch).rows == 1


def test_a_bad_batch_changes_nothing(shop: Shop) -> None:
    table = shop.create(orders(shards=2))
    lsn = shop.put((1, "a", 1)).lsn
    with pytest.raises(NotFoundError, match="nonsense"):
        shop.warehouse.write(
            WriteRequest(DATABASE, "orders"),
            pa.RecordBatch.from_pydict({"_op": pa.array([0], pa.int8()), "nonsense": [1]}),
        )
    with pytest.raises(UserError, match="sideways"):
        shop.write([0], [TWO], conflict="sideways")
    assert shop.warehouse.published == lsn
    assert scanned(shop.warehouse.snapshot(), table) == [ONE]


def test_a_partial_write_is_refused_in_all_shards_or_none(shop: Shop) -> None:
    columns = (*orders().columns, column("must", "INT", nullable=False))
    table = shop.create(replace(orders(shards=4), columns=columns))
    shop.write([0] * 20, [{**ONE, "id": i, "must": 5} for i in range(20)])
    before = scanned(shop.warehouse.snapshot(), table)
    lsn = shop.warehouse.published
    with pytest.raises(UserError, match="must") as caught:
        shop.write([0] * 21, [{"id": i, "qty": 7} for i in range(21)], partial=True)
    assert caught.value.sqlstate == "23502"
    shop.write([0], [{"id": 3, "qty": 8}], partial=True)
    after = scanned(shop.warehouse.snapshot(), table)
    assert shop.warehouse.published == lsn + 3
    assert [row for row in after if row["id"] != 3] == [row for row in before if row["id"] != 3]
    assert {"id": 3, "name": "a", "qty": 8, "must": 5} in after
    assert replayed(shop.again(), table) == after


def test_a_write_that_changes_nothing_takes_no_lsn(shop: Shop) -> None:
    shop.create(orders())
    lsn = shop.put((1, "a", 1)).lsn
    ack = shop.write([3, 3], [TWO, TWO])
    assert (ack.lsn, ack.rows, ack.events) == (lsn, 2, 0)
    assert shop.write([], []).events == 0
    assert shop.write([0], [{**ONE, "qty": 9}], conflict="ignore").events == 0
    assert shop.warehouse.published == lsn


def test_ddl_holds_together_or_not_at_all(shop: Shop) -> None:
    shop.create(orders())
    lsn = shop.warehouse.published
    with pytest.raises(ExistsError):
        shop.warehouse.ddl([CreateDatabase("other"), CreateTable(orders())])
    assert shop.warehouse.published == lsn
    assert set(shop.warehouse.catalog.databases) == {DATABASE}


def test_a_change_id_is_answered_once_and_the_same_way_for_ever(shop: Shop) -> None:
    shop.create(orders())
    change = AddColumn(DATABASE, "orders", column("extra", "INT"))
    first = shop.warehouse.ddl([change], "binlog:7")
    assert shop.warehouse.ddl([change], "binlog:7") == first
    shop.again()
    shop.warehouse.ddl([RenameColumn(DATABASE, "orders", "extra", "other")])
    assert shop.warehouse.ddl([change], "binlog:7") == first
    with pytest.raises(ExistsError):
        shop.warehouse.ddl([AddColumn(DATABASE, "orders", column("other", "INT"))], "binlog:8")


def test_a_ddl_of_nothing_takes_no_lsn(shop: Shop) -> None:
    table = shop.create(orders())
    lsn = shop.warehouse.published
    result = shop.warehouse.ddl([CreateTable(orders(), if_not_exists=True)])
    assert (result.lsn, result.tables) == (lsn, [table])


def test_columns_added_and_renamed_are_read_from_old_rows(shop: Shop) -> None:
    shop.create(orders())
    shop.put((1, "a", 1))
    shop.warehouse.ddl(
        [
            AddColumn(DATABASE, "orders", column("extra", "INT", default="5")),
            RenameColumn(DATABASE, "orders", "name", "title"),
        ]
    )
    shop.write([0], [{"id": 2, "title": "b", "qty": 2, "extra": 6}])
    expected = [
        {"id": 1, "title": "a", "qty": 1, "extra": 5},
        {"id": 2, "title": "b", "qty": 2, "extra": 6},
    ]
    for _ in range(2):
        assert scanned(shop.warehouse.snapshot(), shop.table()) == expected
        assert replayed(shop.warehouse, shop.table()) == expected
        shop.again()


def test_shards_say_where_a_time_was(shop: Shop) -> None:
    table = shop.create(orders(shards=2))
    shop.clock.us += 1_000
    first = shop.warehouse.published + 1
    shop.put((1, "a", 1))
    shop.clock.us += 1_000
    shop.put((2, "b", 2))
    published = shop.warehouse.published
    shards = shop.warehouse.shards(table, shop.clock.us - 1_500)
    assert [(s.shard, s.oldest, s.next, s.at_time) for s in shards] == [
        (0, 1, published + 1, first),
        (1, 1, published + 1, first),
    ]
    assert shop.warehouse.shards(table)[0].at_time == 1
    assert shop.warehouse.shards(table, shop.clock.us + 1)[0].at_time == published + 1


def test_the_clock_may_go_back_and_commit_times_do_not(shop: Shop) -> None:
    table = shop.create(orders())
    shop.put((1, "a", 1))
    shop.clock.us -= 5_000_000
    shop.put((1, "b", 1))
    shop.again()
    shop.put((1, "c", 1))
    assert replayed(shop.warehouse, table) == [{"id": 1, "name": "c", "qty": 1}]


def test_stats_add_up(shop: Shop) -> None:
    shop.create(orders(shards=2))
    shop.put((1, "a", 1), (2, "b", 2))
    shop.warehouse.hold("h", None, 1_000)
    stats = shop.warehouse.stats()
    (table,) = stats.tables
    assert (table.name, table.shards, table.rows) == ("orders", 2, 2)
    assert stats.published == shop.warehouse.published and table.lsn == stats.published - 3
    assert (stats.log["records"], stats.log["fsyncs"], stats.log["rows"]) == (3, 3, 2)
    assert [hold.name for hold in stats.holds] == ["h"]


def test_lookups_answer_in_the_order_of_the_keys_over_all_shards(shop: Shop) -> None:
    table = shop.create(orders(shards=4))
    shop.put(*((i, f"n{i}", i) for i in range(40)))
    keys = pa.RecordBatch.from_pydict({"id": pa.array([39, 100, 3, None, 3, 0], pa.int64())})
    found = shop.warehouse.snapshot().lookup(table, keys, ["qty"])
    assert found.to_pydict() == {"_pos": [0, 2, 4, 5], "qty": [39, 3, 3, 0]}
    nothing = shop.warehouse.snapshot().lookup(table, keys.slice(1, 1), ["qty"])
    assert nothing.to_pydict() == {"_pos": [], "qty": []}


def test_a_checkpoint_comes_by_itself_when_the_log_has_grown(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "data", checkpoint_log_bytes=20_000, log_file_bytes=10_000)
    try:
        table = shop.create(orders())
        deadline = time.monotonic() + 60
        step = 0
        while shop.warehouse.stats().checkpoint_lsn == 0:
            assert time.monotonic() < deadline, "no checkpoint came"
            shop.put(*((i, f"{step}", step) for i in range(100)))
            step += 1
        assert len(replayed(shop.again(), table)) == 100
    finally:
        shop.warehouse.close()


def test_a_checkpoint_beside_writers_shows_one_lsn(shop: Shop) -> None:
    table = shop.create(orders(shards=2))
    with ThreadPoolExecutor(2) as pool:
        done = pool.submit(lambda: [shop.put((n % 9, "w", n), (100, "w", n)) for n in range(80)])
        while not done.done():
            shop.warehouse.checkpoint()
        done.result()
    expected = scanned(shop.warehouse.snapshot(), table)
    shop.warehouse._opened.release()  # what a kill leaves
    shop.warehouse = shop.opened()
    assert scanned(shop.warehouse.snapshot(), table) == expected
    assert replayed(shop.warehouse, table) == expected


def test_a_log_whose_begin_was_removed_says_where_it_begins(shop: Shop) -> None:
    table = shop.create(orders())
    shop.put((1, "a", 1))
    shop.again()
    shop.put((1, "b", 2))
    shop.warehouse.close()
    (shop.folder / "log" / f"{1:020d}.log").unlink()
    shop.warehouse = shop.opened()
    oldest = shop.warehouse.shards(table)[0].oldest
    assert oldest > 1
    assert scanned(shop.warehouse.snapshot(), table) == [{"id": 1, "name": "b", "qty": 2}]
    assert [e["_event"] for e in changes(shop.warehouse, table, 0, oldest)] == [3, 7]
    with pytest.raises(GoneError, match=f"the oldest is {oldest}"):
        shop.warehouse.changelog(table, 0, 1)
