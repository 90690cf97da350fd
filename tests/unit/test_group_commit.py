"""Writes that are committed together have the outcomes that they have one after the other."""

import random
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pyarrow as pa
import pytest

from kit.model import Row, all_rows, batch_of, changes, replayed, scanned
from kit.store import DATABASE, Shop
from kit.workload import column
from sluiceway.catalog import Table
from sluiceway.warehouse import Warehouse, WriteRequest
from sluiceway.warehouse.requests import StepWork, Write, WriteWork, prepare_write

KEYED = Table(
    DATABASE,
    "keyed",
    (
        column("id", "BIGINT", nullable=False),
        column("name", "STRING", nullable=False),
        column("qty", "INT"),
        column("tags", "ARRAY<STRING>"),
    ),
    primary_key=("id",),
    options={"table_property.shard_count": "2"},
)
NOTES = Table(DATABASE, "notes", (column("id", "BIGINT"), column("name", "STRING")))


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def opened(stack: ExitStack, folder: Path) -> Shop:
    shop = Shop(folder)
    shop.create(KEYED, NOTES)
    stack.enter_context(closing(shop.warehouse))
    return shop


def some_rows(chance: random.Random, names: list[str]) -> tuple[list[int], list[Row]]:
    values: dict[str, list[object]] = {
        "name": ["a", "b", "a longer name"],
        "qty": [None, 1, 2],
        "tags": [None, [], ["x"]],
    }
    rows = [
        {"id": chance.randrange(6)} | {name: chance.choice(values[name]) for name in names}
        for _ in range(chance.randrange(1, 5))
    ]
    return [chance.choice([0, 0, 2, 3, 1]) for _ in rows], rows


def some_write(chance: random.Random, shop: Shop) -> list[Write]:
    """A write of one table or of two; now and then one that a shard has to refuse."""
    partial = chance.random() < 0.4
    names = ["name", "qty", "tags"]
    if partial:
        names = chance.choice([["qty"], ["qty"], ["name", "tags"], ["name"]])
    elif chance.random() < 0.3:
        names = ["name"]
    ops, rows = some_rows(chance, names)
    conflict = chance.choice(["update", "update", "replace", "ignore"])
    request = WriteRequest(DATABASE, "keyed", conflict=conflict, partial=partial)
    writes = [(request, batch_of(shop.table("keyed"), ops, rows))]
    if chance.random() < 0.3:
        notes = [{"id": row["id"], "name": "note"} for row in rows]
        batch = batch_of(shop.table("notes"), [0] * len(notes), notes)
        writes.append((WriteRequest(DATABASE, "notes"), batch))
    return writes


def answers(works: list[WriteWork]) -> list[object]:
    found: list[object] = []
    for work in works:
        error = work.future.exception(60)
        found.append(str(error) if error else work.future.result().events)
    return found


def told(warehouse: Warehouse, table: Table) -> list[Row]:
    """The changes of all shards, without what depends on when they were committed."""
    return [
        {name: value for name, value in event.items() if name not in ("_lsn", "_time")}
        for shard in range(table.shards)
        for event in changes(warehouse, table, shard, 1)
    ]


def together(shop: Shop, works: list[WriteWork]) -> None:
    """Hand in several requests while the committer is busy with another."""
    committer, gate = shop.warehouse._committer, threading.Event()
    committer.submit(StepWork(lambda state: gate.wait(60)))
    for work in works:
        committer.submit(work)
    gate.set()


@pytest.mark.parametrize("seed", range(8))
def test_a_group_is_as_its_writes_one_by_one(tmp_path: Path, stack: ExitStack, seed: int) -> None:
    chance = random.Random(seed)
    alone, grouped = opened(stack, tmp_path / "alone"), opened(stack, tmp_path / "grouped")
    refused = 0
    for _ in range(6):
        writes = [some_write(chance, alone) for _ in range(chance.randrange(1, 9))]
        one_by_one = [prepare_write(alone.warehouse.catalog, write) for write in writes]
        for work in one_by_one:
            alone.warehouse._committer.submit(work)
            work.future.exception(60)
        works = [prepare_write(grouped.warehouse.catalog, write) for write in writes]
        together(grouped, works)
        assert answers(works) == answers(one_by_one)
        refused += sum(isinstance(answer, str) for answer in answers(works))
    assert refused > 0
    wanted = all_rows(alone.warehouse, DATABASE)
    for table in (grouped.table("keyed"), grouped.table("notes")):
        assert told(grouped.warehouse, table) == told(alone.warehouse, table)
    assert all_rows(grouped.warehouse, DATABASE) == wanted
    stack.enter_context(closing(grouped.again()))
    assert all_rows(grouped.warehouse, DATABASE) == wanted
    keyed = grouped.table("keyed")
    assert replayed(grouped.warehouse, keyed) == scanned(grouped.warehouse.snapshot(), keyed)


def test_small_writes_of_equal_columns_are_one_part_a_shard(
    tmp_path: Path, stack: ExitStack
) -> None:
    shop = opened(stack, tmp_path / "data")
    table = shop.table("keyed")

    def work(names: list[str], *ids: int, count: int = 1) -> WriteWork:
        rows = [{"id": i, "name": "n"} | {name: None for name in names} for i in ids * count]
        request = WriteRequest(DATABASE, "keyed")
        return prepare_write(
            shop.warehouse.catalog, [(request, batch_of(table, [0] * len(rows), rows))]
        )

    def parts(*works: WriteWork) -> int:
        before = shop.warehouse.stats().log["tail"]["parts"]
        together(shop, list(works))
        assert all(isinstance(answer, int) for answer in answers(list(works)))
        return int(shop.warehouse.stats().log["tail"]["parts"] - before)

    ids = range(20)
    assert parts(*(work(["qty"], i) for i in ids)) == 2
    assert parts(work(["qty"], *ids), work(["tags"], *ids), work(["tags"], *ids)) == 4
    assert parts(work(["qty"], *ids), work(["qty"], *ids, count=300), work(["qty"], *ids)) == 6


def test_batches_whose_fields_differ_in_what_may_be_null_go_together(
    tmp_path: Path, stack: ExitStack
) -> None:
    shop = opened(stack, tmp_path)
    request, works = WriteRequest(DATABASE, "keyed"), []
    for number in range(4):
        batch = batch_of(shop.table("keyed"), [0], [{"id": number, "name": "a"}])
        fields = [field.with_nullable(number % 2 == 0) for field in batch.schema]
        batch = pa.RecordBatch.from_arrays(batch.columns, schema=pa.schema(fields))
        works.append(prepare_write(shop.warehouse.catalog, [(request, batch)]))
    before = shop.warehouse.stats().log["commits"]
    together(shop, works)
    assert answers(works) == [1, 1, 1, 1]
    assert shop.warehouse.stats().log["commits"] == before + 1
