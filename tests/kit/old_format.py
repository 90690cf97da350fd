"""A small warehouse whose files are kept: `python -m kit.old_format DIR` writes it.

Every release must open the files of every format version. When the bytes change, the version rises
and a new folder is made beside the old ones, which stay.
"""

import sys
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from kit.disk import HandClock
from kit.model import batch_of
from kit.workload import column
from sluiceway.catalog import AddColumn, CreateDatabase, CreateTable, Table
from sluiceway.warehouse import ServerOptions, Warehouse, WriteRequest

DATABASE = "old"
TYPES = {
    "flag": "BOOLEAN",
    "small": "SMALLINT",
    "ratio": "DOUBLE",
    "amount": "DECIMAL(15, 2)",
    "name": "STRING",
    "raw": "BYTES",
    "day": "DATE",
    "at": "TIMESTAMP(3)",
    "when": "TIMESTAMP_LTZ(6)",
    "tags": "ARRAY<STRING>",
}


def keyed() -> Table:
    """A table of most types with a key, in two shards."""
    columns = (
        column("id", "BIGINT", nullable=False),
        *(column(name, kind) for name, kind in TYPES.items()),
    )
    options = {"table_property.shard_count": "2"}
    return Table(DATABASE, "keyed", columns, primary_key=("id",), options=options)


def appended() -> Table:
    """A table without a key."""
    return Table(DATABASE, "appended", (column("line", "STRING"),))


def row(number: int) -> dict[str, Any]:
    """A row that is different in every column for every number; 0 is all NULL."""
    if number == 0:
        return {"id": 0, **dict.fromkeys(TYPES)}
    return {
        "id": number,
        "flag": number % 2 == 0,
        "small": -number,
        "ratio": number / 8,
        "amount": Decimal(number) / 4,
        "name": f"name {number}",
        "raw": bytes([number, 0, 255]),
        "day": date(2026, 1, number),
        "at": datetime(2026, 1, number, 12, 30),
        "when": datetime(2026, 1, number, 6, tzinfo=UTC),
        "tags": ["a", None, f"tag {number}"],
    }


def rows() -> Mapping[str, list[dict[str, Any]]]:
    """What the warehouse holds at its end."""
    kept = [{**row(n), "later": 7 if n < 6 else n} for n in (0, 1, 2, 4, 5, 6)]
    kept[2]["name"] = "changed"
    return {"keyed": kept, "appended": [{"line": "one"}, {"line": "two"}]}


def write(folder: Path) -> None:
    """Make the warehouse: a checkpoint in the middle, and an end as a kill leaves it."""
    options = ServerOptions(checkpoint_log_bytes=0)
    warehouse = Warehouse.open(folder, options=options, clock=HandClock())
    warehouse.ddl([CreateDatabase(DATABASE), CreateTable(keyed()), CreateTable(appended())])
    _put(warehouse, "keyed", [0] * 6, [row(n) for n in range(6)])
    _put(warehouse, "appended", [0], [{"line": "one"}])
    warehouse.hold("reader", None, 60_000)
    warehouse.checkpoint()
    warehouse.ddl([AddColumn(DATABASE, "keyed", column("later", "INT", default="7"))], "change 1")
    _put(warehouse, "keyed", [2, 3], [{**row(2), "name": "changed", "later": 7},
                                      {**row(3), "later": 7}])  # fmt: skip
    _put(warehouse, "keyed", [0], [{**row(6), "later": 6}])
    _put(warehouse, "appended", [0], [{"line": "two"}])
    warehouse._opened.release()
    (folder / "LOCK").unlink()


def _put(warehouse: Warehouse, table: str, ops: list[int], rows: list[dict[str, Any]]) -> None:
    target = warehouse.catalog.table(DATABASE, table)
    warehouse.write(WriteRequest(DATABASE, table), batch_of(target, ops, rows))


if __name__ == "__main__":
    write(Path(sys.argv[1]))
