"""Readers beside the writer: no tear, no row from the future, totals exact at every LSN.

`SLUICEWAY_SOAK_SECONDS` repeats it with other numbers for that long, half of it for each key type.
"""

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from kit.marks import visible
from sluiceway.catalog import Column, Table, parse_type
from sluiceway.warehouse.kernels.views import Int64s
from sluiceway.warehouse.table import Control, Memory, Shard, prepare

KEYS = 3_000
COMMITS = 120
KINDS = ["BIGINT", "STRING"]
SEED = int(os.environ.get("SLUICEWAY_CRASH_SEED", "1"))
SOAK_S = float(os.environ.get("SLUICEWAY_SOAK_SECONDS", "0"))


def _table(key: str) -> Table:
    columns = (
        Column(1, "k", parse_type(key), False),
        Column(2, "number", parse_type("BIGINT"), False),
        Column(3, "text", parse_type("STRING")),
    )
    options = {"table_property.orientation": "column" if key == "BIGINT" else "row,column"}
    return Table("db", "t", columns, ("k",), id=1, schema_version=1, shards=1, options=options)


class Writer:
    """Moves amounts between rows, so that the sum of `number` never changes."""

    def __init__(self, table: Table, memory: Memory, seed: int) -> None:
        self.table = table
        self.kind = table.columns[0].type.arrow()
        self.shard = Shard(table, 0, memory, (64, 4096, 1 << 20))
        self.control = Control(memory)
        self.numbers = np.full(KEYS, 100, np.int64)
        self.random = np.random.default_rng(seed)
        self.lsn = 0

    def keys(self, numbers: Int64s) -> pa.Array:
        """Return keys as the table has them."""
        return pa.array(numbers).cast(self.kind)

    def write(self, keys: Int64s) -> None:
        """Upsert rows whose text repeats their number, and publish."""
        numbers = pa.array(self.numbers[keys])
        arrays = [
            pa.array(np.zeros(len(keys), np.int8)),
            self.keys(keys),
            numbers,
            numbers.cast(pa.utf8()),
        ]
        batch = pa.RecordBatch.from_arrays(arrays, ["_op", "k", "number", "text"])
        ops, checked = prepare(self.table, batch, partial=False)
        self.lsn += 2 * len(keys) + 1
        self.shard.merge(
            checked,
            ops,
            conflict="update",
            partial=False,
            positions=np.arange(len(keys), dtype=np.int32),
            commit_lsn=self.lsn,
        )
        self.shard.publish(self.lsn, self.lsn)
        self.control.publish(self.lsn)

    def run(self) -> None:
        """Load everything, then move amounts about."""
        self.write(np.arange(KEYS))
        for _ in range(COMMITS):
            keys = self.random.choice(KEYS, 400, replace=False)
            moved = self.random.integers(-50, 50, 200)
            self.numbers[keys[:200]] += moved
            self.numbers[keys[200:]] -= moved
            self.write(keys)


def _check(numbers: pa.Array, texts: pa.Array) -> None:
    assert len(numbers) == KEYS
    assert numbers.to_numpy().sum() == KEYS * 100
    assert numbers.cast(pa.utf8()).equals(texts)


def _look_up(writer: Writer) -> None:
    asked = pa.record_batch([writer.keys(np.arange(KEYS))], ["k"])
    found = writer.shard.lookup(asked, writer.control.published(), writer.table, None)
    assert found.column("_pos").to_pylist() == list(range(KEYS))
    _check(found.column("number"), found.column("text"))


def _scan(writer: Writer) -> None:
    lsn = writer.control.published()
    batches = [b for b, _ in writer.shard.scan(lsn, writer.table, None, 0, 1_000)]
    whole = pa.Table.from_batches(batches).combine_chunks()
    _check(whole.column("number").chunk(0), whole.column("text").chunk(0))


def _filter(writer: Writer) -> None:
    lsn = writer.control.published()
    batches = visible(writer.shard.batches(lsn, writer.table, None), lsn)
    rows = pa.Table.from_batches(batches).combine_chunks()
    _check(rows.column("number").chunk(0), rows.column("text").chunk(0))


def torture(key: str, seed: int, folder: Path) -> None:
    """Let three readers check everything while a writer writes; fails with the seed."""
    memory = Memory(folder)
    writer = Writer(_table(key), memory, seed)
    done = threading.Event()
    errors: list[BaseException] = []
    rounds = dict.fromkeys(("lookup", "scan", "filter"), 0)

    def read(name: str, check: Callable[[Writer], None]) -> None:
        try:
            while not done.is_set() or rounds[name] == 0:
                if writer.control.published():
                    check(writer)
                    rounds[name] += 1
        except BaseException as error:
            errors.append(error)

    checks = {"lookup": _look_up, "scan": _scan, "filter": _filter}
    threads = [threading.Thread(target=read, args=item) for item in checks.items()]
    for thread in threads:
        thread.start()
    try:
        writer.run()
    finally:
        done.set()
        for thread in threads:
            thread.join()
        memory.close()
    assert errors == [], f"SLUICEWAY_CRASH_SEED={seed}"
    assert min(rounds.values()) > 0


@pytest.mark.parametrize("key", KINDS)
def test_readers_beside_a_writer(key: str, tmp_path: Path) -> None:
    end = time.monotonic() + SOAK_S / len(KINDS)
    seed = SEED
    while seed == SEED or time.monotonic() < end:
        torture(key, seed, tmp_path)
        seed += 1
