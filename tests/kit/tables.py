"""Tables and rows for tests of the wire: an `orders` of most types, made as a client does."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa

from sluiceway.catalog import Change, Table, change_from_json
from sluiceway.warehouse.client import Client

INSERT, UPDATE_BEFORE, UPDATE_AFTER, DELETE = 0, 1, 2, 3

ORDER_COLUMNS = {
    "order_id": "BIGINT",
    "user_name": "VARCHAR(64)",
    "amount": "DECIMAL(15, 2)",
    "paid": "BOOLEAN",
    "created_at": "TIMESTAMP(3)",
    "day": "DATE",
}


def create_database(name: str) -> Change:
    """The change that creates a database unless it is there."""
    document = {"kind": "create_database", "database": name, "comment": None}
    return change_from_json(document | {"if_not_exists": True})


def create_table(
    name: str,
    columns: Mapping[str, str],
    key: Sequence[str] = (),
    *,
    database: str = "dw",
    shards: int = 1,
    not_null: Sequence[str] = (),
    options: Mapping[str, str] | None = None,
) -> Change:
    """The change that creates a table with these column types."""
    required = {*key, *not_null}
    table: dict[str, Any] = {
        "database": database,
        "name": name,
        "comment": None,
        "columns": [
            {
                "name": column,
                "type": kind,
                "nullable": column not in required,
                "comment": None,
                "default": None,
            }
            for column, kind in columns.items()
        ],
        "primary_key": list(key),
        "distribution_key": list(key),
        "partition_by": [],
        "shards": shards,
        "options": dict(options or {}),
    }
    return change_from_json({"kind": "create_table", "table": table, "if_not_exists": False})


def make(
    client: Client, name: str, columns: Mapping[str, str], key: Sequence[str] = (), **more: Any
) -> Table:
    """Create database `dw` and a table in it."""
    _, table = client.ddl(create_database("dw"), create_table(name, columns, key, **more))
    assert table is not None
    return table


def make_orders(client: Client, **more: Any) -> Table:
    """Create `dw.orders`, keyed by `order_id`."""
    return make(client, "orders", ORDER_COLUMNS, ["order_id"], **more)


def orders(first: int, count: int, table: Table, *, tag: str = "u") -> pa.RecordBatch:
    """Return `count` orders with ids from `first` on, in the table's types."""
    ids = range(first, first + count)
    columns: dict[str, list[Any]] = {
        "order_id": list(ids),
        "user_name": [f"{tag}{i}" for i in ids],
        "amount": [Decimal(i).scaleb(-2) for i in ids],
        "paid": [i % 2 == 0 for i in ids],
        "created_at": [1_700_000_000_000_000 + i * 1000 for i in ids],
        "day": [19_000 + i % 365 for i in ids],
    }
    schema = table.arrow_schema()
    arrays = [_array(columns[f.name], f.type) for f in schema]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def with_ops(ops: Sequence[int], batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return the batch as a writer sends it, with `_op` first."""
    schema = pa.schema([pa.field("_op", pa.int8(), nullable=False), *batch.schema])
    return pa.RecordBatch.from_arrays([pa.array(ops, pa.int8()), *batch.columns], schema=schema)


def _array(values: list[Any], kind: pa.DataType) -> pa.Array:
    if pa.types.is_temporal(kind):
        return pa.array(values, pa.int32() if pa.types.is_date32(kind) else pa.int64()).cast(kind)
    return pa.array(values, kind)
