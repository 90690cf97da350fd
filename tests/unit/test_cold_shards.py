"""Small shards of a checkpoint stay where they are until somebody asks for them."""

import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kit.model import INSERT, UPDATE_AFTER, Row, all_rows, by_content, looked_up, scanned
from kit.shards import Batch, Pair
from kit.store import DATABASE, Shop, orders
from kit.workload import column, cool
from sluiceway.catalog import AddColumn, CorruptionError, DropTable, SetType, parse_type
from sluiceway.warehouse import Snapshot
from sluiceway.warehouse.mapped import Mapped, Memory
from sluiceway.warehouse.notices import NOTICES_NAME, NoticeTail
from sluiceway.warehouse.replica import Replica
from sluiceway.warehouse.table import Shard
from sluiceway.warehouse.upkeep.cooling import IDLE_ROUNDS

SHARDS = 2
ROWS: list[Row] = sorted(
    ({"id": n, "name": f"name {n}", "qty": n} for n in range(40)), key=by_content
)
NAMES = ("orders", "bills", "notes")
WHOLE = dict.fromkeys(NAMES, ROWS)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """Three tables with rows, just opened again."""
    shop = Shop(tmp_path / "data", checkpoint_log_bytes=0, history_s=0)
    shop.create(*(replace(orders(shards=SHARDS), name=name) for name in NAMES))
    for name in NAMES:
        shop.write([INSERT] * len(ROWS), ROWS, name)
    shop.again()
    yield shop
    shop.warehouse.close()


@pytest.fixture
def replica(shop: Shop) -> Iterator[Replica]:
    replica = Replica.open(shop.folder, clock=shop.clock)
    yield replica
    replica.close()


def open_shards(shop: Shop) -> int:
    """How many shards have an index in memory."""
    return sum(".index." in path.name for path in (shop.folder.with_suffix(".run")).rglob("*"))


def rows(shop: Shop, name: str = "orders") -> list[Row]:
    return scanned(shop.warehouse.snapshot(), shop.table(name))


def packs(shop: Shop) -> list[Path]:
    return sorted((shop.folder / "data" / "packs").iterdir())


def test_a_start_opens_nothing_and_still_counts(shop: Shop) -> None:
    assert [table.rows for table in shop.warehouse.stats().tables] == [len(ROWS)] * len(NAMES)
    assert shop.warehouse.expire() == shop.warehouse.compact() == 0
    shop.warehouse.checkpoint()
    assert open_shards(shop) == 0


ASKED: list[Callable[[Snapshot, Shop], object]] = [
    lambda snapshot, shop: scanned(snapshot, shop.table()),
    lambda snapshot, shop: snapshot.count(shop.table()),
    lambda snapshot, shop: [snapshot.get(shop.table(), (n,)) for n in range(9)],
    lambda snapshot, shop: looked_up(shop.warehouse, shop.table(), [(n,) for n in range(9)]),
    lambda snapshot, shop: snapshot.batches(shop.table(), None),
]


@pytest.mark.parametrize("ask", ASKED)
def test_reading_a_table_opens_that_one(
    shop: Shop, ask: Callable[[Snapshot, Shop], object]
) -> None:
    ask(shop.warehouse.snapshot(), shop)
    assert open_shards(shop) == SHARDS
    assert all_rows(shop.warehouse, DATABASE) == WHOLE


def test_writing_opens_the_shard_alone(shop: Shop) -> None:
    shop.write([UPDATE_AFTER], [{"id": 7, "name": "seven", "qty": 70}])
    assert open_shards(shop) == 1
    shop.again()
    assert open_shards(shop) == 0
    assert {"id": 7, "name": "seven", "qty": 70} in rows(shop)
    assert len(rows(shop)) == len(ROWS)


def test_replay_opens_what_the_log_changed(shop: Shop, tmp_path: Path) -> None:
    shop.write([UPDATE_AFTER], [{"id": 7, "name": "seven", "qty": 70}])
    expected = all_rows(shop.warehouse, DATABASE)
    shutil.copytree(shop.folder, tmp_path / "killed", ignore=shutil.ignore_patterns("LOCK"))
    other = Shop(tmp_path / "killed", checkpoint_log_bytes=0)
    try:
        assert open_shards(other) == 1
        assert all_rows(other.warehouse, DATABASE) == expected
    finally:
        other.warehouse.close()


