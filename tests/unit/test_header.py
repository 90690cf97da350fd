"""The 64 bytes at the start of every file."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluiceway.catalog import CorruptionError
from sluiceway.warehouse.header import (
    HEADER_BYTES,
    LOG,
    MANIFEST,
    FileHeader,
    Identity,
    check_identity,
    decode_header,
)

ME = Identity(uuid.UUID(int=7), 1, 1)


def test_a_header_round_trips() -> None:
    header = FileHeader(LOG, ME, 42)
    data = header.encode()
    assert len(data) == HEADER_BYTES
    assert decode_header(data + b"more", LOG, "f") == header


def test_every_flipped_bit_is_found() -> None:
    data = FileHeader(LOG, ME, 42).encode()
    for bit in range(8 * HEADER_BYTES):
        bad = bytearray(data)
        bad[bit // 8] ^= 1 << bit % 8
        with pytest.raises(CorruptionError):
            decode_header(bytes(bad), LOG, "f")


def test_another_kind_or_warehouse_is_refused_by_name() -> None:
    data = FileHeader(LOG, ME, 42).encode()
    with pytest.raises(CorruptionError, match="MAN1"):
        decode_header(data, MANIFEST, "f")
    other = Identity(uuid.UUID(int=8), 1, 1)
    with pytest.raises(CorruptionError, match="name.log: belongs to"):
        check_identity(decode_header(data, LOG, "f"), other, "name.log")


@given(st.binary(max_size=2 * HEADER_BYTES))
def test_random_bytes_are_never_a_header(data: bytes) -> None:
    with pytest.raises(CorruptionError):
        decode_header(data, LOG, "f")
