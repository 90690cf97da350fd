"""Large values: batches are cut by bytes, and what cannot be one batch is refused, never lost."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from kit.model import batch_of
from kit.store import DATABASE, Shop, orders
from kit.workload import column
from sluiceway.catalog import Table, UserError
from sluiceway.warehouse import WriteRequest
from sluiceway.warehouse.events import EventCutter
from sluiceway.warehouse.load import cut_load
from sluiceway.warehouse.requests import StepWork, prepare_write
from sluiceway.warehouse.table import Memory, Shard, prepare
from sluiceway.warehouse.table.arrays import BATCH_BYTES, MAX_BYTES, joined
from sluiceway.warehouse.table.compaction import MOVED_BYTES, living

MIB = 1 << 20
REQUEST = WriteRequest(DATABASE, "orders")


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(tmp_path / "data", history_s=0)
    shop.create(orders(2))
    with closing(shop.warehouse):
        yield shop


def put(shop: Shop, ids: Sequence[int], size_bytes: int) -> None:
    """Upsert rows with names of so many letters."""
    rows = [{"id": i, "name": chr(97 + i % 26) * size_bytes, "qty": i} for i in ids]
    shop.write([2] * len(rows), rows)


def huge(count: int) -> list[pa.RecordBatch]:
    """Batches of one value each that do not fit into one, though they are one in memory."""
    value = pa.array(["x" * (MAX_BYTES // 3 * 2)])
    return [pa.record_batch({"id": [number], "name": value}) for number in range(count)]


def test_scans_and_streams_are_cut_by_bytes(shop: Shop) -> None:
    """Ended rows between them, so that batches are gathered, and none, so that they are slices."""
    put(shop, range(90), MIB)
    for replaced in ((), range(0, 90, 4)):
        for i in replaced:
            put(shop, [i], MIB + 1)
        snapshot, table = shop.warehouse.snapshot(), shop.table()
        found = []
        for shard in range(2):
            start = 0
            for batch, resume in snapshot.scan(table, shard, None):
                assert batch.nbytes < BATCH_BYTES + 2 * MIB
                [again, *_] = snapshot.scan(table, shard, None, start)
                assert again[0] == batch
                found += batch.column("id").to_pylist()
                start = resume
        assert sorted(found) == list(range(90))
    reader = shop.warehouse.changelog(table, 0, 1, until=shop.warehouse.published)
    events = 0
    while not (change := reader.read(5)).done:
        assert change.batch.nbytes < BATCH_BYTES + 2 * MIB
        events += len(change.batch)
    assert events == sum(
        1 + 2 * (i % 4 == 0)
        for batch, _ in snapshot.scan(table, 0, ["id"])
        for i in batch.column("id").to_pylist()
    )


def test_what_a_reset_ended_is_cut_by_bytes(shop: Shop) -> None:
    put(shop, range(80), MIB)
    start = shop.warehouse.published + 1
    shop.warehouse.truncate(DATABASE, "orders")
    deleted = []
    for shard in range(2):
        reader = shop.warehouse.changelog(
            shop.table(), shard, start, until=shop.warehouse.published
        )
        while not (change := reader.read(5)).done:
            assert change.batch.nbytes < BATCH_BYTES + 2 * MIB
            deleted += change.batch.column("id").to_pylist()
    assert sorted(deleted) == list(range(80))


def test_moves_are_cut_by_bytes(tmp_path: Path) -> None:
    """A segment has room for many large rows if it has for very many small ones."""
    memory = Memory(tmp_path)
    shard = Shard(orders_of_one_shard(), 0, memory, (1 << 18,))
    large = [(i, "n" * (MIB // 8)) for i in range(100)]
    small = [(i, "small") for i in range(1_000, 1_300)]
    for number, rows in enumerate([large, *[small] * 6, large[:30]], 1):
        merge(shard, rows, 10_000 * number)
    lsn, segment = 80_000, shard.state.segments[0]
    moves = shard.waste(lsn, np.zeros(0, np.int64)).moves
    assert [move.ordinal for move in moves] == [0] * len(moves) and len(moves) == 4
    moved, alive_before = 0, len(living(segment, 0, segment.rows))
    for number, move in enumerate(moves, 1):
        alive = living(segment, move.start, move.end)
        assert segment.variable_bytes(alive).sum() <= MOVED_BYTES
        change = shard.plan_move(move)
        assert change is not None
        moved += shard.move(change, lsn + number)
        shard.publish(lsn + number, 1)
    assert moved == alive_before
    keys = pa.record_batch({"id": range(100)})
    names = shard.lookup(keys, lsn + len(moves), shard.table, ["name"]).column("name")
    assert names.to_pylist() == [name for _, name in large]
    memory.close()


def orders_of_one_shard() -> Table:
    columns = (
        replace(column("id", "BIGINT", nullable=False), id=1),
        replace(column("name", "STRING"), id=2),
    )
    return Table("db", "t", columns, ("id",), id=1, schema_version=1, shards=1)


def merge(shard: Shard, rows: Sequence[tuple[int, str]], lsn: int) -> None:
    """Merge and publish rows of a key and a name."""
    ids, names = zip(*rows, strict=True)
    batch = pa.record_batch({"_op": np.zeros(len(ids), np.int8), "id": ids, "name": names})
    ops, checked = prepare(shard.table, batch, partial=False)
    positions = np.arange(len(ops), dtype=np.int32)
    shard.merge(checked, ops, conflict="update", partial=False, positions=positions, commit_lsn=lsn)
    shard.publish(lsn, 1)


def rows_of(shop: Shop) -> list[tuple[int, int]]:
    """Keys and lengths of names."""
    batches = [b for b, _ in shop.warehouse.snapshot().scan(shop.table(), None, None)]
    return [(row["id"], len(row["name"])) for batch in batches for row in batch.to_pylist()]


@pytest.mark.slow
def test_a_look_up_that_cannot_be_one_batch_is_refused(shop: Shop) -> None:
    put(shop, [1], 64 * MIB)
    keys = pa.record_batch({"id": pa.array([1] * 16, pa.int64())})
    snapshot, table = shop.warehouse.snapshot(), shop.table()
    with pytest.raises(UserError, match="16 values of 'name' take 1073741824 bytes") as caught:
        snapshot.lookup(table, keys, None)
    assert caught.value.sqlstate == "54000"
    assert len(snapshot.lookup(table, keys.slice(1), ["id", "name"])) == 15


@pytest.mark.slow
def test_rows_of_shards_that_cannot_be_one_batch_are_refused() -> None:
    with pytest.raises(UserError, match="look up fewer keys") as caught:
        joined(huge(4), "look up fewer keys")
    assert caught.value.sqlstate == "54000"


@pytest.mark.slow
def test_writes_that_cannot_be_one_load_are_not_joined() -> None:
    """The rows behind the first two billion bytes were lost."""
    table = Table("db", "t", (column("id", "BIGINT"), column("name", "STRING")), id=1, shards=1)
    batches = [(at, np.zeros(1, np.int8), batch) for at, batch in enumerate(huge(4))]
    with pytest.raises(UserError, match="write fewer rows"):
        cut_load(table, None, batches)


@pytest.mark.slow
def test_events_that_cannot_be_one_batch_come_one_after_the_other() -> None:
    """The events behind the first two billion bytes were lost."""
    pieces = huge(4)
    cutter = EventCutter(pieces[0].schema)
    for piece in pieces:
        cutter.put(piece)
    taken = [cutter.take(10) for _ in pieces]
    assert [batch.column("id").to_pylist() for batch in taken] == [[0], [1], [2], [3]]
    assert cutter.rows == 0 and len(cutter.take(10)) == 0


def test_a_group_of_large_writes_is_several_loads(shop: Shop) -> None:
    """Together they are more than a batch should have; each is answered, none is lost."""
    rows = [{"id": i, "name": "n" * (12 * MIB), "qty": i} for i in range(6)]
    batches = [batch_of(shop.table(), [0], [row]) for row in rows]
    committer = shop.warehouse._opened.committer
    works = [prepare_write(shop.warehouse.catalog, [(REQUEST, batch)]) for batch in batches]

    def step(state: object) -> None:
        for work in works:
            committer.submit(work)

    committer.submit(StepWork(step))
    assert len({work.future.result().lsn for work in works}) == 1
    assert sorted(rows_of(shop)) == [(i, 12 * MIB) for i in range(6)]
