"""A reading process sees what the writing one published: the same rows, changes, errors.

Both sides run in this process here, each with maps of its own; tests/crash kills real ones.
"""

import threading
import weakref
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pyarrow as pa
import pytest

from kit.disk import HandClock
from kit.lives import columns_of
from kit.model import (
    Model,
    all_rows,
    batch_of,
    changes,
    check_changelog,
    looked_up,
    scanned,
)
from kit.store import DATABASE, Shop, orders
from kit.workload import DATABASE as RANDOM_DATABASE
from kit.workload import Workload, column
from sluiceway.catalog import (
    AddColumn,
    DropTable,
    GoneError,
    NotFoundError,
    SetType,
    UnavailableError,
    UserError,
    parse_type,
)
from sluiceway.warehouse import ServerOptions, Warehouse, WriteRequest
from sluiceway.warehouse.query import run_sql
from sluiceway.warehouse.replica import Replica


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(tmp_path / "data")
    yield shop
    shop.warehouse.close()


@pytest.fixture
def replica(shop: Shop) -> Iterator[Replica]:
    replica = Replica.open(shop.folder, clock=shop.clock)
    yield replica
    replica.close()


def test_an_empty_warehouse_can_be_read(replica: Replica) -> None:
    assert replica.published == 0
    assert replica.catalog.tables == {}


def test_each_commit_is_seen_at_once(shop: Shop, replica: Replica) -> None:
    table = shop.create(orders(shards=2))
    for number in range(50):
        shop.put((number % 7, f"n{number}", number))
        assert replica.published == shop.warehouse.published
        assert all_rows(replica, DATABASE) == all_rows(shop.warehouse, DATABASE)
    keys = [(number,) for number in range(9)]
    assert looked_up(replica, table, keys) == looked_up(shop.warehouse, table, keys)
    found = run_sql(replica.snapshot(), f"SELECT sum(qty) FROM {DATABASE}.orders").read_all()
    assert found.column(0).to_pylist() == [sum(range(43, 50))]


def test_an_index_and_segments_that_grow_are_followed(shop: Shop, replica: Replica) -> None:
    """Some 200,000 keys: partitions double and split, segments fill, a column gets its NULLs."""
    table = shop.create(orders())
    request = WriteRequest(DATABASE, "orders")
    rows = 20_000
    for start in range(0, 10 * rows, rows):
        ids = pa.array(range(start, start + rows), pa.int64())
        names = ids.cast(pa.string()) if start != 4 * rows else pa.nulls(rows, pa.string())
        batch = pa.record_batch({"_op": pa.repeat(pa.scalar(0, pa.int8()), rows), "id": ids,
                                 "name": names, "qty": ids.cast(pa.int32())})  # fmt: skip
        shop.warehouse.write(request, batch)
        asked = pa.record_batch({"id": pa.array(range(0, start + rows, 37), pa.int64())})
        expected = shop.warehouse.snapshot().lookup(table, asked, None)
        assert expected.num_rows == asked.num_rows
        assert replica.snapshot().lookup(table, asked, None).equals(expected)
    mine, theirs = (
        pa.Table.from_batches([batch for batch, _ in reads.snapshot().scan(table, 0, None)])
        for reads in (replica, shop.warehouse)
    )
    assert mine.num_rows == 10 * rows and mine.equals(theirs)
    assert replica.stats().attached.files == 3 * 2 + 4


def test_a_random_life_is_the_same_on_both_sides(tmp_path: Path) -> None:
    """Every kind of write and DDL, with checkpoints and restarts, compared after each step."""
    options = ServerOptions(
        data=tmp_path / "data", run_dir=tmp_path / "run", log_file_bytes=4_000,
        checkpoint_log_bytes=0,
    )  # fmt: skip
    workload, model, clock = Workload(7), Model(), HandClock()
    with ExitStack() as stack:
        warehouse = Warehouse.open(options.data, options=options, clock=clock)
        replica = Replica.open(options.data, clock=clock)
        stack.callback(replica.close)
        for number in range(150):
            clock.us += workload.pause_us()
            workload.now_us = max(workload.now_us, clock.us)
            step = workload.step(model)
            try:
                step.run(warehouse)
                step.expect(model)
            except UserError as error:
                assert error.sqlstate == "23502", error
            assert replica.published == warehouse.published
            assert columns_of(replica) == model.columns()
            assert all_rows(replica, RANDOM_DATABASE) == model.rows(), step.name
            for table in replica.catalog.tables.values() if number % 10 == 9 else ():
                keyed = model.tables[table.name].keyed
                assert not keyed or looked_up(replica, table, list(keyed)) == keyed
                assert replica.shards(table) == warehouse.shards(table)
                check_changelog(replica, table, model.rows()[table.name])
            if number % 30 == 29:
                warehouse.close()
                assert all_rows(replica, RANDOM_DATABASE) == model.rows()
                warehouse = Warehouse.open(options.data, options=options, clock=clock)
        stack.callback(warehouse.close)
        late = Replica.open(options.data, clock=clock)
        stack.callback(late.close)
        assert all_rows(late, RANDOM_DATABASE) == model.rows()
        assert late.stats().log_lsn == warehouse.published


