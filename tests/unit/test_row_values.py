"""The Python values of a row are pyarrow's, of every type to its limits, and no object is lost."""

import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from kit.store import DATABASE, Shop
from kit.workload import column
from sluiceway.catalog import Table
from sluiceway.warehouse import WriteRequest

_MOST = "9" * 38
_VALUES: dict[str, list[Any]] = {
    "BOOLEAN": [True, False],
    "TINYINT": [-128, 0, 127],
    "SMALLINT": [-(2**15), 2**15 - 1],
    "INT": [-(2**31), 2**31 - 1],
    "BIGINT": [-(2**63), -1, 2**63 - 1],
    "FLOAT": [1.5, -0.0, float("inf"), 1e-45],
    "DOUBLE": [0.1, -1e308, float("-inf"), 5e-324],
    "STRING": ["", "a", "é\0漢😀", "x" * 70_000],
    "BYTES": [b"", b"\0\xff", b"y" * 9_000],
    "DECIMAL(38, 0)": [
        Decimal(_MOST),
        Decimal(f"-{_MOST}"),
        Decimal(0),
        Decimal(2**64),
        Decimal(-(2**64)),
        Decimal(7),
    ],
    "DECIMAL(38, 38)": [Decimal(f"0.{_MOST}"), Decimal(f"-0.{_MOST}"), Decimal("0E-38")],
    "DECIMAL(15, 2)": [Decimal("0.00"), Decimal("-0.01"), Decimal("1.20"), Decimal("-9999.99")],
    "DATE": [
        date(1, 1, 1),
        date(1600, 2, 29),
        date(1900, 2, 28),
        date(1969, 12, 31),
        date(2000, 2, 29),
        date(2023, 12, 31),
        date(9999, 12, 31),
    ],
    "TIME(3)": [time(0), time(23, 59, 59, 999_000)],
    "TIMESTAMP(6)": [
        datetime(1, 1, 1),
        datetime(1969, 12, 31, 23, 59, 59, 999_999),
        datetime(1970, 1, 1),
        datetime(2024, 2, 29, 12, 34, 56, 789_012),
        datetime(9999, 12, 31, 23, 59, 59, 999_999),
    ],
    "TIMESTAMP_LTZ(6)": [
        datetime(1950, 3, 1, 1, 2, 3, tzinfo=UTC),
        datetime(2024, 1, 1, tzinfo=UTC),
    ],
    "TIMESTAMP(9)": [datetime(2024, 1, 1)],
    "ARRAY<INT>": [[], [1, None, 3]],
}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(tmp_path / "data")
    yield shop
    shop.warehouse.close()


def _written(shop: Shop, kind: str, values: list[Any] | pa.Array) -> Table:
    columns = (column("id", "BIGINT", nullable=False), column("v", kind))
    table = shop.create(Table(DATABASE, "kinds", columns, primary_key=("id",)))
    arrow = table.column("v").type.arrow()
    batch = pa.record_batch(
        {
            "_op": pa.array([0] * len(values), pa.int8()),
            "id": range(len(values)),
            "v": pa.array(values, arrow) if isinstance(values, list) else values,
        }
    )
    shop.warehouse.write(WriteRequest(DATABASE, "kinds"), batch)
    return table


@pytest.mark.parametrize("kind", _VALUES)
def test_values_of_a_type_to_its_limits(shop: Shop, kind: str) -> None:
    values = [*_VALUES[kind], None]
    table = _written(shop, kind, values)
    wanted = pa.array(values, table.column("v").type.arrow()).to_pylist()
    snapshot = shop.warehouse.snapshot()
    for at, value in enumerate(wanted):
        row = snapshot.get(table, (at,))
        assert row == (at, value)
        assert [type(v) for v in row] == [int, type(value)]
        assert repr(row[1]) == repr(value)


def test_a_value_that_python_does_not_have_is_an_error(shop: Shop) -> None:
    table = _written(shop, "DATE", pa.array([0, 2**31 - 1], pa.int32()).view(pa.date32()))
    snapshot = shop.warehouse.snapshot()
    for _ in range(100):
        with pytest.raises(ValueError, match="out of range"):
            snapshot.get(table, (1,))
    assert snapshot.get(table, (0,)) == (0, date(1970, 1, 1))


def test_no_object_is_kept_or_lost(shop: Shop) -> None:
    table = _written(shop, "TIMESTAMP_LTZ(6)", [datetime(2024, 1, 1, tzinfo=UTC), None])
    snapshot = shop.warehouse.snapshot()
    seen = [None, UTC, datetime, *(snapshot.get(table, (key,)) for key in (0, 1))]
    before = [sys.getrefcount(thing) for thing in seen]
    for _ in range(1_000):
        for key in (0, 1, 2):
            snapshot.get(table, (key,))
    after = [sys.getrefcount(thing) for thing in seen]
    assert max(abs(a - b) for a, b in zip(after, before, strict=True)) < 100
