"""Staged writes: durable and invisible until one commit shows them; retries and zombies."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from kit.lives import staged
from kit.model import Row, batch_of, changes, check_changelog, scanned
from kit.store import DATABASE, Shop, orders, strict
from kit.workload import column
from sluiceway.catalog import (
    AddColumn,
    CreateTable,
    DropColumn,
    DropTable,
    GoneError,
    NotFoundError,
    RenameTable,
    Table,
    UserError,
)
from sluiceway.warehouse import Ack, WriteRequest
from sluiceway.warehouse.replica import Replica

STAGE = (("s", 0),)
LIVE_S = 100


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(tmp_path / "data", checkpoint_log_bytes=0, log_file_bytes=2_000, stage_ttl_s=LIVE_S)
    shop.create(orders(shards=2, ttl_s=1))
    shop.put((1, "old", 1), (2, "old", 2))
    yield shop
    shop.warehouse.close()


def stage(
    shop: Shop,
    sequence: int,
    *rows: tuple[int, str],
    name: str = "s",
    epoch: int = 0,
    ops: Sequence[int] = (),
    **request: Any,
) -> Ack:
    named: list[Row] = [{"id": key, "name": value} for key, value in rows]
    batch = batch_of(shop.table(), ops or [0] * len(rows), named)
    to = WriteRequest(DATABASE, "orders", **request)
    return shop.warehouse.stage(name, epoch, sequence, to, batch).result(60)


def names(shop: Shop) -> dict[Any, Any]:
    found = scanned(shop.warehouse.snapshot(), shop.table())
    return {row["id"]: row["name"] for row in found}


def test_nobody_sees_what_is_staged_before_one_commit_shows_all_of_it(shop: Shop) -> None:
    table, start = shop.table(), shop.warehouse.published + 1
    first = stage(shop, 0, (1, "new"), (3, "new"))
    second = stage(shop, 1, (3, "newer"), (2, ""), ops=[0, 3])
    assert (first.rows, first.events, second.rows) == (2, 0, 2)
    assert first.lsn < second.lsn == shop.warehouse.published
    assert names(shop) == {1: "old", 2: "old"}
    assert [e for n in range(2) for e in changes(shop.warehouse, table, n, start)] == []
    stats = shop.warehouse.stats().space["stages"]
    assert (stats["open"], stats["batches"], stats["rows"]) == (1, 2, 4)
    ack = shop.warehouse.commit_staged(STAGE)
    assert ack == Ack(second.lsn + 1 + 2 * 4, 4, 2 + 1 + 2 + 1)
    assert names(shop) == {1: "new", 3: "newer"}
    events = [e for n in range(2) for e in changes(shop.warehouse, table, n, start)]
    assert sorted((e["_lsn"] - second.lsn - 1, e["_event"], e["id"]) for e in events) == [
        (0, 3, 1), (1, 7, 1), (3, 5, 3), (4, 3, 3), (5, 7, 3), (6, 2, 2),
    ]  # fmt: skip
    check_changelog(shop.warehouse, table, scanned(shop.warehouse.snapshot(), table))
    assert staged(shop.warehouse) == {}


def test_what_is_sent_again_is_answered_as_the_first_time(shop: Shop) -> None:
    first = stage(shop, 0, (5, "a"))
    stage(shop, 1, (6, "a"))
    published = shop.warehouse.published
    assert stage(shop, 0, (5, "a")) == first
    assert shop.warehouse.published == published
    shop.again()
    assert stage(shop, 0, (5, "a")) == first
    ack = shop.warehouse.commit_staged(STAGE)
    shop.put((7, "b", 1))
    assert shop.warehouse.commit_staged(STAGE) == ack
    shop.warehouse.checkpoint()
    shop.again()
    assert shop.warehouse.commit_staged(STAGE) == ack
    assert names(shop) == {1: "old", 2: "old", 5: "a", 6: "a", 7: "b"}
    with pytest.raises(GoneError, match="was committed at LSN"):
        stage(shop, 2, (8, "c"))
    with pytest.raises(GoneError, match="was committed at LSN"):
        shop.warehouse.abort_staged(STAGE)


def test_batches_have_no_gap_and_one_table(shop: Shop) -> None:
    with pytest.raises(UserError, match="has 0 batches .* go on with batch 0"):
        stage(shop, 1, (5, "a"))
    stage(shop, 0, (5, "a"))
    with pytest.raises(UserError, match="go on with batch 1"):
        stage(shop, 2, (5, "a"))
    with pytest.raises(UserError, match="one table in one way"):
        stage(shop, 1, (5, "a"), conflict="ignore")
    with pytest.raises(UserError, match="a name of 1 to 200"):
        stage(shop, 0, (5, "a"), name="")
    with pytest.raises(NotFoundError, match="nowhere"):
        batch = batch_of(shop.table(), [0], [{"id": 1}])
        shop.warehouse.stage("t", 0, 0, WriteRequest(DATABASE, "nowhere"), batch)


def test_a_later_epoch_begins_anew_and_the_zombie_is_refused(shop: Shop) -> None:
    stage(shop, 0, (5, "zombie"))
    stage(shop, 0, (6, "new"), epoch=3)
    assert staged(shop.warehouse) == {"s": (1, False)}
    over = "belongs to epoch 3 and epoch 0 is over"
    with pytest.raises(GoneError, match=over):
        stage(shop, 1, (7, "zombie"))
    with pytest.raises(GoneError, match=over):
        shop.warehouse.commit_staged(STAGE)
    with pytest.raises(GoneError, match=over):
        shop.warehouse.abort_staged(STAGE)
    with pytest.raises(UserError, match="nothing was staged in epoch 4"):
        shop.warehouse.commit_staged((("s", 4),))
    shop.warehouse.commit_staged((("s", 3),))
    assert names(shop) == {1: "old", 2: "old", 6: "new"}
    with pytest.raises(GoneError, match="belongs to epoch 3"):
        shop.warehouse.commit_staged(STAGE)
    with pytest.raises(GoneError, match="was committed"):
        stage(shop, 0, (8, "late"), epoch=9)


def test_several_stages_are_one_commit_in_the_order_named(shop: Shop) -> None:
    stage(shop, 0, (1, "b"), (9, "b"), name="b")
    stage(shop, 0, (9, "a"), name="a")
    both = (("b", 0), ("a", 0))
    with pytest.raises(UserError, match="each once"):
        shop.warehouse.commit_staged((("b", 0), ("b", 0)))
    with pytest.raises(GoneError, match="no stage 'c'"):
        shop.warehouse.commit_staged((*both, ("c", 0)))
    ack = shop.warehouse.commit_staged(both)
    assert names(shop) == {1: "b", 2: "old", 9: "a"}
    assert shop.warehouse.commit_staged(both) == ack
    assert shop.warehouse.commit_staged(both[:1]) == ack, "its rows hold, with those of others"


def test_overwrite_by_stages_replaces_all_rows_at_one_lsn(shop: Shop) -> None:
    table, before = shop.table(), shop.warehouse.published
    stage(shop, 0, (1, "new"), name="a")
    stage(shop, 1, (4, "new"), (1, "new"), name="a")
    stage(shop, 0, (5, "new"), name="b")
    ack = shop.warehouse.commit_staged((("a", 0), ("b", 0)), overwrite=True)
    assert (ack.rows, ack.events) == (4, 2 + 3 + 2)
    assert names(shop) == {1: "new", 4: "new", 5: "new"}
    check_changelog(shop.warehouse, table, scanned(shop.warehouse.snapshot(), table))
    for lsn in range(before, ack.lsn):
        assert len(scanned(shop.warehouse.snapshot(lsn), table)) == 2
    stage(shop, 0, name="nothing")
    assert shop.warehouse.commit_staged((("nothing", 0),), overwrite=True).events == 3
    assert names(shop) == {}


@pytest.mark.parametrize("checkpointed", [False, True])
def test_stages_survive_restarts_and_keep_the_log(shop: Shop, checkpointed: bool) -> None:
    stage(shop, 0, (5, "a"))
    for number in range(30):
        shop.clock.us += 2_000_000
        shop.put((1, f"filler {number}", number))
    oldest = min(b.lsn for s in _stages(shop) for b in s.batches)
    for _ in range(2 if checkpointed else 0):
        shop.put((2, "more", 1))
        shop.warehouse.checkpoint()
        assert log_begins(shop) <= oldest
    shop.again()
    stage(shop, 1, (6, "b"))
    shop.warehouse.commit_staged(STAGE)
    assert names(shop) == {1: "filler 29", 2: "more" if checkpointed else "old", 5: "a", 6: "b"}
    for _ in range(3):
        shop.clock.us += 10_000_000
        shop.put((2, "most", 1))
        shop.warehouse.checkpoint()
    assert log_begins(shop) > oldest
    shop.again()
    assert names(shop) == {1: "filler 29", 2: "most", 5: "a", 6: "b"}


def log_begins(shop: Shop) -> int:
    return int(shop.warehouse.stats().log["checkpoints"]["retention"]["oldest"])


def _stages(shop: Shop) -> list[Any]:
    return list(shop.warehouse._opened.committer.state.stages.values())


def test_a_stage_that_nobody_goes_on_with_is_aborted_and_forgotten(shop: Shop) -> None:
    stage(shop, 0, (5, "a"))
    shop.clock.us += (LIVE_S - 1) * 1_000_000
    stage(shop, 1, (6, "a"))
    shop.clock.us += (LIVE_S - 1) * 1_000_000
    assert shop.warehouse.expire_stages() == 0
    shop.clock.us += 2_000_000
    assert shop.warehouse.expire_stages() == 1
    assert shop.warehouse.stats().space["stages"]["expired"] == 1
    with pytest.raises(GoneError, match="aborted, or it expired, at LSN"):
        shop.warehouse.commit_staged(STAGE)
    shop.again()
    with pytest.raises(GoneError, match="aborted, or it expired, at LSN"):
        stage(shop, 2, (7, "a"))
    shop.warehouse.abort_staged(STAGE)
    shop.clock.us += (LIVE_S + 1) * 1_000_000
    stage(shop, 0, (7, "b"), name="other")
    assert [each.name for each in _stages(shop)] == ["other"]
    stage(shop, 0, (8, "b"))
    shop.warehouse.commit_staged(STAGE)
    assert names(shop) == {1: "old", 2: "old", 8: "b"}


def test_a_commit_goes_to_the_table_as_it_is_then(shop: Shop) -> None:
    stage(shop, 0, (5, "a"))
    shop.warehouse.ddl(
        [
            AddColumn(DATABASE, "orders", column("extra", "INT", default="9")),
            RenameTable(DATABASE, "orders", "sales"),
        ]
    )
    shop.warehouse.commit_staged(STAGE)
    rows = scanned(shop.warehouse.snapshot(), shop.table("sales"))
    assert rows[-1] == {"id": 5, "name": "a", "qty": None, "extra": 9}
    shop.warehouse.ddl([RenameTable(DATABASE, "sales", "orders")])
    stage(shop, 0, (6, "b"), name="t")
    published = shop.warehouse.published
    shop.warehouse.ddl([DropColumn(DATABASE, "orders", "name")])
    with pytest.raises(NotFoundError, match="no column .name."):
        shop.warehouse.commit_staged((("t", 0),))
    assert shop.warehouse.published == published + 3
    shop.warehouse.ddl([DropTable(DATABASE, "orders")])
    with pytest.raises(GoneError, match="was dropped"):
        shop.warehouse.commit_staged((("t", 0),))


def test_a_column_that_may_not_be_null_must_be_staged(shop: Shop) -> None:
    shop.warehouse.ddl([CreateTable(strict())])
    shop.write([0], [{"id": 1, "v": 1}], "strict")
    request = WriteRequest(DATABASE, "strict", partial=True)
    good = batch_of(shop.table("strict"), [0], [{"id": 2, "v": 2}])
    bad = batch_of(shop.table("strict"), [0], [{"id": 3}])
    for number, batch in enumerate((good, bad)):
        shop.warehouse.stage("s", 0, number, request, batch).result(60)
    with pytest.raises(UserError, match="'v' .* is NOT NULL without a default"):
        shop.warehouse.commit_staged(STAGE)
    found = scanned(shop.warehouse.snapshot(), shop.table("strict"))
    assert found == [{"id": 1, "v": 1}], "all of it or nothing"


def test_a_reading_process_sees_the_commit_alone(shop: Shop) -> None:
    table = shop.table()
    replica = Replica.open(shop.folder, clock=shop.clock)
    try:
        stage(shop, 0, (5, "a"))
        assert len(scanned(replica.snapshot(), table)) == 2
        shop.warehouse.commit_staged(STAGE, overwrite=True)
        assert [row["id"] for row in scanned(replica.snapshot(), table)] == [5]
        for shard in range(2):
            assert changes(replica, table, shard, 1) == changes(shop.warehouse, table, shard, 1)
    finally:
        replica.close()


def create_days(shop: Shop) -> None:
    """A partitioned table with a row in each of two partitions."""
    columns = (column("day", "STRING", nullable=False), column("n", "INT", nullable=False))
    days = Table(DATABASE, "days", columns, primary_key=("day", "n"), partition_by=("day",))
    shop.warehouse.ddl([CreateTable(days)])
    shop.write([0, 0], [{"day": "a", "n": 1}, {"day": "b", "n": 1}], "days")


def days_of(shop: Shop) -> list[tuple[str, int]]:
    table = shop.table("days")
    return [(row["day"], row["n"]) for row in scanned(shop.warehouse.snapshot(), table)]


def test_a_commit_creates_partitions_and_replaces_those_it_has_rows_for(shop: Shop) -> None:
    create_days(shop)
    request = WriteRequest(DATABASE, "days")
    batches = [[{"day": "b", "n": 2}], [{"day": "b", "n": 3}, {"day": "c", "n": 4}]]
    for number, rows in enumerate(batches):
        batch = batch_of(shop.table("days"), [0] * len(rows), rows)
        shop.warehouse.stage("s", 0, number, request, batch).result(60)
    ack = shop.warehouse.commit_staged(STAGE, overwrite=True)
    assert (ack.rows, ack.events) == (3, 4)
    table = shop.table("days")
    assert days_of(shop) == [("a", 1), ("b", 2), ("b", 3), ("c", 4)]
    shop.again()
    check_changelog(shop.warehouse, table, scanned(shop.warehouse.snapshot(), table))


def test_a_commit_replaces_the_partition_it_names_even_by_nothing(shop: Shop) -> None:
    create_days(shop)
    request, days = WriteRequest(DATABASE, "days"), shop.table("days")
    for number, (rows, day, left) in enumerate(
        [
            ([], "b", [("a", 1)]),
            ([], "never there", [("a", 1)]),
            ([{"day": "c", "n": 2}], "c", [("a", 1), ("c", 2)]),
            ([{"day": "c", "n": 3}], "c", [("a", 1), ("c", 3)]),
        ]
    ):
        batch = batch_of(days, [0] * len(rows), rows)
        shop.warehouse.stage(f"s{number}", 0, 0, request, batch).result(60)
        names, named = ((f"s{number}", 0),), {"day": day}
        ack = shop.warehouse.commit_staged(names, overwrite=True, partition=named)
        assert shop.warehouse.commit_staged(names, overwrite=True, partition=named) == ack
        assert days_of(shop) == left
    shop.again()
    assert days_of(shop) == left
    check_changelog(shop.warehouse, days, scanned(shop.warehouse.snapshot(), days))


def test_a_row_of_another_partition_than_the_named_one_is_refused(shop: Shop) -> None:
    create_days(shop)
    batch = batch_of(shop.table("days"), [0, 3], [{"day": "b", "n": 2}, {"day": "a", "n": 1}])
    shop.warehouse.stage("s", 0, 0, WriteRequest(DATABASE, "days"), batch).result(60)
    for named, message, sqlstate in (
        ({"day": "b"}, "a row of partition day='a' is in a write that overwrites day='b'", "23514"),
        ({"hour": "b"}, "named by a value of day", "42P16"),
    ):
        with pytest.raises(UserError, match=message) as caught:
            shop.warehouse.commit_staged(STAGE, overwrite=True, partition=named)
        assert caught.value.sqlstate == sqlstate
    with pytest.raises(UserError, match="names a partition and overwrites nothing"):
        shop.warehouse.commit_staged(STAGE, partition={"day": "b"})
    stage(shop, 0, (1, "new"), name="t")
    with pytest.raises(UserError, match="is not partitioned"):
        shop.warehouse.commit_staged((("t", 0),), overwrite=True, partition={"day": "b"})
    assert days_of(shop) == [("a", 1), ("b", 1)]
    assert names(shop) == {1: "old", 2: "old"}
    assert shop.warehouse.commit_staged(STAGE).rows == 2, "the stage is open still"


def test_a_named_partition_is_that_of_each_table_of_the_commit(shop: Shop) -> None:
    create_days(shop)
    columns = (column("day", "STRING", nullable=False), column("n", "INT", nullable=False))
    nights = Table(DATABASE, "nights", columns, partition_by=("day",))
    shop.warehouse.ddl([CreateTable(nights)])
    shop.write([0, 0], [{"day": "a", "n": 1}, {"day": "b", "n": 1}], "nights")
    for name, rows in (("days", [{"day": "b", "n": 5}]), ("nights", [])):
        batch = batch_of(shop.table(name), [0] * len(rows), rows)
        shop.warehouse.stage(name, 0, 0, WriteRequest(DATABASE, name), batch).result(60)
    both = (("days", 0), ("nights", 0))
    ack = shop.warehouse.commit_staged(both, overwrite=True, partition={"day": "b"})
    assert (ack.rows, ack.events) == (1, 3)
    assert days_of(shop) == [("a", 1), ("b", 5)]
    left = scanned(shop.warehouse.snapshot(), shop.table("nights"))
    assert left == [{"day": "a", "n": 1}]
