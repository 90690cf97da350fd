"""Manifests: round trip, damage, which one counts."""

import uuid
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.disk import Crash, Fault, LyingDisk
from kit.workload import DATABASE, tables
from sluiceway.catalog import Catalog, CorruptionError, CreateDatabase, CreateTable, apply_change
from sluiceway.warehouse.checkpoint import (
    Hold,
    Manifest,
    Manifests,
    SegmentEntry,
    ShardEntry,
    decode_manifest,
    encode_manifest,
)
from sluiceway.warehouse.header import HEADER_BYTES, Identity

ME = Identity(uuid.UUID(int=7), 1, 1)
FOLDER = Path("/checkpoint")


def manifest(lsn: int = 40) -> Manifest:
    catalog = Catalog.empty()
    for change in (CreateDatabase(DATABASE), CreateTable(tables()[0])):
        catalog, _ = apply_change(catalog, change, default_shards=1)
    segment = SegmentEntry(0, 5, 0, 4_096, "1/0/0.5.seg", 1, False)
    shards = {(1, 0): ShardEntry(lsn, 1, (segment,), f"1/0/{lsn}.marks"),
              (1, 1): ShardEntry(lsn, 1, (), None)}  # fmt: skip
    answers = {"id": {"lsn": 3, "tables": [None]}}
    return Manifest(lsn, 77, catalog, shards, (Hold("h", 12, 99),), answers)


def test_a_manifest_round_trips() -> None:
    data = b"".join(encode_manifest(manifest(), ME, 4))
    assert decode_manifest(data, ME, "f") == (manifest(), 4)
    assert manifest().files() == {"1/0/0.5.seg", "1/0/40.marks"}


def test_every_flipped_byte_is_found() -> None:
    data = b"".join(encode_manifest(manifest(), ME, 4))
    for at in range(len(data)):
        bad = bytearray(data)
        bad[at] ^= 0x10
        with pytest.raises(CorruptionError):
            decode_manifest(bytes(bad), ME, "f")


@given(st.binary(max_size=200))
def test_random_bytes_are_never_a_manifest(data: bytes) -> None:
    whole = b"".join(encode_manifest(manifest(), ME, 4))
    for tried in (data, whole[:HEADER_BYTES] + data):
        with pytest.raises(CorruptionError):
            decode_manifest(tried, ME, "f")


@given(st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["lsn", "time_us", "catalog", "tables", "holds", "ddl", "1"]), inner),
    max_leaves=10,
))  # fmt: skip
def test_a_document_with_a_right_checksum_and_wrong_content_is_corruption(document: object) -> None:
    import json

    import xxhash

    whole = b"".join(encode_manifest(manifest(), ME, 4))
    text = json.dumps(document).encode()
    trailer = len(text).to_bytes(8, "little")
    trailer += xxhash.xxh3_64_intdigest(text).to_bytes(8, "little")
    with pytest.raises(CorruptionError):
        decode_manifest(whole[:HEADER_BYTES] + text + trailer, ME, "f")


def test_the_last_two_are_kept_and_the_newest_good_one_counts() -> None:
    disk = LyingDisk(1)
    manifests = Manifests(disk, FOLDER, ME)
    assert manifests.good() == []
    for lsn in (10, 20, 30):
        manifests.write(manifest(lsn), 4)
    assert sorted(path.name for path in disk.files()) == [
        "0000000002.manifest",
        "0000000003.manifest",
    ]
    assert [m.lsn for m in manifests.good()] == [30, 20]
    disk.flip(FOLDER / "0000000003.manifest", 100, 1)
    assert [m.lsn for m in manifests.good()] == [20]
    assert "0000000003.manifest" in manifests.damaged[0]


@pytest.mark.parametrize("effect", range(1, 6))
@pytest.mark.parametrize("fault", list(Fault))
def test_a_manifest_is_there_whole_or_not_at_all(effect: int, fault: Fault) -> None:
    disk = LyingDisk(effect)
    Manifests(disk, FOLDER, ME).write(manifest(10), 4)
    disk._stop_at, disk._fault = disk.effects + effect, fault
    try:
        Manifests(disk, FOLDER, ME).write(manifest(20), 4)
    except (Crash, OSError):
        pass
    for seed in range(10):
        disk.random.seed(seed)
        found = Manifests(disk.after_power_loss(), FOLDER, ME)
        assert [m.lsn for m in found.good()] in ([10], [20, 10])
        assert found.damaged == []
