"""Two thousand tables of four shards: what they cost in files, maps and descriptors.

After a start they cost none of these before somebody asks for them.
"""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from kit.model import INSERT, scanned
from kit.store import Shop, orders

pytestmark = pytest.mark.slow

TABLES, WRITTEN, SHARDS = 2_000, 200, 4
ROWS = [{"id": n, "name": f"name {n}", "qty": n} for n in range(40)]
# `ctl`, notices and the like of the process itself.
FIXED = 16


def mapped_files(shop: Shop) -> int:
    return len(list(shop.options.run_dir.rglob("*"))) if shop.options.run_dir else 0


def data_files(shop: Shop) -> list[Path]:
    return [path for path in (shop.folder / "data").rglob("*") if path.is_file()]


def open_files() -> int:
    """How many descriptors this process has."""
    return len(os.listdir("/proc/self/fd"))


def test_tables_cost_what_they_hold(tmp_path: Path) -> None:
    others = open_files()  # of the process that runs the tests
    shop = Shop(tmp_path / "data", checkpoint_log_bytes=0)
    try:
        names = [f"t{number}" for number in range(TABLES)]
        shop.create(*(replace(orders(shards=SHARDS), name=name) for name in names))
        assert mapped_files(shop) <= FIXED
        shop.again()
        assert (mapped_files(shop) <= FIXED, data_files(shop)) == (True, [])
        for name in names[:WRITTEN]:
            shop.write([INSERT] * len(ROWS), ROWS, name)
        # Columns, history and index of each shard that has rows.
        most = 3 * SHARDS * WRITTEN + FIXED
        assert mapped_files(shop) <= most
        before = shop.warehouse.stats().log["fsyncs"]
        shop.warehouse.checkpoint()
        assert shop.warehouse.stats().log["fsyncs"] == before
        assert len(data_files(shop)) == 1
        shop.again()
        assert mapped_files(shop) <= FIXED
        assert open_files() - others < 50
        for name in (names[0], names[WRITTEN - 1], names[-1]):
            found = scanned(shop.warehouse.snapshot(), shop.table(name))
            expected = ROWS if name in names[:WRITTEN] else []
            assert sorted(found, key=lambda row: row["id"]) == expected
        assert mapped_files(shop) <= 3 * SHARDS * 2 + FIXED
    finally:
        shop.warehouse.close()
