"""A user's column may have any name: every way in and out, under the names of the wire's own.

The types are those of the wire's columns, so that nothing but their place tells them apart.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import pyarrow as pa
import pytest

from kit.server import Served
from kit.tables import make
from sluiceway.catalog import SluicewayError, Table
from sluiceway.warehouse.client import Client
from sluiceway.warehouse.replica import Replica
from sluiceway.warehouse.server import FlightServer

NAMES = {
    "_op": "TINYINT",
    "_event": "TINYINT",
    "_lsn": "BIGINT",
    "_time": "BIGINT",
    "_pos": "INT",
    "_table": "INT",
    "_rows": "BYTES",
    "_mark": "BIGINT",
    "_rid": "BIGINT",
    "_row": "BYTES",
    "rowid": "BIGINT",
    "select": "INT",
}
OPTIONS = {"table_property.orientation": "row,column"}  # for the hidden row-major copy
Rows = list[tuple[object, object]]


@dataclass(frozen=True)
class Readers:
    """A store with a reading process, each with a server."""

    served: Served
    replica: Replica
    reading: Client


@pytest.fixture
def readers(served: Served, tmp_path: Path) -> Iterator[Readers]:
    """A store and a replica of it in this process."""
    served.warehouse.announce(served.server.endpoint)
    replica = Replica.open(tmp_path / "data")
    server = FlightServer(replica)
    with Client(server.endpoint) as client:
        yield Readers(served, replica, client)
    server.close()
    replica.close()


def value(kind: str, number: int) -> object:
    return b"%d" % number if kind == "BYTES" else number


def batch(name: str, rows: Rows, schema: pa.Schema, ops: Sequence[int] = ()) -> pa.RecordBatch:
    """Rows of (id, named), with kinds in front if there are any."""
    columns = {"id": [row[0] for row in rows], name: [row[1] for row in rows]}
    arrays = [pa.array(columns[field.name], field.type) for field in schema]
    fields = list(schema)
    if ops:
        arrays.insert(0, pa.array(ops, pa.int8()))
        fields.insert(0, pa.field("_op", pa.int8()))
    return pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields))


def fill(client: Client, table: str, name: str, kind: str, schema: pa.Schema) -> Rows:
    """Write rows in each way; return those that the table has then."""
    rows: Rows = [(number, value(kind, number % 100)) for number in range(8)]
    client.write("dw", table, batch(name, rows[0:2], schema))
    with client.stage("dw", table) as stage:
        stage.write(batch(name, rows[2:4], schema))
        stage.commit()
    with client.transaction() as together:
        together.write("dw", table, batch(name, rows[4:6], schema))
    first = batch(name, rows[6:8], schema, [0, 0])
    with client.writer("dw", table, first.schema) as writer:
        writer.write(first)
    return rows


def pairs(found: pa.Table | pa.RecordBatch, name: str, own: int = 0) -> Rows:
    """The rows of an answer as (id, named), by the names behind the wire's own columns."""
    names = found.schema.names[own:]
    assert sorted(names) == sorted(["id", name]), names
    columns = [found.column(own + names.index(each)).to_pylist() for each in ("id", name)]
    return sorted(zip(*columns, strict=True))  # type: ignore[arg-type]


def changes(
    client: Client, table: str, name: str, until: int, columns: list[str] | None = None
) -> Rows:
    with client.changelog("dw", table, until=until, columns=columns) as stream:
        found = stream.to_reader().read_all()
    assert found.schema.names[:3] == ["_event", "_lsn", "_time"]
    assert set(found.column(0).to_pylist()) == {5}
    assert found.column(1).to_pylist() == sorted(found.column(1).to_pylist())
    return pairs(found, name, 3)