def test_a_log_that_loses_its_oldest_files_is_followed(tmp_path: Path) -> None:
    """One replica reads all the time, another one sleeps while files come and go."""
    shop = Shop(tmp_path / "data", log_file_bytes=1, checkpoint_log_bytes=0)
    with ExitStack() as stack:
        stack.callback(lambda: shop.warehouse.close())
        table = shop.create(orders(ttl_s=100))
        awake, asleep = (Replica.open(shop.folder, clock=shop.clock) for _ in range(2))
        stack.callback(awake.close)
        stack.callback(asleep.close)
        behind = [replica.changelog(table, 0, 1) for replica in (awake, asleep)]
        for number in range(5):
            shop.put((number, "row", number))
            shop.clock.us += 200_000_000
            shop.warehouse.checkpoint()
            assert awake.shards(table) == shop.warehouse.shards(table)
        oldest = shop.warehouse.shards(table)[0].oldest
        assert oldest > asleep.stats().log_lsn + 1
        for reader in behind:
            with pytest.raises(GoneError, match=str(oldest)):
                reader.read(1.0)
        for replica in (awake, asleep):
            assert replica.shards(table) == shop.warehouse.shards(table)
            with pytest.raises(GoneError, match=str(oldest)):
                replica.changelog(table, 0, 1)
            assert changes(replica, table, 0, oldest) == changes(shop.warehouse, table, 0, oldest)
            assert all_rows(replica, DATABASE) == all_rows(shop.warehouse, DATABASE)


def test_old_snapshots_stay_as_they_were(shop: Shop, replica: Replica) -> None:
    table = shop.create(orders())
    shop.put((1, "one", 1))
    old = replica.snapshot()
    assert scanned(old, table) == [{"id": 1, "name": "one", "qty": 1}]
    shop.put((1, "new", 2), (2, "two", 2))
    shop.warehouse.ddl([AddColumn(DATABASE, "orders", column("more", "INT"))])
    shop.warehouse.ddl([DropTable(DATABASE, "orders")])
    assert replica.catalog.tables == {}
    assert scanned(old, table) == [{"id": 1, "name": "one", "qty": 1}]
    newer = [{"id": 1, "name": "new", "qty": 2}, {"id": 2, "name": "two", "qty": 2}]
    assert scanned(replica.snapshot(old.lsn + 5), table) == newer
    with pytest.raises(NotFoundError):
        replica.snapshot().table(DATABASE, "orders")


def test_wider_types_are_read_through_copies(shop: Shop, replica: Replica) -> None:
    shop.create(orders())
    shop.put((1, "one", 1))
    assert all_rows(replica, DATABASE)["orders"][0]["qty"] == 1
    shop.warehouse.ddl([SetType(DATABASE, "orders", "qty", parse_type("BIGINT"))])
    ids = {"id": 2, "name": None, "qty": 1 << 40}
    shop.write([0], [ids])
    assert scanned(replica.snapshot(), shop.table())[1] == ids
    assert all_rows(replica, DATABASE) == all_rows(shop.warehouse, DATABASE)


def test_holds_are_known(shop: Shop, replica: Replica) -> None:
    table = shop.create(orders())
    shop.put((1, "one", 1))
    held = shop.warehouse.hold("h", None, 60_000)
    shop.put((1, "two", 2))
    assert scanned(replica.snapshot(hold="h"), table)[0]["name"] == "one"
    assert replica.snapshot(hold="h").lsn == held
    shop.warehouse.release("h")
    with pytest.raises(GoneError, match="no hold 'h'"):
        replica.snapshot(hold="h")


def test_a_subscription_waits_and_survives_a_restart(shop: Shop, replica: Replica) -> None:
    table = shop.create(orders())
    reader = replica.changelog(table, 0, replica.published + 1)
    assert reader.read(0.001).batch.num_rows == 0
    for number in range(3):
        later = threading.Timer(0.02, lambda n=number: shop.put((n, "later", n)))
        later.start()
        event = reader.read(30.0).batch.to_pylist()[0]
        later.join()
        assert (event["_event"], event["id"]) == (5, number)
        shop.again()
    with pytest.raises(UserError):
        replica.changelog(table, 1, 1)


def test_changes_end_at_a_new_schema(shop: Shop, replica: Replica) -> None:
    table = shop.create(orders())
    start = replica.published + 1
    shop.put((1, "one", 1))
    shop.warehouse.ddl([AddColumn(DATABASE, "orders", column("more", "INT"))])
    reader = replica.changelog(table, 0, start)
    assert reader.read(5.0).batch.num_rows == 1
    assert reader.read(5.0).schema_changed
    assert changes(replica, shop.table(), 0, start)[0]["more"] is None


