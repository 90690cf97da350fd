"""Whatever is done to partitions, the table is the one that plain dicts hold."""

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kit.model import Row, by_content, scanned
from kit.partitions import check, put, row, sales
from kit.store import DATABASE, Shop
from sluiceway.catalog import AddPartition, DropPartition
from sluiceway.warehouse.replica import Replica

days = st.integers(1, 5).map(lambda day: f"2024-01-0{day}")
sale = st.tuples(days, st.integers(0, 6), st.none() | st.integers(0, 99))
kinds = st.sampled_from(
    ["put", "put", "put", "delete", "overwrite", "add", "drop", "truncate", "again", "compact"]
)
step = st.tuples(kinds, days, st.lists(sale, min_size=1, max_size=12))


class Partitioned:
    """A warehouse with one partitioned table, and the rows that it should have."""

    def __init__(self, folder: Path) -> None:
        self.shop = Shop(folder, history_s=0, packed_shard_bytes=500)
        self.rows: dict[tuple[object, object], Row] = {}
        self.shop.create(sales())

    def take(self, kind: str, day: str, rows: list[Row]) -> None:
        """Do one thing to both."""
        warehouse = self.shop.warehouse
        if kind == "put":
            put(self.shop, *rows)
            self._insert(rows)
        elif kind == "delete":
            put(self.shop, *rows, op=3)
            for each in rows:
                self.rows.pop((each["day"], each["id"]), None)
        elif kind == "overwrite":
            self.shop.write([0] * len(rows), rows, "sales", overwrite=True)
            self._forget({each["day"] for each in rows})
            self._insert(rows)
        elif kind == "add":
            warehouse.ddl([AddPartition(DATABASE, "sales", {"day": day}, if_not_exists=True)])
        elif kind == "drop":
            warehouse.ddl([DropPartition(DATABASE, "sales", {"day": day}, if_exists=True)])
            self._forget({row(day, 0)["day"]})
        elif kind == "truncate":
            warehouse.ddl([AddPartition(DATABASE, "sales", {"day": day}, if_not_exists=True)])
            warehouse.truncate(DATABASE, "sales", partition={"day": day})
            self._forget({row(day, 0)["day"]})
        elif kind == "again":
            self.shop.again()
        else:
            warehouse.compact()

    def _insert(self, rows: list[Row]) -> None:
        self.rows |= {(each["day"], each["id"]): each for each in rows}

    def _forget(self, gone: set[object]) -> None:
        self.rows = {key: each for key, each in self.rows.items() if key[0] not in gone}


@settings(derandomize=True, database=None, max_examples=25)
@given(st.lists(step, min_size=1, max_size=10))
def test_partitions_hold_what_the_model_holds(steps: list[tuple[str, str, list[Any]]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        table = Partitioned(Path(folder) / "data")
        replica = Replica.open(table.shop.folder, clock=table.shop.clock)
        try:
            for kind, day, sales_of_step in steps:
                before = table.shop.warehouse.snapshot()
                known = sorted(table.rows.values(), key=by_content)
                table.take(kind, day, [row(*each) for each in sales_of_step])
                wanted = sorted(table.rows.values(), key=by_content)
                shown = table.shop.table("sales")
                assert scanned(before, shown) == known
                assert scanned(table.shop.warehouse.snapshot(), shown) == wanted
                assert scanned(replica.snapshot(), shown) == wanted
            check(table.shop, list(table.rows.values()))
        finally:
            replica.close()
            table.shop.warehouse.close()
