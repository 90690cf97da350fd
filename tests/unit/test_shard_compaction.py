"""A shard that is compacted answers as the model does at every LSN that may be read."""

import random
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest

from kit.shards import DEFAULT, Batch, Pair, table_of
from sluiceway.warehouse.table import Memory

KEYS: dict[str, Mapping[str, str]] = {
    "integer": {"k": "BIGINT"},
    "string": {"k": "STRING"},
    "composite": {"k": "STRING", "n": "INT"},
}
TYPES = {"s": "STRING", "i8": "BIGINT", "as": "ARRAY<STRING>", "def": "INT"}


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    opened = Memory(tmp_path)
    yield opened
    opened.close()


def commit(pair: Pair, chance: random.Random, keys: Mapping[str, str], most: int = 12) -> None:
    count = chance.randrange(1, most)
    rows = [
        {name: chance.randrange(1, 7) for name in keys}
        | {name: chance.choice([0, 1, 5, DEFAULT if name == "def" else 9]) for name in TYPES}
        for _ in range(count)
    ]
    ops = [chance.choice([0, 0, 2, 3]) for _ in rows]
    writes = sorted(chance.randrange(3) for _ in ops)
    pair.commit(Batch(ops, rows, writes=writes))


@pytest.mark.parametrize("kind", KEYS)
@pytest.mark.parametrize("seed", range(6))
def test_every_lsn_from_the_horizon_on_shows_the_same_rows(
    memory: Memory, kind: str, seed: int
) -> None:
    """With a row-major copy and without."""
    keys, chance = KEYS[kind], random.Random(seed)
    pair = Pair(table_of(keys, TYPES, ["column", "row,column"][seed % 2]), memory)
    dropped = 0
    for _ in range(30):
        commit(pair, chance, keys)
        if chance.random() < 0.4:
            may = [lsn for lsn in pair.published if lsn >= pair.horizon]
            dropped += pair.compact(chance.choice(may))
        for lsn in [lsn for lsn in pair.published if lsn >= pair.horizon][-6:]:
            pair.check(pair.shard, lsn)
    assert dropped > 0
    assert pair.shard.stats().dropped_segments == dropped
    readable = [lsn for lsn in pair.published if lsn >= pair.horizon]
    for lsn in {readable[0], chance.choice(readable), readable[-1]}:
        reloaded = pair.reload(lsn)
        assert reloaded.stats().rows == pair.shard.stats().rows
        assert reloaded.stats().dropped_segments == dropped
        for seen in [seen for seen in readable if seen >= pair.horizon]:
            pair.check(reloaded, seen)


def test_rows_that_live_move_once_and_what_they_leave_goes(memory: Memory) -> None:
    pair = Pair(table_of({"k": "BIGINT"}, {"s": "STRING"}), memory)
    keys = list(range(1, 9))
    pair.commit(Batch([0] * 8, [{"k": k, "s": k} for k in keys]))
    pair.commit(Batch([0] * 6, [{"k": k, "s": 3} for k in keys[:6]]))
    before = pair.shard.stats()
    assert pair.compact(pair.lsn) == 0
    assert pair.shard.waste(pair.lsn, np.zeros(0, np.int64)).moves == ()
    assert pair.compact(pair.lsn) == 1
    after = pair.shard.stats()
    assert (before.rows, after.rows) == (8, 8)
    assert after.versions == before.versions + 2 - 8
    pair.check(pair.shard, pair.lsn)
