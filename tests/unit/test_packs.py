"""Packs: units round trip, damage is found, garbage goes, shards move in and out."""

import uuid
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.disk import LyingDisk
from kit.model import UPDATE_AFTER, all_rows
from kit.store import DATABASE, Shop, orders
from sluiceway.catalog import CorruptionError
from sluiceway.warehouse.checkpoint import PackWriter, Unit
from sluiceway.warehouse.checkpoint.packs import (
    PACKS,
    PACKS_MAX,
    decode_unit,
    encode_unit,
    worn,
)
from sluiceway.warehouse.header import HEADER_BYTES, Identity
from sluiceway.warehouse.table import SegmentImage

ME = Identity(uuid.UUID(int=7), 1, 1)
ROWS = {0: 3, 1: 1}


def images() -> list[SegmentImage]:
    """A segment with a dead row and an open one without."""
    runs = np.array([[3, 70, 2], [5, 71, 3]])
    first = [(1, "validity", memoryview(b"\xff")), (1, "values", np.arange(3).data)]
    second = [(1, "offsets", np.arange(2).data), (1, "bytes", memoryview(b""))]
    return [
        SegmentImage(0, 3, 0, 3, 1, True, first, np.array([0, 9, 0]), runs, None),
        SegmentImage(1, 1, 3, 4_096, 1, False, second, np.zeros(1, np.int64), runs[:1], None),
    ]


def check(unit: bytes) -> None:
    found = decode_unit(memoryview(unit), ROWS.__getitem__, "f")
    assert list(found) == [0, 1]
    for image in images():
        stored = found[image.ordinal]
        assert [(b.column, b.role, bytes(b.data)) for b in stored.buffers] == [
            (column, role, bytes(data.cast("B"))) for column, role, data in image.buffers
        ]
        assert stored.marks.marks.tolist() == image.marks.tolist()
        assert stored.marks.runs.tolist() == image.runs.tolist()


def test_a_unit_round_trips_with_its_buffers_at_cache_lines() -> None:
    unit = encode_unit(images())
    check(unit)
    assert len(unit) % 64 == 0 and unit.index(np.arange(3).tobytes()) % 64 == 0


def test_every_flipped_byte_of_a_unit_is_found() -> None:
    unit = encode_unit(images())
    for at in range(len(unit)):
        bad = bytearray(unit)
        bad[at] ^= 4
        with pytest.raises(CorruptionError):
            decode_unit(memoryview(bad), ROWS.__getitem__, "f")


@given(st.binary(max_size=300))
def test_random_bytes_are_corruption(data: bytes) -> None:
    with pytest.raises(CorruptionError):
        decode_unit(memoryview(data), ROWS.__getitem__, "f")


def test_a_writer_begins_above_what_is_there_and_goes_on_in_another_file() -> None:
    disk, folder = LyingDisk(1), Path("/data")
    first = PackWriter(disk, folder, ME, 1)
    place = first.add(b"u" * 64)
    assert not disk.files()
    first.finish()
    second = PackWriter(disk, folder, ME, 1)
    big = bytes(20 << 20)
    places = [second.add(big), second.add(big)]
    second.finish()
    assert [p.file for p in (place, *places)] == [f"{PACKS}/{n:010d}.pack" for n in (1, 2, 3)]
    assert [p.offset for p in places] == [HEADER_BYTES, HEADER_BYTES]
    assert disk.read(folder / place.file)[place.offset :][: place.length] == b"u" * 64
    second.finish()
    assert len(disk.files()) == 3


def test_half_empty_packs_and_the_smallest_of_many_are_worn() -> None:
    units = [Unit("half", 64, 500), Unit("half", 564, 500), Unit("empty", 64, 499)]
    assert worn(units, lambda name: 1_000 if name == "empty" else 2_000) == {"empty"}
    many = [Unit(f"p{n:02}", 64, 10 + n) for n in range(PACKS_MAX + 2)]
    assert worn(many, lambda name: 10) == {"p00", "p01"}


def stored(shop: Shop) -> list[str]:
    """The data files, without their folder."""
    data = shop.folder / "data"
    return sorted(str(path.relative_to(data)) for path in data.rglob("*") if path.is_file())


def grow(shop: Shop, rows: int, table: str = "orders") -> None:
    shop.write(
        [UPDATE_AFTER] * rows,
        [{"id": n, "name": f"name {n}", "qty": n} for n in range(rows)],
        table,
    )


def test_shards_move_out_of_packs_as_they_grow(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "data", packed_shard_bytes=20_000)
    try:
        shop.create(orders(shards=4))
        shop.again()
        assert stored(shop) == []
        for rows in (10, 200, 3_000):
            grow(shop, rows)
            expected = all_rows(shop.warehouse, DATABASE)
            shop.warehouse.checkpoint()
            shop.again()
            assert all_rows(shop.warehouse, DATABASE) == expected
            packed = [name for name in stored(shop) if name.startswith(PACKS)]
            assert len(packed) == (2 if rows == 200 else 1)
        shop.write([UPDATE_AFTER], [{"id": 1, "name": "one", "qty": 1}])
        shop.again()
        assert not [name for name in stored(shop) if name.startswith(PACKS)]
    finally:
        shop.warehouse.close()


def test_packs_stay_few_when_every_checkpoint_writes_another_shard(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "data")
    try:
        names = [f"t{number}" for number in range(PACKS_MAX + 4)]
        shop.create(*(replace(orders(), name=name) for name in names))
        for name in names:
            grow(shop, 5, name)
            shop.warehouse.checkpoint()
            assert len(stored(shop)) <= PACKS_MAX + 2  # one new, one of the manifest before
        expected = all_rows(shop.warehouse, DATABASE)
        shop.again()
        assert all_rows(shop.warehouse, DATABASE) == expected
    finally:
        shop.warehouse.close()


def test_a_damaged_unit_is_named(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "data")
    shop.create(orders())
    grow(shop, 100)
    shop.warehouse.close()
    (name,) = stored(shop)
    path = shop.folder / "data" / name
    data = bytearray(path.read_bytes())
    data[HEADER_BYTES + 200] ^= 1
    path.write_bytes(data)
    shop.warehouse = shop.opened()
    with pytest.raises(CorruptionError, match=f"{name} offset 64"):
        all_rows(shop.warehouse, DATABASE)
    shop.warehouse.close()
    data[HEADER_BYTES + 200] ^= 1
    path.write_bytes(data)
    shop.opened().close()
