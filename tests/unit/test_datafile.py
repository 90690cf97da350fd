"""Data and marks files: round trip, alignment, damage."""

import uuid

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.workload import tables
from sluiceway.catalog import CorruptionError
from sluiceway.warehouse.checkpoint import (
    Buffer,
    Marks,
    decode_marks,
    decode_segment,
    encode_marks,
    encode_segment,
)
from sluiceway.warehouse.header import HEADER_BYTES, Identity

ME = Identity(uuid.UUID(int=7), 1, 1)
TABLE = tables()[0]


def segment() -> tuple[list[Buffer], bytes]:
    buffers = [
        Buffer(0, "values", memoryview(b"hidden row ids")),
        Buffer(1, "validity", memoryview(b"\xff")),
        Buffer(1, "values", np.arange(5).data),
        Buffer(2, "bytes", memoryview(b"")),
    ]
    return buffers, b"".join(bytes(p) for p in encode_segment(ME, 4, TABLE, buffers))


def marks() -> tuple[list[Marks], bytes]:
    found = [
        Marks(0, np.array([0, 9, 0]), np.array([[3, 70, 2], [5, 71, 3]])),
        Marks(1, np.zeros(0, np.int64), np.zeros((0, 3), np.int64)),
    ]
    return found, b"".join(bytes(p) for p in encode_marks(ME, 4, 8, found))


def test_a_data_file_round_trips_with_its_buffers_at_pages() -> None:
    buffers, data = segment()
    found = decode_segment(memoryview(data), ME, "f")
    assert [(b.column, b.role, bytes(b.data)) for b in found] == [
        (b.column, b.role, bytes(b.data.cast("B"))) for b in buffers
    ]
    assert len(data) % 4_096 == 0 and data.index(b"hidden row ids") % 4_096 == 0


def test_a_marks_file_round_trips() -> None:
    expected, data = marks()
    found = decode_marks(memoryview(data), ME, "f")
    assert sorted(found) == [0, 1]
    for one in expected:
        assert found[one.ordinal].marks.tolist() == one.marks.tolist()
        assert found[one.ordinal].runs.tolist() == one.runs.tolist()
        assert found[one.ordinal].runs.shape[1] == 3


def test_damage_is_found_wherever_something_lies() -> None:
    buffers, data = segment()
    expected = [bytes(b.data.cast("B")) for b in buffers]
    for at in [*range(0, 900), *range(4_096, 4_110), 8_192, 12_288, 12_300]:
        bad = bytearray(data)
        bad[at] ^= 4
        try:
            found = decode_segment(memoryview(bad), ME, "f")
            assert [bytes(b.data) for b in found] == expected  # padding
        except CorruptionError:
            pass


def test_every_flipped_byte_of_a_marks_file_is_found_or_harmless() -> None:
    expected, data = marks()
    for at in range(len(data)):
        bad = bytearray(data)
        bad[at] ^= 4
        try:
            found = decode_marks(memoryview(bad), ME, "f")
            assert found[0].marks.tolist() == expected[0].marks.tolist()
        except CorruptionError:
            pass


@given(st.binary(max_size=300))
def test_random_bytes_are_corruption(data: bytes) -> None:
    for header in (b"", segment()[1][:HEADER_BYTES]):
        with pytest.raises(CorruptionError):
            decode_segment(memoryview(header + data), ME, "f")
    for header in (b"", marks()[1][:HEADER_BYTES]):
        with pytest.raises(CorruptionError):
            decode_marks(memoryview(header + data), ME, "f")