def test_ddl_finds_cold_shards(shop: Shop) -> None:
    before = shop.warehouse.snapshot()
    notes = shop.table("notes")
    shop.warehouse.ddl(
        [
            SetType(DATABASE, "orders", "qty", parse_type("BIGINT")),
            AddColumn(DATABASE, "bills", column("paid", "BOOLEAN", default="FALSE")),
            DropTable(DATABASE, "notes"),
        ]
    )
    shop.write([UPDATE_AFTER], [{"id": 0, "name": "big", "qty": 1 << 40}])
    shop.warehouse.checkpoint()
    shop.warehouse.checkpoint()
    assert scanned(before, notes) == ROWS
    assert [before.get(notes, (n,)) for n in (3, 99)] == [(3, "name 3", 3), None]
    for _ in range(2):
        found = all_rows(shop.warehouse, DATABASE)
        assert found.keys() == {"orders", "bills"}
        assert all(row["paid"] is False for row in found["bills"])
        assert {row["qty"] for row in found["orders"]} == {1 << 40, *range(1, len(ROWS))}
        shop.again()


def test_a_cold_shard_moves_with_its_pack(shop: Shop) -> None:
    (first,) = packs(shop)
    for _ in range(3):
        for name in NAMES[:2]:
            shop.write([UPDATE_AFTER] * len(ROWS), ROWS, name)
        shop.warehouse.checkpoint()
    assert not first.exists()
    assert open_shards(shop) == 2 * SHARDS
    assert rows(shop, "notes") == ROWS
    shop.again()
    assert all_rows(shop.warehouse, DATABASE) == WHOLE


