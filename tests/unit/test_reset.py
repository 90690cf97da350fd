"""TRUNCATE and overwrite: all rows end at one LSN, and subscribers are told of each."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kit.model import changes, check_changelog, looked_up, scanned
from kit.store import DATABASE, Shop, orders, strict
from kit.workload import column
from sluiceway.catalog import (
    AddColumn,
    ConflictError,
    CreateTable,
    DropColumn,
    GoneError,
    NotFoundError,
    RenameColumn,
    SetType,
    Table,
    UserError,
    parse_type,
)
from sluiceway.warehouse.replica import Replica

FIRST_SEGMENT = 4_096


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(tmp_path / "data", checkpoint_log_bytes=0, history_s=0, log_file_bytes=4_000)
    yield shop
    shop.warehouse.close()


def rows(shop: Shop, lsn: int | None = None) -> list[dict[str, object]]:
    return scanned(shop.warehouse.snapshot(lsn), shop.table())


def copied(folder: Path, name: str) -> Path:
    """The folder as a kill would leave it."""
    copy = folder.with_name(name)
    for path in [p for p in folder.rglob("*") if p.is_file() and p.name != "LOCK"]:
        target = copy / path.relative_to(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    return copy


def test_truncate_is_one_commit_that_older_snapshots_do_not_see(shop: Shop) -> None:
    table = shop.create(orders(shards=3))
    shop.put(*((key, "a", key) for key in range(20)))
    shop.put((3, "b", 33))
    before, published = rows(shop), shop.warehouse.published
    snapshot = shop.warehouse.snapshot()
    ack = shop.warehouse.truncate(DATABASE, "orders")
    assert (ack.lsn, ack.rows, ack.events) == (published + 1 + 2 * 20, 20, 20)
    assert shop.warehouse.published == ack.lsn
    assert rows(shop) == []
    assert scanned(snapshot, table) == before
    assert looked_up(shop.warehouse, table, [(3,), (4,)]) == {}
    assert sum(each.rows for each in shop.warehouse.stats().tables) == 0
    again = shop.warehouse.truncate(DATABASE, "orders", table.id)
    assert (again.lsn, again.rows) == (ack.lsn, 0), "nothing to end is no commit"
    with pytest.raises(ConflictError, match="its id is"):
        shop.warehouse.truncate(DATABASE, "orders", table.id + 7)
    with pytest.raises(NotFoundError):
        shop.warehouse.truncate(DATABASE, "nowhere")


def test_subscribers_get_a_delete_with_the_row_in_row_order(shop: Shop) -> None:
    table = shop.create(orders())
    shop.put((2, "b", 2), (1, "a", 1), (3, None, 3))
    shop.put((1, "c", 4))
    first = shop.warehouse.published + 1
    shop.warehouse.truncate(DATABASE, "orders")
    events = changes(shop.warehouse, table, 0, first)
    assert [(e["_event"], e["_lsn"] - first, e["id"], e["name"], e["qty"]) for e in events] == [
        (2, 0, 2, "b", 2),
        (2, 2, 3, None, 3),
        (2, 4, 1, "c", 4),
    ]
    assert {event["_time"] for event in events} == {shop.clock.us}
    check_changelog(shop.warehouse, table, [])
    only = changes(shop.warehouse, table, 0, first, columns=["qty", "id"])
    assert [list(event)[3:] for event in only] == [["qty", "id"]] * 3


@pytest.mark.parametrize("batch_rows", [1, 2, 3, 1000])
def test_a_stream_resumes_in_the_middle_of_it(shop: Shop, batch_rows: int) -> None:
    table = shop.create(orders())
    shop.put(*((key, "a", key) for key in range(7)))
    first = shop.warehouse.published
    shop.warehouse.truncate(DATABASE, "orders")
    shop.put((1, "b", 1), (2, "b", 2))
    events = changes(shop.warehouse, table, 0, 1)
    assert len(events) == 7 + 7 + 2
    for start in range(first, shop.warehouse.published + 2):
        rest = changes(shop.warehouse, table, 0, start, batch_rows=batch_rows)
        assert rest == [event for event in events if event["_lsn"] >= start]
        until = changes(shop.warehouse, table, 0, 1, until=start - 1, batch_rows=batch_rows)
        assert until == [event for event in events if event["_lsn"] < start]
    reader = shop.warehouse.changelog(table, 0, 1, batch_rows=batch_rows)
    sizes = {reader.read(0).batch.num_rows for _ in range(1 + len(events) // batch_rows)}
    assert max(sizes) <= batch_rows


@pytest.mark.parametrize("checkpoints", ["none", "before", "after", "both"])
def test_it_survives_a_kill_and_so_do_its_changes(shop: Shop, checkpoints: str) -> None:
    table = shop.create(orders(shards=2))
    for number in range(25):
        shop.put(*((key, f"{number}", key) for key in range(200)))
    if checkpoints in ("before", "both"):
        shop.warehouse.checkpoint()
    shop.warehouse.truncate(DATABASE, "orders")
    if checkpoints in ("after", "both"):
        shop.warehouse.checkpoint()
    shop.put((1, "new", 1))
    for name in ("killed", "killed again"):
        other = Shop(copied(shop.folder, name), checkpoint_log_bytes=0, history_s=0)
        try:
            assert rows(other) == [{"id": 1, "name": "new", "qty": 1}]
            check_changelog(other.warehouse, table, rows(other))
            other.put((1, "newer", 2), (5, "newer", 2))
            check_changelog(other.warehouse, table, rows(other))
        finally:
            other.warehouse.close()
        shop.warehouse.compact()


def test_what_it_ended_stays_as_long_as_the_log_tells_of_it(shop: Shop) -> None:
    table = shop.create(orders(ttl_s=50))
    shop.put(*((key, "x", key) for key in range(300)))
    first = shop.warehouse.published + 1
    shop.warehouse.truncate(DATABASE, "orders")
    shop.put((1, "after", 1))
    assert shop.warehouse.compact() == 0, "the changes are the rows"
    shop.again()
    assert shop.warehouse.compact() == 0
    assert [e["_event"] for e in changes(shop.warehouse, table, 0, first)] == [2] * 300 + [5]
    late = shop.warehouse.changelog(table, 0, first, batch_rows=10)
    assert late.read(0).batch.num_rows == 10
    shop.clock.us += 60_000_000
    for number in range(3):
        shop.put(*((key, f"filler {number}", key) for key in range(200)))
        shop.warehouse.checkpoint()
    assert shop.warehouse.shards(table)[0].oldest > first
    assert shop.warehouse.compact() == 1
    with pytest.raises(GoneError, match="fell behind"):
        for _ in range(40):
            late.read(0)
    assert len(rows(shop)) == 200


def test_rows_of_older_schemas_end_in_the_schema_of_the_stream(shop: Shop) -> None:
    shop.create(orders())
    shop.put((1, "a", 1))
    shop.warehouse.ddl([AddColumn(DATABASE, "orders", column("extra", "INT", default="5"))])
    shop.put((2, "b", 2))
    shop.warehouse.ddl([SetType(DATABASE, "orders", "qty", parse_type("BIGINT"))])
    first = shop.warehouse.published + 1
    shop.warehouse.truncate(DATABASE, "orders")
    expected = [
        {"id": 1, "name": "a", "qty": 1, "extra": 5},
        {"id": 2, "name": "b", "qty": 2, "extra": 5},
    ]
    assert _images(shop, first) == expected
    shop.warehouse.ddl(
        [
            RenameColumn(DATABASE, "orders", "qty", "amount"),
            DropColumn(DATABASE, "orders", "extra"),
            AddColumn(DATABASE, "orders", column("late", "STRING")),
        ]
    )
    late = [{"id": r["id"], "name": r["name"], "amount": r["qty"], "late": None} for r in expected]
    assert _images(shop, first) == late
    only = changes(shop.warehouse, shop.table(), 0, first, columns=["late"])
    assert [(event["_event"], event["late"]) for event in only] == [(2, None)] * 2


def _images(shop: Shop, start: int) -> list[dict[str, object]]:
    found = changes(shop.warehouse, shop.table(), 0, start)
    return [{k: v for k, v in event.items() if k[0] != "_"} for event in found]


def test_a_reading_process_expands_it_too(shop: Shop) -> None:
    table = shop.create(orders(shards=2))
    shop.put(*((key, "x", key) for key in range(50)))
    replica = Replica.open(shop.folder, clock=shop.clock)
    try:
        assert len(scanned(replica.snapshot(), table)) == 50
        shop.warehouse.truncate(DATABASE, "orders")
        assert scanned(replica.snapshot(), table) == []
        shop.put((1, "y", 1))
        for shard in range(2):
            events = changes(replica, table, shard, 1, batch_rows=7)
            assert events == changes(shop.warehouse, table, shard, 1)
        check_changelog(replica, table, rows(shop))
    finally:
        replica.close()


def test_a_table_without_a_key_is_truncated_and_overwritten(shop: Shop) -> None:
    lines = Table(DATABASE, "lines", (column("line", "STRING"),))
    shop.create(lines)
    shop.write([0, 0, 0], [{"line": "a"}, {"line": "a"}, {"line": "b"}], "lines")
    shop.warehouse.truncate(DATABASE, "lines")
    shop.write([0], [{"line": "c"}], "lines")
    ack = shop.write([0, 0], [{"line": "d"}, {"line": "d"}], "lines", overwrite=True)
    assert (ack.rows, ack.events) == (2, 3)
    table = shop.table("lines")
    assert scanned(shop.warehouse.snapshot(), table) == [{"line": "d"}, {"line": "d"}]
    events = [(e["_event"], e["line"]) for e in changes(shop.warehouse, table, 0, 1)]
    assert events == [
        (5, "a"), (5, "a"), (5, "b"), (2, "a"), (2, "a"), (2, "b"),
        (5, "c"), (2, "c"), (5, "d"), (5, "d"),
    ]  # fmt: skip


def test_overwrite_replaces_all_rows_in_all_shards_at_one_lsn(shop: Shop) -> None:
    table = shop.create(orders(shards=3))
    shop.put(*((key, "old", key) for key in range(12)))
    old, published = rows(shop), shop.warehouse.published
    new = [{"id": key, "name": "new", "qty": None} for key in (3, 99)]
    ack = shop.write([0, 0, 3, 0], [*new, new[0], new[0]], overwrite=True)
    assert (ack.lsn, ack.rows) == (published + 1 + 2 * 12 + 2 * 4, 4)
    assert ack.events == 12 + 2
    assert rows(shop) == new
    assert scanned(shop.warehouse.snapshot(published), table) == old
    assert set(looked_up(shop.warehouse, table, [(1,), (3,), (99,)])) == {(3,), (99,)}
    check_changelog(shop.warehouse, table, new)
    for lsn in range(published + 1, ack.lsn):
        assert rows(shop, lsn) == old, "the old or the new, nothing between"
    shop.again()
    assert rows(shop) == new
    check_changelog(shop.warehouse, table, new)


def test_an_overwrite_that_is_refused_leaves_the_rows(shop: Shop) -> None:
    shop.create(orders())
    shop.warehouse.ddl([CreateTable(strict())])
    shop.write([0], [{"id": 1, "v": 1}], "strict")
    published = shop.warehouse.published
    with pytest.raises(UserError, match="NOT NULL without a default"):
        shop.write([0], [{"id": 1}], "strict", partial=True, overwrite=True)
    assert shop.warehouse.published == published
    assert scanned(shop.warehouse.snapshot(), shop.table("strict")) == [{"id": 1, "v": 1}]
    ack = shop.write([], [], "strict", overwrite=True)
    assert (ack.rows, ack.events) == (0, 1)
    assert scanned(shop.warehouse.snapshot(), shop.table("strict")) == []
