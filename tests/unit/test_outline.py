"""Outlines of log files: used when good, as if missing when not, never trusted further."""

import uuid
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.disk import LyingDisk
from kit.lives import ROOT, Life, check, live, opened
from kit.workload import Workload
from sluiceway.catalog import CorruptionError
from sluiceway.warehouse.header import HEADER_BYTES, LOG, FileHeader, Identity
from sluiceway.warehouse.log import LogFiles
from sluiceway.warehouse.log.outline import decode_outline, encode_outline

HEADER = FileHeader(LOG, Identity(uuid.UUID(int=7), 1, 1), 3)
GOOD = b"".join(encode_outline(HEADER, 4_096, b"heads of records"))


@pytest.fixture
def closed(run_folder: Path) -> tuple[LyingDisk, Life, Path]:
    """A warehouse with several finished log files, closed in order."""
    disk, life = LyingDisk(5), Life()
    live(disk, run_folder, life, Workload(5, jumps=False), 40)
    return disk, life, run_folder


def files(disk: LyingDisk, suffix: str) -> list[Path]:
    return [path for path in disk.files() if path.suffix == suffix]


def restart(disk: LyingDisk, run: Path, life: Life) -> None:
    """Open, compare with the model, close."""
    warehouse = opened(disk, run, life)
    try:
        check(warehouse, life)
    finally:
        warehouse.close()


def test_every_finished_file_has_one_and_a_start_reads_it(
    closed: tuple[LyingDisk, Life, Path],
) -> None:
    disk, life, run = closed
    finished = files(disk, ".log")[:-1]
    assert len(finished) > 2
    assert [path.with_suffix(".log") for path in files(disk, ".outline")] == finished
    disk.flip(finished[0], HEADER_BYTES + 20, 0)  # a record's header, which the outline has too
    restart(disk, run, life)
    disk.unlink(files(disk, ".outline")[0])
    with pytest.raises(CorruptionError, match=finished[0].name):
        restart(disk, run, life)


@pytest.mark.parametrize("at", [0, 40, 64, 72, 80, 300])
def test_a_damaged_one_is_written_again(closed: tuple[LyingDisk, Life, Path], at: int) -> None:
    disk, life, run = closed
    path = files(disk, ".outline")[0]
    good = disk.read(path)
    disk.flip(path, at, 3)
    restart(disk, run, life)
    assert not disk.exists(path)
    disk, life = disk.after_kill(), Life(life.model, clock=life.clock)
    live(disk, run, life, Workload(6, jumps=False), 3)
    assert disk.read(path) == good


def test_it_goes_with_its_file(closed: tuple[LyingDisk, Life, Path]) -> None:
    disk, _, _ = closed
    logs = LogFiles(disk, ROOT / "log")
    before = files(disk, ".outline")
    logs.remove(logs.numbers()[0])
    assert files(disk, ".outline") == before[1:]


def test_it_round_trips() -> None:
    assert decode_outline(GOOD, HEADER, 4_096, "x") == b"heads of records"


@pytest.mark.parametrize("at", range(len(GOOD)))
def test_no_flipped_bit_is_missed(at: int) -> None:
    bad = bytearray(GOOD)
    bad[at] ^= 1
    with pytest.raises(CorruptionError):
        decode_outline(bytes(bad), HEADER, 4_096, "x")


def test_one_of_another_file_is_refused() -> None:
    with pytest.raises(CorruptionError):
        decode_outline(GOOD, HEADER, 4_104, "x")
    with pytest.raises(CorruptionError):
        decode_outline(GOOD, FileHeader(LOG, HEADER.identity, 4), 4_096, "x")


@given(st.binary(max_size=200), st.integers(0, len(GOOD)))
def test_any_bytes_decode_or_are_refused(tail: bytes, keep: int) -> None:
    try:
        decode_outline(GOOD[:keep] + tail, HEADER, 4_096, "x")
    except CorruptionError:
        pass
