"""ARRAY values as packed bytes: the bytes of docs/format.md, and back."""

import decimal

import numpy as np
import pyarrow as pa
import pytest

from sluiceway.warehouse.table.arrays import pack, unpack


def test_bytes_of_fixed_elements() -> None:
    packed = pack(pa.array([[1, None, -2]], pa.list_(pa.int16())))
    assert packed.to_pylist() == [b"\x03\0\0\0" + b"\x05" + b"\x01\0" + b"\0\0" + b"\xfe\xff"]


def test_bytes_of_booleans_are_bits() -> None:
    packed = pack(pa.array([[True, None, False, True]], pa.list_(pa.bool_())))
    assert packed.to_pylist() == [b"\x04\0\0\0" + b"\x0d" + b"\x09"]


def test_bytes_of_variable_elements() -> None:
    packed = pack(pa.array([["ab", None, ""]], pa.list_(pa.utf8())))
    lengths = np.array([2, 0, 0], np.uint32).tobytes()
    assert packed.to_pylist() == [b"\x03\0\0\0" + b"\x05" + lengths + b"ab"]


LISTS = {
    "int": pa.array([[1, None], None, [], [None], list(range(100))], pa.list_(pa.int64())),
    "string": pa.array([["", "é" * 50, None], None, [], ["x"]], pa.list_(pa.utf8())),
    "binary": pa.array([[b"\0", None], [b"\xff" * 9]], pa.list_(pa.binary())),
    "boolean": pa.array([[True] * 9, None, [None, False]], pa.list_(pa.bool_())),
    "decimal": pa.array([[decimal.Decimal("1.50"), None]], pa.list_(pa.decimal128(20, 2))),
    "only NULL": pa.array([None, None], pa.list_(pa.int32())),
    "nothing": pa.array([], pa.list_(pa.utf8())),
}


@pytest.mark.parametrize("name", LISTS)
def test_round_trip(name: str) -> None:
    lists = LISTS[name]
    back = unpack(pack(lists), lists.type)
    back.validate(full=True)
    assert back.equals(lists)


@pytest.mark.parametrize("name", LISTS)
def test_round_trip_of_slices(name: str) -> None:
    lists = LISTS[name][1:]
    packed = pack(lists)
    assert unpack(packed, lists.type).equals(lists)
    assert unpack(packed[1:], lists.type).equals(lists[1:])


def test_bytes_beneath_a_null_list_do_not_show() -> None:
    offsets = pa.array([0, 2, 3], pa.int32())
    lists = pa.ListArray.from_arrays(offsets, pa.array([1, 2, 3]), mask=pa.array([True, False]))
    assert pack(lists).to_pylist()[0] is None
    assert unpack(pack(lists), lists.type).to_pylist() == [None, [3]]
