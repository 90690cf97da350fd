"""Small warehouses for tests: one database, one table, a clock that is moved by hand."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kit.disk import HandClock
from kit.model import Row, batch_of
from kit.workload import column
from sluiceway.catalog import Change, CreateDatabase, CreateTable, Table
from sluiceway.warehouse import Ack, ServerOptions, Warehouse, WriteRequest

DATABASE = "shop"


def orders(
    shards: int = 1, ttl_s: int | None = None, live_s: int | None = None, **more: Any
) -> Table:
    """A table with a key; changes may be forgotten after `ttl_s`, rows after `live_s`."""
    columns = (
        column("id", "BIGINT", nullable=False),
        column("name", "STRING"),
        column("qty", "INT"),
    )
    options = {"table_property.shard_count": str(shards)}
    if ttl_s is not None:
        options["table_property.binlog.ttl"] = str(ttl_s)
    if live_s is not None:
        options["table_property.time_to_live_in_seconds"] = str(live_s)
    return Table(DATABASE, "orders", columns, primary_key=("id",), options=options, **more)


def strict() -> Table:
    """A table with a key and a column that may not be NULL and has no default."""
    columns = (column("id", "BIGINT", nullable=False), column("v", "INT", nullable=False))
    return Table(DATABASE, "strict", columns, primary_key=("id",))


class Shop:
    """An open warehouse and short ways to use it."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.folder = folder
        self.run_dir = options.setdefault("run_dir", folder.with_suffix(".run"))
        self.options = ServerOptions(data=folder, **options)
        self.clock = HandClock()
        self.warehouse = self.opened()

    def opened(self) -> Warehouse:
        """Open the folder."""
        return Warehouse.open(self.folder, options=self.options, clock=self.clock)

    def again(self) -> Warehouse:
        """Close and open."""
        self.warehouse.close()
        self.warehouse = self.opened()
        return self.warehouse

    def create(self, *tables: Table) -> Table:
        """Create the database and tables; returns the first as the catalog has it."""
        changes: list[Change] = [CreateDatabase(DATABASE), *map(CreateTable, tables)]
        self.warehouse.ddl(changes)
        return self.table(tables[0].name)

    def table(self, name: str = "orders") -> Table:
        """The table as it is now."""
        return self.warehouse.catalog.table(DATABASE, name)

    def write(
        self, ops: Sequence[int], rows: Sequence[Row], table: str = "orders", **request: Any
    ) -> Ack:
        """Commit one batch."""
        batch = batch_of(self.table(table), ops, rows)
        return self.warehouse.write(WriteRequest(DATABASE, table, **request), batch)

    def put(self, *rows: tuple[int, str | None, int | None]) -> Ack:
        """Upsert orders."""
        named = [{"id": i, "name": n, "qty": q} for i, n, q in rows]
        return self.write([0] * len(rows), named)
