"""The data folder: created once, locked, never taken from others."""

import json
import subprocess
import sys
import uuid
from contextlib import suppress
from pathlib import Path

import pytest

from kit.disk import Crash, LyingDisk
from sluiceway.catalog import CorruptionError, UnavailableError, UserError
from sluiceway.warehouse.disk import EXIT_STOPPED, RealDisk, RunFolder, run_path
from sluiceway.warehouse.folder import Folder


def test_a_folder_keeps_its_identity(tmp_path: Path) -> None:
    first = Folder.open(tmp_path / "a" / "b", RealDisk())
    first.close()
    again = Folder.open(tmp_path / "a" / "b", RealDisk())
    assert again.identity == first.identity
    again.close()


def test_a_held_folder_is_refused_by_pid_and_endpoint(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib; from sluiceway.warehouse.disk import RealDisk;"
        "from sluiceway.warehouse.folder import Folder;"
        "f = Folder.open(pathlib.Path(sys.argv[1]), RealDisk());"
        "f.announce(endpoint='grpc://127.0.0.1:4711'); print('ready', flush=True);"
        "sys.stdin.read()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert other.stdout is not None and other.stdout.readline() == b"ready\n"
        with pytest.raises(UnavailableError, match=f"process {other.pid}.*127.0.0.1:4711"):
            Folder.open(tmp_path, RealDisk())
    finally:
        other.kill()
        other.communicate()
    Folder.open(tmp_path, RealDisk()).close()


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    with pytest.raises(UserError, match="'photos' is there"):
        Folder.open(tmp_path, RealDisk())
    assert sorted(p.name for p in tmp_path.iterdir()) == ["LOCK", "photos"]


def test_another_format_version_is_refused_by_both_names(tmp_path: Path) -> None:
    Folder.open(tmp_path, RealDisk()).close()
    about = json.loads((tmp_path / "sluiceway.json").read_text())
    (tmp_path / "sluiceway.json").write_text(json.dumps({**about, "format": 9}))
    with pytest.raises(UserError, match="version 9, this release reads version 1"):
        Folder.open(tmp_path, RealDisk())


@pytest.mark.parametrize("text", ["", "{}", "nonsense", '{"uuid": 1}', "[]"])
def test_a_damaged_identity_is_named(tmp_path: Path, text: str) -> None:
    Folder.open(tmp_path, RealDisk()).close()
    (tmp_path / "sluiceway.json").write_text(text)
    with pytest.raises(CorruptionError, match="sluiceway.json"):
        Folder.open(tmp_path, RealDisk())


def test_the_port_is_remembered(tmp_path: Path) -> None:
    folder = Folder.open(tmp_path, RealDisk())
    assert folder.last_port() is None
    folder.remember_endpoint("127.0.0.1", 4711)
    folder.close()
    folder = Folder.open(tmp_path, RealDisk())
    assert folder.last_port() == 4711
    (tmp_path / "endpoint").write_text("?")
    assert folder.last_port() is None
    folder.close()


def test_a_run_folder_starts_empty_and_goes(tmp_path: Path) -> None:
    path = run_path(tmp_path, uuid.UUID(int=7), tmp_path / "chosen", 0)
    assert path.parent == tmp_path / "chosen"
    path.mkdir(parents=True)
    (path / "old").write_text("")
    run = RunFolder(path)
    assert [file.name for file in path.iterdir()] == ["owner"]
    run.close()
    assert not path.exists()


def test_only_abandoned_run_folders_are_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sluiceway.warehouse.disk._SHARED_MEMORY", tmp_path)
    mine, other = uuid.UUID(int=7), uuid.UUID(int=8)
    alive = RunFolder(tmp_path / f"sluiceway-{other}-1")
    for left in (f"sluiceway-{mine}-1", f"sluiceway-{other}-2"):
        (tmp_path / left).mkdir()
        (tmp_path / left / "owner").write_text("")
    (tmp_path / f"sluiceway-{other}-3").mkdir()
    run_path(tmp_path, mine, None, 0)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        f"sluiceway-{other}-1",
        f"sluiceway-{other}-3",
    ]
    alive.close()


def test_the_real_disk_does_what_it_says(tmp_path: Path) -> None:
    disk = RealDisk()
    disk.mkdir(tmp_path / "a" / "b")
    file = disk.open_append(tmp_path / "a" / "f")
    file.write([b"one", b"", memoryview(b"two")] * 700)
    file.fdatasync()
    file.close()
    with pytest.raises(FileExistsError):
        disk.open_append(tmp_path / "a" / "f")
    reader = disk.open_read(tmp_path / "a" / "f")
    assert reader.size() == 4_200 and reader.pread(3, 6) == b"twoone"
    assert reader.pread(4_198, 10) == b"wo" and reader.pread(9_999, 1) == b""
    reader.close()
    disk.rewrite(tmp_path / "a" / "f", 3, b"TWO")
    assert disk.read(tmp_path / "a" / "f")[:9] == b"oneTWOone"
    disk.replace(tmp_path / "a" / "f", [b"new"])
    assert bytes(disk.map_readonly(tmp_path / "a" / "f")) == b"new"
    assert disk.list(tmp_path / "a") == ["b", "f"] and disk.list(tmp_path / "none") == []
    disk.unlink(tmp_path / "a" / "f")
    disk.unlink(tmp_path / "a" / "f")
    assert not disk.exists(tmp_path / "a" / "f") and disk.free_bytes(tmp_path) > 0


def test_a_stop_ends_the_process_at_once_and_says_why() -> None:
    program = (
        "from sluiceway.warehouse.disk import RealDisk\n"
        "try:\n    RealDisk().stop('the disk said no')\nfinally:\n    print('still here')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (EXIT_STOPPED, "")
    assert done.stderr == "sluiceway stops: the disk said no\n"


@pytest.mark.parametrize("effect", range(1, 9))
def test_an_identity_that_was_seen_is_never_lost(effect: int) -> None:
    disk = LyingDisk(effect, stop_at=effect)
    with suppress(Crash):
        Folder.open(Path("/w"), disk)
    killed = disk.after_kill()
    seen = Folder.open(Path("/w"), killed).identity
    for seed in range(10):
        killed.random.seed(seed)
        assert Folder.open(Path("/w"), killed.after_power_loss()).identity == seen