def test_positions_are_those_of_the_writer(shop: Shop, replica: Replica) -> None:
    table = shop.create(orders(shards=2))
    for number in range(5):
        shop.clock.us += 1_000
        shop.put((number, None, None))
    for time_us in (None, shop.clock.us - 2_000, shop.clock.us + 1):
        assert replica.shards(table, time_us) == shop.warehouse.shards(table, time_us)


def test_the_past_is_the_same(shop: Shop, replica: Replica) -> None:
    table = shop.create(orders())
    shop.clock.us += 1_000
    shop.put((1, "old", None))
    then = shop.clock.us
    shop.clock.us += 1_000
    shop.put((1, "new", None))
    for reads in (replica, shop.warehouse):
        past = reads.snapshot(time_us=then + 500)
        assert scanned(past, table)[0]["name"] == "old"
        assert past.lsn == shop.warehouse.snapshot(time_us=then).lsn
    with pytest.raises(UserError, match="not published"):
        replica.snapshot(replica.published + 1)


def test_a_replica_never_writes(shop: Shop, replica: Replica) -> None:
    table = shop.create(orders())
    batch = batch_of(table, [0], [{"id": 1, "name": None, "qty": None}])
    with pytest.raises(UserError, match="only reads") as refused:
        replica.submit((WriteRequest(DATABASE, "orders"), batch))
    assert refused.value.sqlstate == "25006"
    shop.put((1, "one", 1))
    [live] = replica.snapshot().batches(table, ["qty"])
    assert not live.column("qty").buffers()[1].is_mutable


def test_a_snapshot_outlives_the_writer_whose_files_it_had_not_read(
    shop: Shop, replica: Replica
) -> None:
    """Its index and its segments grew since the shard was read; then all of them are unlinked."""
    table = shop.create(orders())
    shop.put((0, "first", 0))
    assert len(scanned(replica.snapshot(), table)) == 1
    for start in range(1, 6_001, 3_000):
        shop.put(*((number, "row", number) for number in range(start, start + 3_000)))
    snapshot = replica.snapshot()
    shop.again()
    keys = pa.record_batch({"id": pa.array([0, 6_000, 6_001])})
    assert snapshot.lookup(table, keys, None).num_rows == 2
    assert len(scanned(snapshot, table)) == 6_001
    assert len(scanned(replica.snapshot(), table)) == 6_001


def test_what_nobody_writes_cannot_be_attached(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no warehouse"):
        Replica.open(tmp_path / "nothing")
    shop = Shop(tmp_path / "data")
    shop.warehouse.close()
    with pytest.raises(UnavailableError, match="nobody writes"):
        Replica.open(shop.folder)


def test_a_replica_outlives_the_writer(shop: Shop, replica: Replica) -> None:
    table = shop.create(orders())
    shop.put((1, "one", 1))
    before = all_rows(replica, DATABASE)
    shop.warehouse.close()
    assert all_rows(replica, DATABASE) == before
    assert replica.writer is None
    shop.warehouse = shop.opened()
    shop.put((1, "two", 2))
    assert looked_up(replica, table, [(1,)])[(1,)]["name"] == "two"
    assert replica.identity == shop.warehouse.identity


def test_a_snapshot_is_shared_until_something_is_published(shop: Shop, replica: Replica) -> None:
    table = shop.create(orders())
    shop.put((1, "one", 1))
    first = replica.snapshot()
    assert first.get(table, (1,)) == (1, "one", 1)
    shop.put((1, "two", 2))
    second = replica.snapshot()
    assert second.get(table, (1,)) == (1, "two", 2)
    assert first.get(table, (1,)) == (1, "one", 1)
    assert replica.snapshot(first.lsn).get(table, (1,)) == (1, "one", 1)


def test_a_shared_snapshot_ends_with_its_process(shop: Shop, replica: Replica) -> None:
    """Closed or killed: the next process is found at once, before it has written anything."""
    table = shop.create(orders())
    shop.put((1, "one", 1))
    for number in range(5):
        assert replica.snapshot().get(table, (1,)) is not None
        shop.again()
        assert replica.snapshot().lsn == shop.warehouse.published
        assert replica.identity == shop.warehouse.identity
        lsn = shop.put((1, "more", number)).lsn
        assert replica.snapshot().lsn == lsn


def test_a_shared_snapshot_is_let_go(shop: Shop, replica: Replica) -> None:
    shop.create(orders())
    snapshot, gone = replica.snapshot(), threading.Event()
    weakref.finalize(snapshot, gone.set)
    del snapshot
    assert gone.wait(10)
