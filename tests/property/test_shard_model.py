"""A shard answers as a model of lists and dictionaries does, at every LSN and after a restart."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.shards import TYPES, Batch, Pair, table_of
from sluiceway.warehouse.table import Memory

KEYS: dict[str, Mapping[str, str]] = {
    "integer": {"k": "BIGINT"},
    "narrow": {"k": "SMALLINT"},
    "string": {"k": "STRING"},
    "decimal": {"k": "DECIMAL(20, 3)"},
    "composite": {"k": "STRING", "n": "INT", "flag": "BOOLEAN"},
    "none": {},
}
ROW_MAJOR = [("row,column", "integer"), ("row", "composite")]
TOKENS = st.integers(0, 12)
CONFLICTS = st.sampled_from(["update", "update", "replace", "ignore"])


@contextmanager
def memory() -> Iterator[Memory]:
    """A run directory of one example."""
    with tempfile.TemporaryDirectory() as directory:
        opened = Memory(Path(directory))
        try:
            yield opened
        finally:
            opened.close()


@st.composite
def batches(draw: Any, keys: Mapping[str, str]) -> Batch:
    """One batch, of one write or several."""
    named = draw(st.lists(st.sampled_from(sorted(TYPES)), unique=True, max_size=6))
    row = st.fixed_dictionaries(
        {name: st.integers(1, 2 if kind == "BOOLEAN" else 6) for name, kind in keys.items()}
        | {name: TOKENS for name in named}
    )
    kinds = st.sampled_from([0, 0, 2, 1, 3]) if keys else st.sampled_from([0, 2])
    rows = draw(st.lists(row, min_size=1, max_size=12))
    ops = draw(st.lists(kinds, min_size=len(rows), max_size=len(rows)))
    numbers = st.lists(st.integers(0, 3), min_size=len(rows), max_size=len(rows)).map(sorted)
    return Batch(ops, rows, draw(CONFLICTS), draw(st.booleans()), draw(st.none() | numbers))


@pytest.mark.slow
@pytest.mark.parametrize(("orientation", "kind"), [*(("column", k) for k in KEYS), *ROW_MAJOR])
@settings(max_examples=30)
@given(data=st.data())
def test_shard_equals_model(orientation: str, kind: str, data: Any) -> None:
    """Scans read columns and look-ups the row-major copy, if there is one: both equal the model."""
    keys = KEYS[kind]
    batch = batches(keys).filter(lambda batch: len(batch.rows[0]) > 0)
    commits = data.draw(st.lists(st.lists(batch, min_size=1, max_size=2), max_size=6))
    with memory() as opened:
        pair = Pair(table_of(keys, orientation=orientation), opened)
        for commit in commits:
            pair.commit(*commit)
        for lsn in (0, *pair.published):
            pair.check(pair.shard, lsn)
        restart = data.draw(st.sampled_from([0, *pair.published]))
        reloaded = pair.reload(restart)
        for lsn in (0, *pair.published):
            pair.check(reloaded, lsn)
        assert reloaded.stats().rows == pair.shard.stats().rows
