"""The log: bytes, writer, index, recovery."""

import uuid
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.disk import Crash, Fault, LyingDisk
from sluiceway.catalog import CorruptionError, DiskFullError, UnavailableError
from sluiceway.warehouse.header import HEADER_BYTES, Identity
from sluiceway.warehouse.log import (
    Located,
    LogFiles,
    LogFollower,
    LogIndex,
    LogScan,
    LogWriter,
    Outlines,
    Part,
    PartKind,
    RecordKind,
    json_part,
    read_json,
)
from sluiceway.warehouse.log.format import (
    decode_directory,
    decode_record_header,
    encode_record,
    split_body,
)
from sluiceway.warehouse.log.reader import read_pieces

ME = Identity(uuid.UUID(int=7), 1, 1)
FOLDER = Path("/log")


def rows_part(table: int = 3, shard: int = 1, first_lsn: int = 5, size: int = 100) -> Part:
    pieces = (b"\x00" * 8, b"\x05\x07", b"a" * size, b"")
    return Part(table, 1, shard, 2, PartKind.ROWS, first_lsn, 2, 3, pieces)


def record(parts: list[Part], first: int = 5, commit: int = 9) -> bytes:
    _, _, pieces = encode_record(
        RecordKind.COMMIT, first_lsn=first, commit_lsn=commit, time_us=77, durable_through=4,
        previous=11, parts=parts,
    )  # fmt: skip
    return b"".join(pieces)


def test_a_record_round_trips() -> None:
    data = record([rows_part(size=13), json_part(b'{"a": 1}')])
    header = decode_record_header(data)
    assert (header.first_lsn, header.commit_lsn, header.time_us) == (5, 9, 77)
    assert (header.durable_through, header.previous, header.length_bytes) == (4, 11, len(data))
    entries = decode_directory(header, data[128:])
    assert [int(entry["kind"]) for entry in entries] == [PartKind.ROWS, PartKind.JSON]
    rows, text = (
        split_body(e, data[int(e["offset"]) : int(e["offset"]) + int(e["length"])]) for e in entries
    )
    assert [bytes(piece) for piece in rows] == [b"\x00" * 8, b"\x05\x07", b"a" * 13, b""]
    assert bytes(text[2]) == b'{"a": 1}'


def test_the_bytes_of_a_record_are_the_documented_ones() -> None:
    data = record([rows_part(size=8)])
    assert len(data) == 128 + 112 + 8 + 8 + 8
    assert data[:4] == b"SLWL" and data[4:8] == b"\x01\x00\x01\x00"
    assert int.from_bytes(data[128 + 0 : 128 + 4], "little") == 3  # table
    assert int.from_bytes(data[128 + 12 : 128 + 16], "little") == 1  # shard
    assert int.from_bytes(data[128 + 32 : 128 + 40], "little") == 5  # first LSN of the part
    assert int.from_bytes(data[128 + 48 : 128 + 56], "little") == 240  # offset of the body