def check_reads(client: Client, table: str, name: str, rows: Rows) -> None:
    assert pairs(client.read("dw", table), name) == rows
    assert pairs(client.read("dw", table, [name, "id"]), name) == rows
    assert pairs(client.sql(f"SELECT * FROM dw.{table}"), name) == rows
    assert pairs(client.sql(f'SELECT "{name}", id FROM dw.{table} WHERE id >= 0'), name) == rows
    shown = client.sql(f'SELECT "{name}" AS shown FROM dw.{table} x WHERE x."{name}" = x."{name}"')
    assert len(shown) == len(rows)
    published = int(client.hello()["published"])
    assert changes(client, table, name, published) == rows
    assert changes(client, table, name, published, [name, "id"]) == rows


def check_keyed(readers: Readers, table: Table, name: str, rows: Rows, sent: pa.Schema) -> None:
    """By key: look-ups, `get`, SQL that the index answers, and deletes."""
    keys, client = list(table.primary_key), readers.served.client
    asked = batch(name, rows, sent).select(keys)
    for each in (client, readers.reading):
        for columns in (None, ["id", name], [name, "id"]):
            found = each.lookup("dw", table.name, asked, columns)
            assert found.schema.names[0] == "_pos"
            assert found.column(0).to_pylist() == list(range(len(rows)))
            assert pairs(found, name, 1) == rows
    for warehouse in (readers.served.warehouse, readers.replica):
        for row in rows:
            wanted = dict(zip(("id", name), row, strict=True))
            found = warehouse.snapshot().get(table, [wanted[each] for each in keys])
            assert dict(zip(table.column_names, found or (), strict=True)) == wanted
    if not isinstance(rows[0][1], bytes):
        pinned = " AND ".join(f'"{each}" = 3' for each in keys)
        for where, wanted_rows in ((pinned, rows[3:4]), (f'"{name}" IN (3, 4)', rows[3:5])):
            found = client.sql(f"SELECT * FROM dw.{table.name} WHERE {where}")
            assert pairs(found, name) == wanted_rows, where
    client.write("dw", table.name, batch(name, rows[:4], sent, [3] * 4))
    for each in (client, readers.reading):
        assert pairs(each.read("dw", table.name), name) == rows[4:]
        assert pairs(each.sql(f"SELECT * FROM dw.{table.name}"), name) == rows[4:]


@pytest.mark.parametrize("name", NAMES)
def test_a_column_of_any_name(readers: Readers, name: str) -> None:
    kind, client = NAMES[name], readers.served.client
    orders = [{"id": "BIGINT", name: kind}, {name: kind, "id": "BIGINT"}]
    keyed: list[list[str]] = [[], ["id"], [name], ["id", name]]
    for number, (order, keys) in enumerate(product(orders, keyed)):
        called = f"t{number}"
        table = make(client, called, order, keys, options=OPTIONS if keys else {})
        sent = pa.schema(sorted(table.arrow_schema(), key=lambda field: field.name != "id"))
        rows = fill(client, called, name, kind, sent)
        for each in (client, readers.reading):
            check_reads(each, called, name, rows)
        if keys:
            check_keyed(readers, table, name, rows, sent)


def test_a_column_op_that_might_be_the_kinds_is_refused_with_the_cure(served: Served) -> None:
    make(served.client, "t", {"_op": "TINYINT", "id": "BIGINT"}, ["id"])
    one = pa.record_batch({"_op": pa.array([3], pa.int8()), "id": pa.array([1])})
    with pytest.raises(SluicewayError, match="'_op', the kinds of rows or the table's") as raised:
        served.client.write("dw", "t", one)
    assert raised.value.sqlstate == "42702"
    served.client.write("dw", "t", one.select(["id", "_op"]))
    unnamed = pa.RecordBatch.from_arrays(
        [pa.array([0], pa.int8()), *one.columns], ["", "_op", "id"]
    )
    served.client.write("dw", "t", unnamed)
    served.client.write("dw", "t", pa.record_batch({"id": pa.array([2])}), partial=True)
    assert served.client.read("dw", "t").sort_by("id").to_pylist() == [
        {"_op": 3, "id": 1},
        {"_op": None, "id": 2},
    ]
