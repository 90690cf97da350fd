"""Files of every format version that was ever written are opened, and read the same."""

import shutil
from pathlib import Path

import pytest

from kit.model import all_rows, by_content, looked_up, replayed
from kit.old_format import DATABASE, rows
from kit.store import Shop

FIXTURES = Path(__file__).parents[1] / "fixtures"
VERSIONS = sorted(path.name for path in FIXTURES.glob("warehouse-v*"))


@pytest.mark.parametrize("version", VERSIONS)
def test_an_old_warehouse_is_read(version: str, tmp_path: Path) -> None:
    shutil.copytree(FIXTURES / version, tmp_path / "data")
    expected = {name: sorted(table, key=by_content) for name, table in rows().items()}
    shop = Shop(tmp_path / "data")
    try:
        for _ in range(2):
            assert all_rows(shop.warehouse, DATABASE) == expected
            for table in shop.warehouse.catalog.tables_of(DATABASE):
                assert replayed(shop.warehouse, table) == expected[table.name]
            keyed = shop.warehouse.catalog.table(DATABASE, "keyed")
            assert set(looked_up(shop.warehouse, keyed, [(0,), (3,), (6,)])) == {(0,), (6,)}
            assert shop.warehouse.snapshot(hold="reader").lsn < shop.warehouse.published
            shop.again()
    finally:
        shop.warehouse.close()


def test_there_are_files_of_the_present_version() -> None:
    assert "warehouse-v1" in VERSIONS
