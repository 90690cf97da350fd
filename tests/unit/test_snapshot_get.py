"""One row by its key as Python values: the same as a look-up, in every process, at every LSN.

The shard's tests compare all types, schema changes and compaction (`kit/shards.py`).
"""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from kit.store import DATABASE, Shop, orders
from kit.workload import column
from sluiceway.catalog import AddColumn, NotFoundError, Table, UserError
from sluiceway.warehouse import WriteRequest
from sluiceway.warehouse.reads import Reads
from sluiceway.warehouse.replica import Replica


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(tmp_path / "data")
    yield shop
    shop.warehouse.close()


@pytest.fixture(params=["writer", "replica"])
def reads(request: pytest.FixtureRequest, shop: Shop) -> Iterator[Reads]:
    if request.param == "writer":
        yield shop.warehouse
        return
    replica = Replica.open(shop.folder, clock=shop.clock)
    yield replica
    replica.close()


def _keyed(*kinds: str) -> Table:
    names = [f"k{at}" for at in range(len(kinds))]
    keys = [column(name, kind, nullable=False) for name, kind in zip(names, kinds, strict=True)]
    columns = (*keys, column("v", "STRING"))
    return Table(DATABASE, "keyed", columns, primary_key=tuple(names))


@pytest.mark.parametrize("shards", [1, 3])
def test_a_row_at_every_lsn(shop: Shop, reads: Reads, shards: int) -> None:
    table = shop.create(orders(shards))
    first = shop.put(*((key, f"n{key}", None) for key in range(20))).lsn
    second = shop.put((7, None, 70), (99, "new", 1)).lsn
    then, now = reads.snapshot(first), reads.snapshot(second)
    for key in range(20):
        assert then.get(table, (key,)) == (key, f"n{key}", None)
    assert then.get(table, (99,)) is None
    assert now.get(table, (7,)) == (7, None, 70)
    assert now.get(table, (7,), ["qty", "id"]) == (70, 7)
    assert now.get(table, (7,), []) == ()
    shop.write([3], [{"id": 7, "name": None, "qty": None}])
    assert reads.snapshot().get(table, (7,)) is None
    assert now.get(table, (7,)) == (7, None, 70)


def test_whatever_is_an_integer_finds_its_shard(shop: Shop) -> None:
    table = shop.create(orders(4))
    shop.put((0, "a", 1), (1, "b", 2))
    snapshot = shop.warehouse.snapshot()
    assert snapshot.get(table, (False,)) == (0, "a", 1)
    assert snapshot.get(table, (True,)) == (1, "b", 2)


def test_new_columns_read_as_their_default(shop: Shop, reads: Reads) -> None:
    before = shop.create(orders())
    shop.put((1, "a", 1))
    new = column("city", "STRING", default="Oslo")
    shop.warehouse.ddl([AddColumn(DATABASE, "orders", new)])
    snapshot = reads.snapshot()
    assert snapshot.get(shop.table(), (1,)) == (1, "a", 1, "Oslo")
    assert snapshot.get(before, (1,)) == (1, "a", 1)


def test_values_larger_than_the_first_buffer(shop: Shop, reads: Reads) -> None:
    table = shop.create(_keyed("STRING", "INT"))
    rows = {("k" * 5_000, 1): "é" * 70_000, ("", 1): "", ("k", 2): "x"}
    batch = pa.record_batch(
        {
            "_op": pa.array([0] * 3, pa.int8()),
            "k0": [key for key, _ in rows],
            "k1": pa.array([number for _, number in rows], pa.int32()),
            "v": list(rows.values()),
        }
    )
    shop.warehouse.write(WriteRequest(DATABASE, "keyed"), batch)
    snapshot = reads.snapshot()
    for key, value in rows.items():
        assert snapshot.get(table, key, ["v"]) == (value,)
    assert snapshot.get(table, ("k" * 4_999, 1)) is None
    assert snapshot.get(table, ("k", 1)) is None


def test_whatever_arrow_takes_for_a_text_is_one(shop: Shop) -> None:
    table = shop.create(_keyed("STRING"))
    batch = {"_op": pa.array([0], pa.int8()), "k0": ["a"], "v": ["b"]}
    shop.warehouse.write(WriteRequest(DATABASE, "keyed"), pa.record_batch(batch))
    for key in ("a", b"a", pa.scalar("a")):
        assert shop.warehouse.snapshot().get(table, (key,)) == ("a", "b")
    assert shop.warehouse.snapshot().get(table, (None,)) is None
    with pytest.raises(UserError, match="is no key"):
        shop.warehouse.snapshot().get(table, ("a", "a"))


@pytest.mark.parametrize(
    ("kinds", "key"),
    [
        (("BIGINT",), ("1",)),
        (("BIGINT",), (2**63,)),
        (("TINYINT",), (1.5,)),
        (("STRING",), (1,)),
        (("STRING",), ("\ud800",)),
        (("DECIMAL(4, 2)",), (Decimal("1.234"),)),
        (("DATE", "STRING"), ("2020-01-01", "a")),
        (("BIGINT", "STRING"), (1,)),
        (("BIGINT",), (1, 2)),
    ],
)
@pytest.mark.parametrize("shards", [1, 2])
def test_what_is_no_key_is_refused(
    shop: Shop, kinds: tuple[str, ...], key: tuple[Any, ...], shards: int
) -> None:
    table = shop.create(_keyed(*kinds))
    with pytest.raises(UserError, match="is no key of shop.keyed") as error:
        shop.warehouse.snapshot().get(table, key)
    assert error.value.sqlstate == "42804"


def test_null_is_nobodys_key(shop: Shop) -> None:
    table = shop.create(_keyed("BIGINT", "STRING"))
    assert shop.warehouse.snapshot().get(table, (1, None)) is None
    assert shop.warehouse.snapshot().get(table, (None, "a")) is None


def test_a_table_without_a_key_has_no_row_to_get(shop: Shop) -> None:
    table = shop.create(Table(DATABASE, "events", (column("v", "INT"),)))
    with pytest.raises(UserError, match="has no primary key") as error:
        shop.warehouse.snapshot().get(table, (1,))
    assert error.value.sqlstate == "42P10"


def test_unknown_columns_are_refused(shop: Shop) -> None:
    table = shop.create(orders())
    with pytest.raises(NotFoundError) as error:
        shop.warehouse.snapshot().get(table, (1,), ["nope"])
    assert error.value.sqlstate == "42703"