def test_every_flipped_bit_of_a_record_is_found() -> None:
    data = record([rows_part(size=8)])
    for bit in range(8 * len(data)):
        bad = bytearray(data)
        bad[bit // 8] ^= 1 << bit % 8
        with pytest.raises(CorruptionError):
            verify(bytes(bad))


def verify(data: bytes) -> None:
    header = decode_record_header(data)
    for entry in decode_directory(header, data[128:]):
        offset = int(entry["offset"])
        split_body(entry, data[offset : offset + int(entry["length"])])


@given(st.binary(max_size=400))
def test_random_bytes_are_never_a_record(data: bytes) -> None:
    with pytest.raises(CorruptionError):
        verify(data)
    with pytest.raises(CorruptionError):
        verify(b"SLWL\x01\x00\x01\x00" + data)


class Log:
    """A log on a lying disk, in one incarnation."""

    def __init__(self, disk: LyingDisk, incarnation: int = 1, last_lsn: int = 0) -> None:
        self.disk = disk
        self.files = LogFiles(disk, FOLDER)
        self.incarnation = incarnation
        self.last_lsn = last_lsn
        self.writer = LogWriter(self.files, ME, incarnation, file_bytes=2_000, last_lsn=last_lsn)
        self.writer.open_file(max([last_lsn, *self.files.numbers()]) + 1)

    def commit(self, size: int = 100) -> Located:
        first = self.last_lsn + 1
        self.writer.reserve(first, size)
        part = rows_part(first_lsn=first, size=size)
        located = self.writer.append(RecordKind.COMMIT, first, first + 4, first, [part])
        self.last_lsn = first + 4
        return located


def scan(disk: LyingDisk, manifest_lsn: int = 0) -> tuple[LogScan, list[int]]:
    found = LogScan(LogFiles(disk, FOLDER), ME, manifest_lsn)
    return found, [located.header.commit_lsn for located in found]


def test_what_was_appended_is_found_again_across_files() -> None:
    log = Log(LyingDisk(1))
    lsns = [log.commit(400).header.commit_lsn for _ in range(10)]
    assert len(log.files.numbers()) > 1
    found, seen = scan(log.disk)
    assert seen == lsns
    assert (found.last_lsn, found.incarnation, found.oldest) == (lsns[-1], 1, 1)
    assert found.bytes == log.writer.total_bytes == log.writer.stats().bytes


def test_parts_are_read_alone_and_verified() -> None:
    log = Log(LyingDisk(1))
    located = log.commit()
    entry = located.entries[0]
    offset = located.offset + int(entry["offset"])
    assert bytes(read_pieces(log.files, located.file, offset, entry)[2]) == b"a" * 100
    log.disk.flip(log.files.path(located.file), offset + 40, 3)
    with pytest.raises(CorruptionError, match=f"{located.file:020d}.log offset {offset}"):
        read_pieces(log.files, located.file, offset, entry)


def test_a_json_part_is_read_as_a_document() -> None:
    log = Log(LyingDisk(1))
    located = log.writer.append(RecordKind.DDL, 1, 3, 1, [json_part(b'{"x": [1]}')])
    assert read_json(log.files, located.file, located.offset, located.entries[0]) == {"x": [1]}


@pytest.mark.parametrize("cut", [1, 60, 128, 200, 300, 351])
def test_a_torn_tail_is_left_where_it_is_and_judged_again(cut: int) -> None:
    log = Log(LyingDisk(1))
    log.commit()
    last = log.commit()
    tear(log, last, cut)
    assert scan(log.disk)[1] == [5]
    again = Log(log.disk, 2, 5)
    assert scan(log.disk)[1] == [5]
    again.commit()
    assert scan(log.disk)[1] == [5, 10]


def tear(log: Log, last: Located, cut: int) -> None:
    """Leave so many bytes of the last record."""
    file = log.disk._find(log.files.path(last.file))
    del file.cached[last.offset + cut :]
    del file.durable[last.offset + cut :]


@pytest.mark.parametrize("ahead", [True, False])
def test_a_follower_takes_no_torn_record_for_one_of_the_next_file(ahead: bool) -> None:
    """Both have the same LSNs, and the head of the torn one is intact."""
    log = Log(LyingDisk(1))
    log.commit()
    tear(log, log.commit(), 300)
    follower = LogFollower(LogFiles(log.disk, FOLDER))
    if ahead:
        assert [r.header.commit_lsn for r in follower.read_to(5, 1)] == [5]
    again = Log(log.disk, 2, 5)
    again.commit()
    again.commit()
    found = [(r.file, r.header.commit_lsn) for r in follower.read_to(15, 2)]
    assert found == [(1, 5), (6, 10), (6, 15)][ahead:]


@pytest.mark.parametrize("outline", [False, True])
def test_a_torn_record_of_full_length_is_judged_again_below_a_checkpoint(outline: bool) -> None:
    log = Log(LyingDisk(1))
    log.commit()
    torn = log.commit()
    log.disk.flip(log.files.path(torn.file), torn.offset + 300, 0)
    assert scan(log.disk)[1] == [5]
    Log(log.disk, 2, 5).commit()
    if outline:
        Outlines(log.files).write()
    assert scan(log.disk, manifest_lsn=10)[1] == [5, 10]


def test_damage_before_intact_records_is_corruption_and_named() -> None:
    log = Log(LyingDisk(1))
    log.commit()
    bad = log.commit()
    log.commit()
    log.disk.flip(log.files.path(bad.file), bad.offset + 300, 0)
    with pytest.raises(CorruptionError, match=rf"offset {bad.offset}: .*last good LSN 5"):
        scan(log.disk)


def test_damage_behind_which_a_later_file_goes_on_is_corruption() -> None:
    log = Log(LyingDisk(1))
    log.commit()
    bad = log.commit()
    Log(log.disk, 2, log.last_lsn).commit()
    log.disk.flip(log.files.path(bad.file), bad.offset + 8, 0)
    with pytest.raises(CorruptionError, match="last good LSN 5"):
        scan(log.disk)


def test_a_missing_file_is_corruption() -> None:
    log = Log(LyingDisk(1))
    for _ in range(20):
        log.commit(400)
    log.disk.unlink(log.files.path(log.files.numbers()[1]))
    with pytest.raises(CorruptionError, match="follows LSN"):
        scan(log.disk)


def test_a_log_that_ends_before_the_checkpoint_is_corruption() -> None:
    log = Log(LyingDisk(1))
    log.commit()
    with pytest.raises(CorruptionError, match="ends at LSN 5, before the checkpoint at 6"):
        scan(log.disk, manifest_lsn=6)


def test_a_foreign_file_is_refused() -> None:
    log = Log(LyingDisk(1))
    log.commit()
    found = LogScan(log.files, Identity(uuid.UUID(int=9), 1, 1), 0)
    with pytest.raises(CorruptionError, match="belongs to"):
        list(found)


def test_the_last_record_becomes_durable_before_anyone_sees_it() -> None:
    disk = LyingDisk(1, stop_at=6, fault=Fault.SYNC_FAILS)
    log = Log(disk)
    with pytest.raises(Crash):
        for _ in range(9):
            log.commit()
    after = disk.after_kill()
    found, seen = scan(after)
    found.settle()
    for seed in range(20):
        after.random.seed(seed)
        assert scan(after.after_power_loss())[1] == seen


def test_a_failed_sync_stops_the_log_for_ever() -> None:
    disk = LyingDisk(1, stop_at=6, fault=Fault.SYNC_FAILS)
    log = Log(disk)
    with pytest.raises(Crash):
        for _ in range(9):
            log.commit()
    with pytest.raises(UnavailableError):
        log.writer.reserve(log.last_lsn + 1, 1)


def test_a_full_disk_is_refused_before_anything_is_written() -> None:
    log = Log(LyingDisk(1))
    log.commit()
    before = log.disk.files()
    log.disk.free = 1 << 20
    with pytest.raises(DiskFullError, match="1048576 bytes left"):
        log.commit()
    assert log.disk.files() == before
    log.disk.free = 1 << 40
    log.commit()


@given(st.binary(max_size=3_000), st.integers(1, 3))
def test_random_files_are_torn_or_corrupt_and_nothing_else(data: bytes, files: int) -> None:
    disk = LyingDisk(1)
    log = Log(disk)
    log.commit()
    for number in range(files):
        other = disk.open_append(log.files.path(100 + number))
        other.write([data])
    try:
        assert scan(disk)[1] == [5]
    except CorruptionError:
        pass


@given(st.data())
def test_a_flip_anywhere_never_gives_other_records(data: st.DataObject) -> None:
    log = Log(LyingDisk(1))
    lsns = [log.commit().header.commit_lsn for _ in range(8)]
    path, size = data.draw(st.sampled_from(list(log.disk.files().items())))
    log.disk.flip(path, data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, 7)))
    try:
        seen = scan(log.disk)[1]
        assert seen == lsns[: len(seen)] and len(seen) >= len(lsns) - 1
    except CorruptionError:
        pass


def test_the_index_finds_parts_by_shard_lsn_and_time() -> None:
    log, index = Log(LyingDisk(1)), LogIndex()
    located = [log.commit() for _ in range(40)]
    for one in located:
        index.add(one)
    parts = index.parts(3, 1)
    lsns = [one.header.commit_lsn for one in located]
    assert [place.commit_lsn for place in parts.iterate(0)] == lsns
    assert [place.commit_lsn for place in parts.iterate(parts.after(191))] == [195, 200]
    assert parts.after(201) == 40
    assert (parts.last_lsn(4), parts.last_lsn(9), parts.last_lsn(10)) == (0, 5, 10)
    assert list(index.parts(3, 0).iterate(0)) == []
    assert (index.at_time(0), index.at_time(7), index.at_time(10_000)) == (1, 11, None)
    place = next(iter(parts.iterate(2)))
    assert (place.first_lsn, place.events, place.schema_version) == (11, 3, 2)
    assert place.offset == located[2].offset + int(located[2].entries[0]["offset"])


def test_the_header_is_durable_before_the_first_record() -> None:
    disk = LyingDisk(3)
    Log(disk)
    survivor = disk.after_power_loss()
    assert survivor.files() == {FOLDER / f"{1:020d}.log": HEADER_BYTES}
