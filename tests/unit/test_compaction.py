"""Compaction in a whole warehouse: what it gives back, and what it keeps for whom."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from kit.model import check_changelog, looked_up, scanned
from kit.server import wait_for
from kit.store import DATABASE, Shop, orders
from sluiceway.catalog import CreateTable, DropTable, GoneError, RenameColumn, Table
from sluiceway.warehouse.replica import Replica

FIRST_SEGMENT = 4_096
KEYS = 200


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(tmp_path / "data", checkpoint_log_bytes=0, history_s=0)
    shop.create(orders())
    yield shop
    shop.warehouse.close()


def update(shop: Shop, rounds: int, tag: str = "a") -> None:
    """Write every key once a round."""
    for number in range(rounds):
        shop.put(*((key, f"{tag} {number} of {key}", number) for key in range(KEYS)))


def waste(shop: Shop) -> None:
    """Fill the first segment, and leave only a few of its rows alive."""
    shop.put(*((-key, "stays", key) for key in range(1, 50)))
    update(shop, FIRST_SEGMENT // KEYS + 2)


def compact(shop: Shop) -> int:
    """Move what lives, then drop what is left."""
    return shop.warehouse.compact() + shop.warehouse.compact()


def rows(shop: Shop, lsn: int | None = None) -> list[dict[str, object]]:
    return scanned(shop.warehouse.snapshot(lsn), shop.table())


def versions(shop: Shop) -> int:
    (shard,) = shop.warehouse._opened.committer.state.shards[shop.table().id].values()
    return shard.stats().versions


def test_rows_stay_and_what_was_dead_goes_from_memory_and_disk(shop: Shop) -> None:
    waste(shop)
    shop.warehouse.checkpoint()
    before, stored, published = rows(shop), versions(shop), shop.warehouse.published
    assert compact(shop) == 1
    assert rows(shop) == before
    assert versions(shop) <= stored - FIRST_SEGMENT + 49
    assert shop.warehouse.published == published + 3, "one commit moved the rows"
    stats = shop.warehouse.stats().space["compaction"]
    assert (stats["moved_rows"], stats["dropped_segments"]) == (49, 1)
    assert stats["dropped_bytes"] > FIRST_SEGMENT * 16
    assert shop.warehouse.stats().space["pauses"]["steps"] > 2
    keys = [(key,) for key in (-49, -1, 0, 7, KEYS)]
    assert set(looked_up(shop.warehouse, shop.table(), keys)) == set(keys[:4])
    check_changelog(shop.warehouse, shop.table(), before)
    files = set(shop.folder.rglob("0.*.seg"))
    for _ in range(2):
        shop.warehouse.checkpoint()
        shop.put((0, "again", 0), (1, "again", 0))
    shop.again()
    assert not files & set(shop.folder.rglob("0.*.seg"))
    shop.put((0, f"a 21 of {0}", 21), (1, f"a 21 of {1}", 21))
    assert rows(shop) == before
    assert compact(shop) == 0


@pytest.mark.parametrize("checkpoints", range(4))
def test_a_restart_at_any_point_shows_the_same(shop: Shop, checkpoints: int) -> None:
    waste(shop)
    before = rows(shop)
    for number in range(3):
        if number == checkpoints:
            shop.warehouse.checkpoint()
        if number < 2:
            shop.warehouse.compact()
        else:
            update(shop, 3, "b")
    after = rows(shop)
    killed = Shop(_copy(shop.folder), checkpoint_log_bytes=0, history_s=0)
    try:
        assert rows(killed) == after
        assert [row for row in before if str(row["name"]) == "stays"] == [
            row for row in after if str(row["name"]) == "stays"
        ]
        update(killed, 25, "c")
        shown = rows(killed)
        compact(killed)
        assert rows(killed) == shown
        check_changelog(killed.warehouse, killed.table(), shown)
    finally:
        killed.warehouse.close()


def _copy(folder: Path) -> Path:
    """The folder as a kill would leave it."""
    copy = folder.with_name("killed")
    for path in [p for p in folder.rglob("*") if p.is_file() and p.name != "LOCK"]:
        target = copy / path.relative_to(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    return copy


def test_a_hold_keeps_what_it_sees(shop: Shop) -> None:
    shop.put(*((key, "held", key) for key in range(KEYS)))
    lsn = shop.warehouse.hold("h", None, 3_600_000)
    held = rows(shop, lsn)
    waste(shop)
    assert compact(shop) == 0
    assert scanned(shop.warehouse.snapshot(hold="h"), shop.table()) == held
    shop.again()
    assert compact(shop) == 0
    assert scanned(shop.warehouse.snapshot(hold="h"), shop.table()) == held
    shop.warehouse.release("h")
    assert compact(shop) == 1
    with pytest.raises(GoneError, match="is not kept"):
        shop.warehouse.snapshot(lsn)
    with pytest.raises(GoneError, match="the oldest kept"):
        shop.warehouse.hold("late", lsn, 1_000)
    shop.put((0, "later", 0))
    shop.again()
    with pytest.raises(GoneError, match="is not kept"):
        shop.warehouse.snapshot(lsn)


def test_a_snapshot_keeps_what_it_sees_for_as_long_as_it_lives(shop: Shop) -> None:
    shop.put(*((key, "seen", key) for key in range(KEYS)))
    snapshot = shop.warehouse.snapshot()
    seen = scanned(snapshot, shop.table())
    waste(shop)
    assert compact(shop) == 0
    assert scanned(snapshot, shop.table()) == seen
    del snapshot
    assert compact(shop) == 1


def test_the_past_is_kept_for_a_while(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "data", checkpoint_log_bytes=0, history_s=100)
    try:
        shop.create(orders())
        shop.put(*((key, "before", key) for key in range(KEYS)))
        then, past = shop.clock.us, rows(shop)
        shop.clock.us += 1_000_000
        waste(shop)
        shop.clock.us += 98_000_000
        assert compact(shop) == 0
        assert scanned(shop.warehouse.snapshot(time_us=then), shop.table()) == past
        shop.clock.us += 2_000_000
        shop.warehouse.compact()
        shop.clock.us += 101_000_000
        assert shop.warehouse.compact() == 1
        with pytest.raises(GoneError):
            shop.warehouse.snapshot(time_us=then)
    finally:
        shop.warehouse.close()


def test_rows_with_a_ttl_never_move_but_their_segments_go(shop: Shop) -> None:
    shop.warehouse.ddl([DropTable(DATABASE, "orders")])
    shop.warehouse.ddl([CreateTable(orders(live_s=100))])
    waste(shop)
    assert compact(shop) == 0
    assert shop.warehouse.stats().space["compaction"]["moved_rows"] == 0
    shop.clock.us += 100_000_000
    shop.put((0, "young", 0))
    shop.warehouse.expire()
    assert compact(shop) == 1
    assert [row["id"] for row in rows(shop)] == [0]


def test_an_index_of_keys_that_come_and_go_does_not_grow(shop: Shop) -> None:
    slots = []
    for round_ in range(6):
        keys = range(round_ * FIRST_SEGMENT, (round_ + 1) * FIRST_SEGMENT)
        shop.put(*((key, "x", 0) for key in keys))
        shop.write([3] * len(keys), [{"id": key} for key in keys])
        name = "qty" if round_ % 2 else "count"
        old = "count" if round_ % 2 else "qty"
        shop.warehouse.ddl([RenameColumn(DATABASE, "orders", old, name)])  # seals the segment
        compact(shop)
        (shard,) = shop.warehouse._opened.committer.state.shards[shop.table().id].values()
        slots.append(shard.stats().index_slots)
    assert rows(shop) == []
    assert slots[-1] == slots[1]


def test_writers_and_readers_go_on_beside_it(shop: Shop) -> None:
    """Every snapshot shows one round whole, by scan and by look-up, whatever moves meanwhile."""
    shop.put(*((key, "w", 0) for key in range(KEYS)))
    stop, seen = threading.Event(), set()
    failures: list[BaseException] = []

    def read() -> None:
        keys = [(key,) for key in range(KEYS)]
        try:
            while not stop.is_set():
                snapshot = shop.warehouse.snapshot()
                rounds = {row["qty"] for row in scanned(snapshot, shop.table())}
                by_key = looked_up(shop.warehouse, shop.table(), keys)
                found = {row["qty"] for row in by_key.values()}
                assert len(by_key) == KEYS and len(rounds) == len(found) == 1
                assert max(found) >= max(rounds)
                seen.update(rounds)
        except BaseException as error:
            failures.append(error)

    def give_back() -> None:
        while not stop.is_set():
            shop.warehouse.compact()

    threads = [threading.Thread(target=each) for each in (read, read, give_back)]
    for thread in threads:
        thread.start()
    try:
        for number in range(120):
            shop.put(*((key, f"w {number}", number) for key in range(KEYS)))
    finally:
        stop.set()
        for thread in threads:
            thread.join(60)
    assert failures == []
    assert len(seen) > 1
    compact(shop)
    assert shop.warehouse.stats().space["compaction"]["dropped_segments"] > 0
    assert {row["qty"] for row in rows(shop)} == {119}


def test_another_process_sees_the_same_and_keeps_what_it_reads(shop: Shop) -> None:
    shop.put(*((key, "old", key) for key in range(KEYS)))
    replica = Replica.open(shop.folder, clock=shop.clock)
    try:
        table: Table = shop.table()
        old = replica.snapshot()
        waste(shop)
        before, as_it_was = scanned(replica.snapshot(), table), scanned(old, table)
        assert compact(shop) == 0
        assert scanned(old, table) == as_it_was
        at = old.lsn
        del old
        wait_for("the segment to be dropped", lambda: compact(shop) == 1)
        assert scanned(replica.snapshot(), table) == before == rows(shop)
        keys = [(key,) for key in (-49, 0, KEYS)]
        assert looked_up(replica, table, keys) == looked_up(shop.warehouse, table, keys)
        late = Replica.open(shop.folder, clock=shop.clock)
        try:
            assert scanned(late.snapshot(), table) == before
            assert looked_up(late, table, keys) == looked_up(shop.warehouse, table, keys)
            with pytest.raises(GoneError, match="is not kept"):
                late.snapshot(at)
        finally:
            late.close()
    finally:
        replica.close()
