"""A table without a key is spread over its shards, and every row comes back once."""

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from kit.model import Row, by_content, check_changelog, scanned
from kit.store import DATABASE, Shop
from kit.workload import column
from sluiceway.catalog import Table
from sluiceway.warehouse.load import COALESCED_ROWS_MAX

SIZES = st.sampled_from([1, 1, 2, 3, 7, 100, COALESCED_ROWS_MAX + 5])
STEPS = st.lists(st.tuples(st.sampled_from(["put", "put", "again", "truncate"]), SIZES))


def clicks(shards: int, *, partitioned: bool = False) -> Table:
    """Clicks, of which several may be alike."""
    columns = (column("page", "STRING", nullable=False), column("n", "INT"))
    options = {"table_property.shard_count": str(shards)}
    by = ("page",) if partitioned else ()
    return Table(DATABASE, "clicks", columns, options=options, partition_by=by)


def rows_of(count: int, first: int = 0) -> list[Row]:
    return [{"page": f"p{i % 3}", "n": i % 50} for i in range(first, first + count)]


def in_shards(shop: Shop) -> list[int]:
    """How many rows each shard shows."""
    table, snapshot = shop.table("clicks"), shop.warehouse.snapshot()
    return [
        sum(batch.num_rows for batch, _ in snapshot.scan(table, shard, None))
        for shard in range(table.shards)
    ]


@settings(derandomize=True, database=None, max_examples=25)
@given(st.integers(1, 5), st.booleans(), STEPS)
def test_every_row_comes_back_once(
    shards: int, partitioned: bool, steps: list[tuple[str, int]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        shop = Shop(Path(folder) / "data")
        shop.create(clicks(shards, partitioned=partitioned))
        rows: list[Row] = []
        for kind, count in steps:
            if kind == "put":
                shop.write([0] * count, rows_of(count, len(rows)), "clicks")
                rows += rows_of(count, len(rows))
            elif kind == "again":
                shop.again()
            else:
                shop.warehouse.truncate(DATABASE, "clicks")
                rows = []
            wanted = sorted(rows, key=by_content)
            assert scanned(shop.warehouse.snapshot(), shop.table("clicks")) == wanted
            assert sum(in_shards(shop)) == len(rows)
            check_changelog(shop.warehouse, shop.table("clicks"), wanted)
        shop.warehouse.close()


def test_no_shard_gets_much_more_than_another(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "data")
    shop.create(clicks(4))
    for each in rows_of(64):
        shop.write([0], [each], "clicks")
    assert min(in_shards(shop)) >= 12 and max(in_shards(shop)) <= 20
    shop.write([0] * 10_000, rows_of(10_000), "clicks")
    assert max(in_shards(shop)) - min(in_shards(shop)) <= 8
    before = in_shards(shop)
    shop.again()
    assert in_shards(shop) == before
