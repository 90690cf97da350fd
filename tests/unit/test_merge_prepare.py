"""What a writer may send: every refusal names the value and the cure, with its SQLSTATE."""

from typing import Any

import pyarrow as pa
import pytest

from sluiceway.catalog import Column, SluicewayError, Table, parse_type
from sluiceway.warehouse.table import prepare

COLUMNS = (
    Column(1, "k", parse_type("BIGINT"), False),
    Column(2, "code", parse_type("VARCHAR(3)")),
    Column(3, "n", parse_type("SMALLINT"), False, default="1"),
    Column(4, "must", parse_type("DECIMAL(10, 2)"), False),
    Column(5, "at", parse_type("TIMESTAMP(3)")),
)
TABLE = Table("db", "t", COLUMNS, ("k",), id=1, schema_version=1, shards=1)
KEYLESS = Table("db", "t", COLUMNS[1:2], (), id=2, schema_version=1, shards=1)


def _batch(ops: list[int | None], **columns: Any) -> pa.RecordBatch:
    return pa.record_batch({"_op": pa.array(ops, pa.int8()), **columns})


def _decimal(*values: str | None) -> pa.Array:
    return pa.array(values).cast(pa.decimal128(10, 2))


REFUSED = {
    "no _op": (pa.record_batch({"k": [1]}), "42703", "_op"),
    "_op is not first": (_batch([0], k=[1]).select(["k", "_op"]), "42703", "first column '_op'"),
    "bad _op": (_batch([4], k=[1]), "22023", "row 0"),
    "NULL _op": (_batch([None], k=[1]), "22023", "None"),
    "unknown column": (_batch([0], k=[1], cod=["a"]), "42703", "cod"),
    "no key": (_batch([3], code=["a"]), "23502", "'k'"),
    "NULL key": (_batch([0], k=pa.array([None], pa.int64())), "23502", "row 0"),
    "NULL key of a delete": (_batch([3], k=pa.array([None], pa.int64())), "23502", "row 0"),
    "missing NOT NULL": (_batch([0], k=[1]), "23502", "'must'"),
    "NULL in NOT NULL": (_batch([0], k=[1], must=_decimal(None)), "23502", "'must'"),
    "too long": (_batch([0], k=[1], must=_decimal("1"), code=["abcd"]), "22001", "4 characters"),
    "other type": (_batch([0], k=["1"]), "42804", "BIGINT"),
    "does not fit": (_batch([0], k=[1], must=_decimal("1"), n=[70000]), "22003", "'n'"),
    "zone": (
        _batch([0], k=[1], must=_decimal("1"), at=pa.array([0], pa.timestamp("us", "UTC"))),
        "42804",
        "'at'",
    ),
    "column twice": (
        pa.RecordBatch.from_arrays(
            [pa.array([3], pa.int8()), pa.array([1]), pa.array([1])], ["_op", "k", "k"]
        ),
        "42701",
        "'k' twice",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    batch, sqlstate, text = REFUSED[name]
    with pytest.raises(SluicewayError, match=text) as raised:
        prepare(TABLE, batch, partial=False)
    assert raised.value.sqlstate == sqlstate


@pytest.mark.parametrize("op", [1, 3])
def test_table_without_key_takes_inserts_only(op: int) -> None:
    with pytest.raises(SluicewayError, match="no primary key"):
        prepare(KEYLESS, _batch([0, op], code=["a", "b"]), partial=False)


def test_malformed_data_is_refused_before_any_kernel_sees_it() -> None:
    offsets = pa.py_buffer(pa.array([0, 3], pa.int32()).buffers()[1])
    text = pa.Array.from_buffers(pa.utf8(), 1, [None, offsets, pa.py_buffer(b"a\xff\xfe")])
    bad = pa.RecordBatch.from_arrays([pa.array([0], pa.int8()), text], ["_op", "code"])
    with pytest.raises(SluicewayError, match="not valid Arrow data"):
        prepare(KEYLESS, bad, partial=False)


def test_casts_within_a_family_and_other_columns_of_deletes() -> None:
    batch = _batch(
        [3, 1, 0],
        k=pa.array([1, None, 3], pa.int32()),
        must=pa.array([None, None, "2.50"]).cast(pa.decimal128(5, 2)),
        code=pa.array([None, None, "abc"], pa.large_utf8()),
    )
    ops, rows = prepare(TABLE, batch, partial=False)
    assert ops.tolist() == [3, 1, 0]
    assert rows.schema.names == ["k", "code", "must"]
    for name in rows.schema.names:
        assert rows.column(name).type == TABLE.column(name).type.arrow()
    assert rows.column("k").to_pylist() == [1, 0, 3]


def test_partial_write_may_leave_out_everything_but_the_key() -> None:
    _, rows = prepare(TABLE, _batch([0], k=[1]), partial=True)
    assert rows.schema.names == ["k"]


def test_batches_of_changing_schemas_are_each_taken_as_they_are() -> None:
    key, must = pa.array([7]), _decimal("1")
    narrow = pa.array([7], pa.int16())
    required = pa.schema(
        [pa.field("_op", pa.int8(), False), pa.field("k", pa.int64(), False), ("must", must.type)]
    )
    same = _batch([0], k=key, must=must)
    for batch in [
        same,
        _batch([0], must=must, k=narrow),
        same,
        same.cast(required),
        pa.RecordBatch.from_arrays([pa.array([2], pa.int8()), must, key], ["", "must", "k"]),
    ]:
        ops, rows = prepare(TABLE, batch, partial=False)
        assert ops.tolist() == batch.column(0).to_pylist()
        assert rows.to_pydict() == {"k": [7], "must": must.to_pylist()}
        assert rows.column("k").type == pa.int64()
    with pytest.raises(SluicewayError, match="'must'"):
        prepare(TABLE, _batch([0], k=key), partial=False)
    prepare(TABLE, _batch([0], k=key), partial=True)
    prepare(TABLE, _batch([3], k=key), partial=False)
