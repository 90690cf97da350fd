"""A table of sales by day, and what every test of partitions asks of it."""

from datetime import date
from typing import Any

from kit.model import Row, by_content, check_changelog, looked_up, scanned
from kit.store import DATABASE, Shop
from kit.workload import column
from sluiceway.catalog import DropPartition, Table

DAYS = ("2024-01-01", "2024-01-02", "2024-01-03")


def sales(**more: Any) -> Table:
    """Sales by day; two shards."""
    given = {
        "columns": (
            column("day", "DATE", nullable=False),
            column("id", "BIGINT", nullable=False),
            column("qty", "INT"),
        ),
        "primary_key": ("day", "id"),
        "partition_by": ("day",),
        "options": {"table_property.shard_count": "2"},
        **more,
    }
    return Table(DATABASE, "sales", **given)


def row(day: str, number: int, qty: int | None = 1) -> Row:
    """A sale."""
    return {"day": date.fromisoformat(day), "id": number, "qty": qty}


def put(shop: Shop, *rows: Row, op: int = 0) -> int:
    """Write sales; returns the LSN."""
    return shop.write([op] * len(rows), rows, "sales").lsn


def listed(shop: Shop) -> list[str]:
    """The days that have a partition, oldest partition first."""
    table = shop.table("sales")
    return [values[0] for values in shop.warehouse.catalog.partitions_of(table)]


def check(shop: Shop, rows: list[Row]) -> None:
    """Scans, look-ups and the changelog agree on the rows."""
    table, wanted = shop.table("sales"), sorted(rows, key=by_content)
    assert scanned(shop.warehouse.snapshot(), table) == wanted
    assert shop.warehouse.snapshot().count(table) == len(rows)
    check_changelog(shop.warehouse, table, wanted)
    keys = [(each["day"], each["id"]) for each in rows]
    assert looked_up(shop.warehouse, table, keys) == dict(zip(keys, rows, strict=True))


def drop(shop: Shop, day: str) -> int:
    """Drop a partition; returns the LSN."""
    return shop.warehouse.ddl([DropPartition(DATABASE, "sales", {"day": day})]).lsn


def units(shop: Shop) -> list[int]:
    """The numbers of all units that the table still has."""
    return list(shop.warehouse._opened.committer.state.shards_of(shop.table("sales")))
