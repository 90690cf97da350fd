"""Leases on snapshots: taken, renewed, expired, released, kept over restarts."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kit.model import scanned
from kit.store import Shop, orders
from sluiceway.catalog import GoneError, UserError


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(tmp_path / "data")
    shop.create(orders())
    shop.put((1, "a", 1))
    yield shop
    shop.warehouse.close()


def test_a_hold_names_a_snapshot_also_after_a_restart(shop: Shop) -> None:
    lsn = shop.warehouse.published
    assert shop.warehouse.hold("h", None, 60_000) == lsn
    shop.put((1, "b", 2))
    for _ in range(3):
        snapshot = shop.warehouse.snapshot(hold="h")
        assert snapshot.lsn == lsn
        assert scanned(snapshot, shop.table()) == [{"id": 1, "name": "a", "qty": 1}]
        shop.again()
    assert shop.warehouse.snapshot(lsn, "h").lsn == lsn
    with pytest.raises(UserError, match="is at LSN"):
        shop.warehouse.snapshot(lsn - 1, "h")


def test_renewing_keeps_a_hold_and_time_ends_it(shop: Shop) -> None:
    lsn = shop.warehouse.hold("h", None, 1_000)
    shop.clock.us += 900_000
    assert shop.warehouse.hold("h", lsn, 1_000) == lsn
    shop.clock.us += 900_000
    assert shop.warehouse.snapshot(hold="h").lsn == lsn
    shop.clock.us += 200_000
    with pytest.raises(GoneError, match="expired"):
        shop.warehouse.snapshot(hold="h")
    with pytest.raises(GoneError, match="expired"):
        shop.warehouse.hold("h", lsn, 1_000)
    published = shop.warehouse.published
    assert shop.warehouse.hold("h", None, 1_000) == published > lsn


def test_a_released_hold_is_gone(shop: Shop) -> None:
    shop.warehouse.hold("h", None, 60_000)
    shop.warehouse.release("h")
    shop.warehouse.release("never there")
    with pytest.raises(GoneError, match="no hold 'h'"):
        shop.warehouse.snapshot(hold="h")
    shop.again()
    with pytest.raises(GoneError):
        shop.warehouse.snapshot(hold="h")


def test_bad_holds_are_refused(shop: Shop) -> None:
    published = shop.warehouse.published
    for name, lsn, ttl_ms in [("", None, 1), ("h", published + 1, 1), ("h", None, 0)]:
        with pytest.raises(UserError):
            shop.warehouse.hold(name, lsn, ttl_ms)
    with pytest.raises(GoneError):
        shop.warehouse.hold("h", 0, 1)
    assert shop.warehouse.published == published


def test_long_expired_holds_leave_with_a_checkpoint(shop: Shop) -> None:
    shop.warehouse.hold("h", None, 1_000)
    shop.again()
    assert [hold.name for hold in shop.warehouse.stats().holds] == ["h"]
    shop.clock.us += 2 * 86_400_000_000
    shop.put((2, "b", 2))
    shop.again()
    assert shop.warehouse.stats().holds == []
