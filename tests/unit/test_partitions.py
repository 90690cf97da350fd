"""List partitions: created on write or by DDL, and each its own unit of every shard."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kit.model import Row, batch_of, by_content, changes, check_changelog, looked_up, scanned
from kit.partitions import DAYS, check, drop, listed, put, row, sales
from kit.store import DATABASE, Shop
from kit.workload import column
from sluiceway.catalog import (
    AddPartition,
    ExistsError,
    RenameColumn,
    SetNullable,
    UserError,
    partition_and_shard,
)
from sluiceway.warehouse import WriteRequest
from sluiceway.warehouse.query import run_sql
from sluiceway.warehouse.replica import Replica


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(tmp_path / "data")
    yield shop
    shop.warehouse.close()


def test_a_write_creates_the_partitions_of_its_rows(shop: Shop) -> None:
    shop.create(sales())
    assert listed(shop) == []
    put(shop, row(DAYS[1], 1), row(DAYS[0], 1), row(DAYS[1], 2))
    assert listed(shop) == [DAYS[1], DAYS[0]]
    put(shop, row(DAYS[0], 1, 5), row(DAYS[2], 9, None))
    assert listed(shop) == [DAYS[1], DAYS[0], DAYS[2]]
    check(
        shop,
        [row(DAYS[1], 1), row(DAYS[1], 2), row(DAYS[0], 1, 5), row(DAYS[2], 9, None)],
    )


def test_a_delete_creates_no_partition(shop: Shop) -> None:
    shop.create(sales())
    put(shop, row(DAYS[0], 1))
    put(shop, row(DAYS[0], 1), row(DAYS[1], 1), op=3)
    put(shop, row(DAYS[2], 1), op=1)
    assert listed(shop) == [DAYS[0]]
    check(shop, [])


def test_partitions_are_created_and_listed_by_ddl(shop: Shop) -> None:
    shop.create(sales())
    first = AddPartition(DATABASE, "sales", {"day": DAYS[0]})
    shop.warehouse.ddl([first, AddPartition(DATABASE, "sales", {"day": DAYS[1]})])
    assert listed(shop) == [DAYS[0], DAYS[1]]
    lsn = shop.warehouse.published
    assert shop.warehouse.ddl([AddPartition(DATABASE, "sales", {"day": DAYS[1]}, True)]).lsn == lsn
    with pytest.raises(ExistsError, match="Partition day='2024-01-01' of shop.sales exists"):
        shop.warehouse.ddl([first])
    answer = run_sql(shop.warehouse.snapshot(), "SHOW PARTITIONS sales", DATABASE)
    assert answer.read_all().to_pydict() == {"partition": [f"day='{day}'" for day in DAYS[:2]]}
    check(shop, [])


@pytest.mark.parametrize("named", [{}, {"id": "1"}, {"day": "1", "id": "1"}, {"day": "soon"}])
def test_a_partition_is_named_by_a_value_of_each_column(shop: Shop, named: dict[str, str]) -> None:
    shop.create(sales())
    with pytest.raises(UserError):
        shop.warehouse.ddl([AddPartition(DATABASE, "sales", named)])


def test_each_partition_of_a_shard_is_a_unit(shop: Shop) -> None:
    shop.create(sales())
    put(shop, *(row(day, number) for day in DAYS for number in range(20)))
    units = shop.warehouse._opened.committer.state.shards_of(shop.table("sales"))
    assert [partition_and_shard(unit) for unit in units] == [
        (partition, shard) for partition in (1, 2, 3) for shard in (0, 1)
    ]
    assert sum(unit.stats().rows for unit in units.values()) == 60


@pytest.mark.parametrize("with_checkpoint", [False, True])
def test_partitions_survive_a_restart(shop: Shop, with_checkpoint: bool) -> None:
    shop.create(sales())
    put(shop, row(DAYS[1], 1), row(DAYS[0], 1))
    if with_checkpoint:
        shop.warehouse.checkpoint()
    put(shop, row(DAYS[0], 1, 7), row(DAYS[2], 3))
    shop.again()
    rows = [row(DAYS[1], 1), row(DAYS[0], 1, 7), row(DAYS[2], 3)]
    check(shop, rows)
    put(shop, row("2024-02-01", 4))
    check(shop, [*rows, row("2024-02-01", 4)])
    assert listed(shop) == [DAYS[1], DAYS[0], DAYS[2], "2024-02-01"]


def test_an_older_snapshot_has_the_partitions_of_then(shop: Shop) -> None:
    shop.create(sales())
    lsn = put(shop, row(DAYS[0], 1))
    put(shop, row(DAYS[1], 1), row(DAYS[0], 1, 2))
    snapshot = shop.warehouse.snapshot(lsn)
    assert scanned(snapshot, snapshot.table(DATABASE, "sales")) == [row(DAYS[0], 1)]
    assert snapshot.get(snapshot.table(DATABASE, "sales"), (row(DAYS[1], 1)["day"], 1)) is None


@pytest.mark.parametrize("batch_rows", [1, 3, 1000])
def test_a_scan_of_a_shard_resumes_at_every_batch(shop: Shop, batch_rows: int) -> None:
    shop.create(sales())
    put(shop, *(row(day, number) for day in DAYS for number in range(9)))
    put(shop, *(row(day, number) for day in DAYS for number in range(0, 9, 4)), op=3)
    table, snapshot = shop.table("sales"), shop.warehouse.snapshot()
    whole = [r for shard in (0, 1) for r, _ in _rows(shop, shard, 0, 1000)]
    assert sorted(whole, key=by_content) == scanned(snapshot, table)
    for shard in (0, 1):
        everything = [each for each, _ in _rows(shop, shard, 0, batch_rows)]
        for rows_before, (_, resume) in enumerate(_rows(shop, shard, 0, batch_rows), 1):
            if resume is not None:
                rest = [each for each, _ in _rows(shop, shard, resume, batch_rows)]
                assert rest == everything[rows_before:]


def _rows(shop: Shop, shard: int, start: int, batch_rows: int) -> Iterator[tuple[Row, int | None]]:
    """Each row of a shard, with where to resume behind it if it ends a batch."""
    table = shop.table("sales")
    for batch, resume in shop.warehouse.snapshot().scan(table, shard, None, start, batch_rows):
        rows = batch.to_pylist()
        yield from ((each, None) for each in rows[:-1])
        yield rows[-1], resume


def test_events_of_one_write_come_in_the_order_of_its_rows(shop: Shop) -> None:
    shop.create(sales(options={"table_property.shard_count": "1"}))
    put(shop, *(row(DAYS[number % 3], number) for number in range(9)))
    put(shop, *(row(DAYS[number % 3], number, 2) for number in range(9)))
    shop.again()
    for batch_rows in (1, 2, 1000):
        found = changes(shop.warehouse, shop.table("sales"), 0, 1, batch_rows=batch_rows)
        lsns = [event["_lsn"] for event in found]
        assert lsns == sorted(set(lsns)) and len(lsns) == 27
        assert [event["id"] for event in found[:9]] == list(range(9))


def test_a_subscriber_meets_new_partitions(shop: Shop) -> None:
    shop.create(sales(options={"table_property.shard_count": "1"}))
    reader = shop.warehouse.changelog(shop.table("sales"), 0, 1)
    for number, day in enumerate(DAYS):
        put(shop, row(day, number))
        batch = reader.read(10.0)
        assert batch.batch.column("id").to_pylist() == [number]
        assert not batch.schema_changed


def test_a_reading_process_has_them_too(shop: Shop) -> None:
    shop.create(sales())
    put(shop, row(DAYS[0], 1))
    replica = Replica.open(shop.folder, clock=shop.clock)
    try:
        put(shop, row(DAYS[1], 1), row(DAYS[0], 1, 2))
        table = replica.catalog.table(DATABASE, "sales")
        rows = [row(DAYS[0], 1, 2), row(DAYS[1], 1)]
        assert scanned(replica.snapshot(), table) == sorted(rows, key=by_content)
        check_changelog(replica, table, sorted(rows, key=by_content))
        keys = [(each["day"], each["id"]) for each in rows]
        assert looked_up(replica, table, keys) == dict(zip(keys, rows, strict=True))
        older = replica.snapshot()
        drop(shop, DAYS[0])
        assert scanned(replica.snapshot(), table) == rows[1:]
        check_changelog(replica, table, rows[1:])
        assert scanned(older, table) == sorted(rows, key=by_content)
        fresh = Replica.open(shop.folder, clock=shop.clock)
        check_changelog(fresh, table, rows[1:])
        past = fresh.snapshot(older.lsn)
        assert scanned(past, table) == sorted(rows, key=by_content)
        fresh.close()
    finally:
        replica.close()


def test_two_columns_and_no_key(shop: Shop) -> None:
    columns = (column("zone", "STRING"), column("hour", "INT"), column("n", "INT"))
    shop.create(sales(columns=columns, primary_key=(), partition_by=("zone", "hour")))
    rows = [{"zone": "abc"[n % 3], "hour": n % 2, "n": n} for n in range(20)]
    shop.write([0] * 20, rows, "sales")
    table = shop.table("sales")
    assert not table.column("zone").nullable
    assert len(shop.warehouse.catalog.partitions_of(table)) == 6
    assert scanned(shop.warehouse.snapshot(), table) == sorted(rows, key=by_content)
    check_changelog(shop.warehouse, table, sorted(rows, key=by_content))


def test_null_has_no_partition(shop: Shop) -> None:
    shop.create(sales(primary_key=()))
    with pytest.raises(UserError, match="NULL in 'day'") as caught:
        put(shop, {**row(DAYS[0], 1), "day": None})
    assert caught.value.sqlstate == "23502"
    with pytest.raises(UserError, match="lacks 'day', by which it is partitioned"):
        put(shop, {"id": 1, "qty": 1})
    with pytest.raises(UserError, match="partition key of shop.sales, which is NOT NULL"):
        shop.warehouse.ddl([SetNullable(DATABASE, "sales", "day", True)])
    assert listed(shop) == []


def test_a_partition_column_can_be_renamed(shop: Shop) -> None:
    shop.create(sales())
    put(shop, row(DAYS[0], 1))
    shop.warehouse.ddl([RenameColumn(DATABASE, "sales", "day", "date")])
    renamed = [{"date": each["day"], "id": each["id"], "qty": 2} for each in (row(DAYS[1], 1),)]
    shop.write([0], renamed, "sales")
    assert listed(shop) == [DAYS[0], DAYS[1]]
    shop.again()
    assert shop.table("sales").partition_by == ("date",)
    assert shop.warehouse.snapshot().count(shop.table("sales")) == 2


def test_a_table_without_partitions_has_none_to_name(shop: Shop) -> None:
    shop.create(sales(partition_by=()))
    with pytest.raises(UserError, match="is not partitioned"):
        shop.warehouse.ddl([AddPartition(DATABASE, "sales", {"day": DAYS[0]})])
    with pytest.raises(UserError, match="is not partitioned"):
        run_sql(shop.warehouse.snapshot(), "SHOW PARTITIONS sales", DATABASE)


def test_writes_that_wait_together_share_a_new_partition(shop: Shop) -> None:
    table = shop.create(sales())
    request = WriteRequest(DATABASE, "sales")
    batches = [batch_of(table, [0], [row(DAYS[n % 2], n)]) for n in range(10)]
    futures = [shop.warehouse.submit((request, batch)) for batch in batches]
    assert [future.result().events for future in futures] == [1] * 10
    assert listed(shop) == [DAYS[0], DAYS[1]]
    check(shop, [row(DAYS[n % 2], n) for n in range(10)])