def test_threads_that_meet_open_a_shard_once(shop: Shop) -> None:
    together, found = threading.Barrier(8), []

    def read() -> None:
        together.wait()
        found.append(all_rows(shop.warehouse, DATABASE))

    threads = [threading.Thread(target=read) for _ in range(together.parties)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [WHOLE] * together.parties
    assert open_shards(shop) == len(NAMES) * SHARDS


def test_damage_harms_the_table_alone(shop: Shop) -> None:
    """It is named when somebody asks, writes and DDL are refused; the rest works and is kept."""
    shop.warehouse.close()
    (pack,) = packs(shop)
    good = pack.read_bytes()
    at = good.index(b"name 7")
    pack.write_bytes(good[:at] + b"game 7" + good[at + 6 :])
    shop.warehouse = shop.opened()
    damaged = [name for name in NAMES if not _is_good(shop, name)]
    assert len(damaged) == 1
    change = AddColumn(DATABASE, damaged[0], column("paid", "BOOLEAN"))
    row = {"id": 7, "name": "seven", "qty": 70}
    for refused in (
        lambda: shop.warehouse.ddl([change]),
        lambda: shop.write([UPDATE_AFTER], [row], damaged[0]),
    ):
        with pytest.raises(CorruptionError, match=f"{pack.name} offset "):
            refused()
    others = [name for name in NAMES if name not in damaged]
    for name in others:
        shop.write([UPDATE_AFTER], [row], name)
    shop.again()
    for name in others:
        assert row in rows(shop, name)
    assert not _is_good(shop, damaged[0])


def test_a_damaged_pack_does_not_stop_checkpoints_or_expiry(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "data", checkpoint_log_bytes=0)
    shop.create(*(replace(orders(live_s=60), name=name) for name in NAMES))
    shop.write([INSERT] * len(ROWS), ROWS, "orders")
    shop.again()
    (pack,) = packs(shop)
    shop.write([INSERT] * len(ROWS), ROWS, "notes")
    shop.warehouse.close()
    damaged = bytearray(pack.read_bytes())
    damaged[20] ^= 1
    pack.write_bytes(damaged)
    shop.warehouse = shop.opened()
    try:
        shop.clock.us += 61_000_000
        assert shop.warehouse.expire() == len(ROWS)
        assert rows(shop, "notes") == []
        for _ in range(2):
            shop.write([UPDATE_AFTER], [ROWS[0]], "bills")
            assert shop.warehouse.checkpoint() == shop.warehouse.published
        with pytest.raises(CorruptionError, match=pack.name):
            rows(shop)
    finally:
        shop.warehouse.close()


def _is_good(shop: Shop, name: str) -> bool:
    try:
        return rows(shop, name) == ROWS
    except CorruptionError:
        return False


def test_other_processes_read_them_from_the_checkpoint(shop: Shop, replica: Replica) -> None:
    bills = shop.table("bills")
    before = replica.snapshot()
    assert all_rows(replica, DATABASE) == WHOLE
    assert looked_up(replica, bills, [(3,), (99,)]) == {(3,): {"id": 3, "name": "name 3", "qty": 3}}
    assert open_shards(shop) == 0
    one = {"id": 3, "name": "three", "qty": 30}
    shop.write([UPDATE_AFTER], [one], "bills")
    assert looked_up(replica, bills, [(3,)]) == {(3,): one}
    assert scanned(before, bills) == ROWS
    assert replica.stats().attached.attached_shards == 1


def test_other_processes_find_them_after_checkpoints_and_the_end(
    shop: Shop, replica: Replica
) -> None:
    (first,) = packs(shop)
    for _ in range(3):
        shop.write([UPDATE_AFTER] * len(ROWS), ROWS, "orders")
        shop.write([UPDATE_AFTER] * len(ROWS), ROWS, "bills")
        shop.warehouse.checkpoint()
    assert not first.exists()
    assert scanned(replica.snapshot(), shop.table("notes")) == ROWS
    late = Replica.open(shop.folder, clock=shop.clock)
    try:
        shop.warehouse.close()
        assert scanned(late.snapshot(), shop.table("notes")) == ROWS
    finally:
        late.close()


def test_a_shard_is_told_with_all_that_it_has(tmp_path: Path) -> None:
    """Who was told of an empty one first would take it for empty."""
    here, there = Memory(tmp_path / "here"), Memory(tmp_path / "there")
    try:
        columns = tuple(replace(c, id=at) for at, c in enumerate(orders().columns, 1))
        table = replace(orders(), id=1, schema_version=1, shards=1, columns=columns)
        pair = Pair(table, here)
        tokens = [dict.fromkeys(("id", "name", "qty"), token) for token in range(1, 40)]
        pair.commit(Batch([INSERT] * len(tokens), tokens))
        Shard.load(table, 0, there, pair.shard.images(pair.lsn), pair.lsn, lambda _: table)
        tail = NoticeTail(Mapped.attach(there.directory / NOTICES_NAME).buffer)
        told = [line for line in tail.read() if "shard" in line]
        assert len(told) == 1
        assert told[0]["segments"] and len(told[0]["index"]) == 1
    finally:
        here.close()
        there.close()


def test_idle_shards_become_cold_again(shop: Shop, replica: Replica) -> None:
    before = shop.warehouse.snapshot()
    for name in NAMES:
        shop.write([UPDATE_AFTER], [{"id": 7, "name": "seven", "qty": 70}], name)
    assert cool(shop.warehouse) == 0, "the checkpoint does not have it yet"
    expected = all_rows(shop.warehouse, DATABASE)
    assert all_rows(replica, DATABASE) == expected
    shop.warehouse.checkpoint()
    for _ in range(2 * IDLE_ROUNDS):
        shop.warehouse.cool()
        rows(shop, "orders")
    assert open_shards(shop) == SHARDS
    assert all_rows(replica, DATABASE) == expected
    late = Replica.open(shop.folder, clock=shop.clock)
    try:
        assert all_rows(late, DATABASE) == expected
        assert cool(shop.warehouse) == SHARDS
        assert open_shards(shop) == 0
        assert scanned(before, shop.table()) == ROWS
        for reads in (late, replica, shop.warehouse):
            assert all_rows(reads, DATABASE) == expected
        shop.write([UPDATE_AFTER], [{"id": 7, "name": "eight", "qty": 80}])
        for reads in (late, replica, shop.warehouse):
            assert looked_up(reads, shop.table(), [(7,)])[7,]["name"] == "eight"
    finally:
        late.close()
    assert shop.warehouse.stats().space["cooling"]["cooled"] == (len(NAMES) - 1) * SHARDS + SHARDS


def test_an_altered_table_rests_after_the_next_checkpoint(shop: Shop, replica: Replica) -> None:
    shop.warehouse.ddl([SetType(DATABASE, "orders", "qty", parse_type("BIGINT"))])
    assert cool(shop.warehouse) == 0
    shop.write([UPDATE_AFTER], [{"id": 0, "name": "big", "qty": 1 << 40}])
    shop.warehouse.checkpoint()
    assert cool(shop.warehouse) == SHARDS
    for reads in (replica, shop.warehouse):
        assert looked_up(reads, shop.table(), [(0,)])[0,]["qty"] == 1 << 40


def test_tables_whose_rows_expire_do_not_rest(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "data", checkpoint_log_bytes=0)
    try:
        shop.create(orders(live_s=3600))
        shop.write([INSERT] * len(ROWS), ROWS)
        shop.warehouse.checkpoint()
        for _ in range(2 * IDLE_ROUNDS):
            shop.warehouse.expire()
            assert shop.warehouse.cool() == 0
    finally:
        shop.warehouse.close()
